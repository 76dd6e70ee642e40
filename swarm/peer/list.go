package peer

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"spate/format/lines"
)

// The names of a peer's folder.
const (
	ListName = "local_chunks.txt"
	SumsName = "SHA256SUMS"
	LastWord = "LASTCHUNK"
)

// MaxChunks is how many chunks a file-set can have here. What a peer keeps of each is in memory.
const MaxChunks = 1 << 20

// ChunkName is the file that a chunk is saved as.
func ChunkName(chunk int) string { return "chunk_" + strconv.Itoa(chunk) }

// A ListError tells in which line of a folder's list something is wrong. Line 0 is the list as a whole.
type ListError struct {
	Path string
	Line int // from 1
	Err  error
}

// Error reads "path line N: cause".
func (e *ListError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %v", e.Path, e.Err)
	}
	return fmt.Sprintf("%s line %d: %v", e.Path, e.Line, e.Err)
}

// Unwrap returns the cause.
func (e *ListError) Unwrap() error { return e.Err }

var (
	errNoLast  = errors.New("has no line N," + LastWord)
	errOutside = errors.New("leads out of the folder")
	errList    = errors.New("is the list itself, which is written anew")
	errDraft   = errors.New("ends as what is still being written does, and is removed, " + tempExt)
	errGrammar = errors.New("a line is INDEX,FILE, the last one N," + LastWord)
)

// A list is what local_chunks.txt says.
type list struct {
	names map[int]string // of the files that the chunks are in
	lines map[int]int    // where that stands
	last  int
	end   int // the line that says last
}

// readList reads local_chunks.txt as others write it: lines end in LF or CRLF, the last one may have no end, blank lines
// and blanks around fields say nothing. LASTCHUNK need not come last, as programs append to the list what they have fetched.
func readList(r io.Reader, path string) (*list, error) {
	l := &list{names: map[int]string{}, lines: map[int]int{}}
	in := lines.NewReader(r)
	for {
		line, err := in.Next()
		if err == io.EOF {
			break
		}
		if err == nil {
			err = l.add(strings.TrimSpace(string(line)), in.Num())
		}
		if err != nil {
			return nil, &ListError{path, in.Num(), err}
		}
	}
	if line, err := l.check(); err != nil {
		return nil, &ListError{path, line, err}
	}
	return l, nil
}

func (l *list) add(line string, num int) error {
	if line == "" {
		return nil
	}
	index, name, _ := strings.Cut(line, ",")
	n, err := strconv.Atoi(strings.TrimSpace(index))
	name = strings.TrimSpace(name)
	switch {
	case err != nil || name == "":
		return fmt.Errorf("%.60q: %w", line, errGrammar)
	case n < 1 || n > MaxChunks:
		return fmt.Errorf("%d: an index is 1 to %d", n, MaxChunks)
	case name == LastWord:
		return l.setLast(n, num)
	case !filepath.IsLocal(name) || name == ".":
		return fmt.Errorf("%q: %w", name, errOutside)
	case filepath.Clean(name) == ListName:
		return fmt.Errorf("%q: %w", name, errList)
	case strings.HasSuffix(name, tempExt):
		return fmt.Errorf("%q: %w", name, errDraft)
	case l.lines[n] > 0:
		return fmt.Errorf("chunk %d stands in line %d already", n, l.lines[n])
	}
	l.names[n], l.lines[n] = name, num
	return nil
}

func (l *list) setLast(n, num int) error {
	if l.end > 0 && l.last != n {
		return fmt.Errorf("%s is %d here, and %d in line %d", LastWord, n, l.last, l.end)
	}
	l.last, l.end = n, num
	return nil
}

// check is for what only all the lines tell.
func (l *list) check() (line int, err error) {
	if l.end == 0 {
		return 0, errNoLast
	}
	for _, chunk := range l.have() {
		if chunk > l.last {
			return l.lines[chunk], fmt.Errorf("chunk %d is beyond %s, which is %d", chunk, LastWord, l.last)
		}
	}
	return 0, nil
}

func (l *list) have() []int { return slices.Sorted(maps.Keys(l.names)) }

// text is the list as it is written: by index, LASTCHUNK last.
func (l *list) text() []byte {
	var b []byte
	for _, chunk := range l.have() {
		b = fmt.Appendf(b, "%d,%s\n", chunk, l.names[chunk])
	}
	return fmt.Appendf(b, "%d,%s\n", l.last, LastWord)
}

// nameFor is a name for a chunk that no other chunk's file has: files that are called chunk_0 and so on, one below their
// indices, are not to be overwritten.
func (l *list) nameFor(chunk int) string {
	isTaken := func(name string) bool {
		for other, taken := range l.names {
			if other != chunk && filepath.Clean(taken) == name {
				return true
			}
		}
		return name == ListName || name == SumsName
	}
	name := ChunkName(chunk)
	for n := 1; isTaken(name); n++ {
		name = fmt.Sprintf("%s.%d", ChunkName(chunk), n)
	}
	return name
}

// without is an error of a file without what was being done, which stands in front of it.
func without(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	if l, ok := errors.AsType[*os.LinkError](err); ok {
		return l.Err
	}
	return err
}
