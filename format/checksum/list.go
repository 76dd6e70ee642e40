package checksum

import (
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"spate/format/lines"
)

// The limits of a list. What is beyond is a [*ListError].
const (
	MaxLine = lines.Max // bytes of a line, without its line end (LF or CRLF) and a BOM in front of it
	MaxList = 64 << 20  // bytes in all
)

// ErrNotListed is what [ReadList] returns where a list has nothing of a name. It may come wrapped.
var ErrNotListed = errors.New("not listed")

var errLargeList = fmt.Errorf("list of more than %d bytes", MaxList)

// A ListError tells in which line of a list of checksums something is wrong.
type ListError struct {
	Line int // from 1
	Err  error
}

// Error reads "checksums line N: cause".
func (e *ListError) Error() string { return fmt.Sprintf("checksums line %d: %v", e.Line, e.Err) }

// Unwrap returns the cause.
func (e *ListError) Unwrap() error { return e.Err }

// ReadList finds the checksum of the file called name in a list such as SHA256SUMS or file.iso.sha256. Lines are
//
//	HEX  name                of sha256sum and its like: two blanks, or a blank and "*"
//	\HEX  na\nme             of the same, with "\\", "\n" and "\r" escaped
//	SHA256 (name) = HEX      of sha256sum --tag, BSD's sha256 and openssl dgst
//	HEX                      alone, in a list that has nothing else but empty lines and comments ("#"); HEX  - is the same
//
// and any other, such as those of an OpenPGP signature around the list, says nothing. Where a line has no tag, the number
// of digits tells the algorithm: 32 are md5, 64 sha-256, 128 sha-512. A BLAKE3 without a tag is therefore taken for SHA-256,
// and does not match.
//
//  1. The name is looked for as it is, "./" in front aside. Only where no line has it, files of that name in folders
//     ("dir/name") count. Case counts.
//  2. Of several sums for the name, that of the strongest algorithm is returned.
//  3. Two sums of one algorithm that differ are a [*ListError].
//  4. Where all lines for the name are of algorithms that are not known, or have the wrong number of digits, the first of
//     them is a [*ListError] that says so.
//  5. Without any line for the name the error is [ErrNotListed].
//
// The list is read to its end, and nothing is returned of one that was cut, whose rest might contradict. Errors of r
// are wrapped together with the number of the line. What is held in memory does not depend on the list.
func ReadList(r io.Reader, name string) (Sum, error) {
	limited := &io.LimitedReader{R: r, N: MaxList + 1}
	in := lines.NewReader(limited)
	f := finding{name: path.Clean(name)}
	for {
		line, err := in.Next()
		switch {
		case limited.N == 0:
			return Sum{}, &ListError{in.Num(), errLargeList}
		case err == io.EOF:
			return f.result()
		case err == lines.ErrTooLong:
			return Sum{}, &ListError{in.Num(), err}
		case err != nil:
			return Sum{}, fmt.Errorf("checksums line %d: %w", in.Num(), err)
		}
		f.add(strings.Trim(string(line), " \t\r"), in.Num())
	}
}

// finding is what was found of a name so far.
type finding struct {
	name string

	exact, inFolder, bare promise
	isOfNames             bool // something else than bare sums was seen
}

func (f *finding) add(line string, num int) {
	if line == "" || line[0] == '#' {
		return
	}
	e, ok := parseLine(line)
	e.line = num
	if ok && (e.name == "" || e.name == "-") {
		f.bare.add(e)
		return
	}
	f.isOfNames = true
	if !ok {
		return
	}
	switch listed := path.Clean(e.name); {
	case listed == f.name:
		f.exact.add(e)
	case strings.HasSuffix(listed, "/"+f.name):
		f.inFolder.add(e)
	}
}

func (f *finding) result() (Sum, error) {
	switch {
	case f.exact.isMade():
		return f.exact.result()
	case f.inFolder.isMade():
		return f.inFolder.result()
	case f.bare.isMade() && !f.isOfNames:
		return f.bare.result()
	}
	return Sum{}, fmt.Errorf("checksums: %.255q: %w", f.name, ErrNotListed)
}

// promise is what the lines for one name say.
type promise struct {
	sums []Sum // one for each algorithm, no more
	bad  error // two that differ
	odd  error // the first line that cannot be used
}

func (p *promise) add(e entry) {
	sum, err := e.sum()
	if err != nil {
		if p.odd == nil {
			p.odd = &ListError{e.line, err}
		}
		return
	}
	for _, other := range p.sums {
		if other.Algorithm == sum.Algorithm {
			if !other.Equal(sum) && p.bad == nil {
				p.bad = &ListError{e.line, fmt.Errorf("%s is %x, and was %x before", sum.Algorithm, sum.Value, other.Value)}
			}
			return
		}
	}
	p.sums = append(p.sums, sum)
}

func (p *promise) isMade() bool { return len(p.sums) > 0 || p.odd != nil }

func (p *promise) result() (Sum, error) {
	if p.bad != nil {
		return Sum{}, p.bad
	}
	if best, ok := Strongest(p.sums); ok {
		return best, nil
	}
	return Sum{}, p.odd
}
