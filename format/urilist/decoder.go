package urilist

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"spate/format/lines"
)

// The limits of a list. They bound what a [Decoder] holds in memory at any time, whatever it reads.
const (
	MaxLine    = lines.Max // bytes of a line, without its line end (LF or CRLF) and a BOM in front of it
	MaxEntry   = 1 << 20   // bytes of an entry's lines, without blanks around them, comments and line ends
	MaxOptions = 1 << 10   // of an entry
)

var (
	errLargeEntry = fmt.Errorf("entry of more than %d bytes", MaxEntry)
	errOptions    = fmt.Errorf("entry of more than %d options", MaxOptions)
	errNoEntry    = errors.New("option without a URL above it: lines of URLs begin without blanks")
	errNoOption   = errors.New("indented, but no option: NAME=VALUE")
	errControl    = errors.New("control character: this is no list of URLs")
)

// A SyntaxError tells which line is none of a list, or breaks a limit, and why. It does not quote the line, which may
// hold secrets.
type SyntaxError struct {
	Line int // from 1
	Err  error
}

// Error reads "list line N: cause".
func (e *SyntaxError) Error() string { return fmt.Sprintf("list line %d: %v", e.Line, e.Err) }

// Unwrap returns the cause.
func (e *SyntaxError) Unwrap() error { return e.Err }

// An Entry is one file to download.
type Entry struct {
	// URLs are the file's mirrors in the order of the list, as it spells them: without blanks around them, neither
	// resolved nor checked. There is at least one. They share one allocation.
	URLs []string

	Options []Option // in the order of the list
	Line    int      // of the URLs, from 1
}

// An Option is a line "NAME=VALUE" below an entry, for that entry alone.
type Option struct {
	Name  string // as the list spells it: a letter, then letters, digits and "-"
	Value string // without blanks around it; may be empty
	Line  int    // from 1
}

// A Decoder reads a list entry by entry. It is lazy: an entry is returned as soon as the line that ends it, which is that
// of the next entry's URLs, has been read, and it holds those two alone. A list may therefore be endless.
//
// A Decoder must not be used by several goroutines at once.
type Decoder struct {
	lines *lines.Reader
	err   error // what every Next to come returns

	entry Entry // the one being read; none before its URLs
	size  int   // its bytes so far
}

// NewDecoder returns a Decoder of the list that r holds.
func NewDecoder(r io.Reader) *Decoder { return &Decoder{lines: lines.NewReader(r)} }

// Next returns the next entry. At the end of the list, and only if the reader ended with [io.EOF] itself, it returns
// io.EOF.
//
// What is no list is a [*SyntaxError]. Errors of the reader, [io.ErrUnexpectedEOF] among them, are wrapped together with
// the number of the line. With either, what had been read of an entry is dropped, also where it comes in the line that
// would have ended it. After an error every call returns that error again.
func (d *Decoder) Next() (Entry, error) {
	for d.err == nil {
		var e Entry
		e, d.err = d.step()
		if len(e.URLs) > 0 {
			return e, nil
		}
	}
	return Entry{}, d.err
}

// step reads a line, and returns the entry that it ends, if any. At the end it returns both the last entry and io.EOF;
// other errors come without an entry.
func (d *Decoder) step() (Entry, error) {
	line, err := d.lines.Next()
	switch {
	case err == io.EOF:
		return d.entry, err
	case err == lines.ErrTooLong:
		return Entry{}, d.bad(err)
	case err != nil:
		return Entry{}, fmt.Errorf("list line %d: %w", d.lines.Num(), err)
	}
	line = bytes.TrimRight(line, " \t\r")
	text := bytes.TrimLeft(line, " \t")
	if len(text) == 0 || text[0] == '#' {
		return Entry{}, nil
	}
	if bytes.ContainsFunc(text, isControl) {
		return Entry{}, d.bad(errControl)
	}
	if len(text) < len(line) {
		return Entry{}, d.option(string(text))
	}
	return d.begin(string(text)), nil
}

// begin begins an entry and returns the one that ends so.
func (d *Decoder) begin(text string) (last Entry) {
	last = d.entry
	d.entry = Entry{URLs: make([]string, 0, 1+strings.Count(text, "\t")), Line: d.lines.Num()}
	d.size = len(text)
	for url := range strings.SplitSeq(text, "\t") {
		if url = strings.Trim(url, " "); url != "" {
			d.entry.URLs = append(d.entry.URLs, url)
		}
	}
	return last
}

// option adds one to the entry.
func (d *Decoder) option(text string) error {
	name, value, hasValue := strings.Cut(text, "=")
	name = strings.TrimRight(name, " \t")
	d.size += len(text)
	switch {
	case len(d.entry.URLs) == 0:
		return d.bad(errNoEntry)
	case !hasValue || !isName(name):
		return d.bad(errNoOption)
	case d.size > MaxEntry:
		return d.bad(errLargeEntry)
	case len(d.entry.Options) == MaxOptions:
		return d.bad(errOptions)
	}
	d.entry.Options = append(d.entry.Options, Option{name, strings.TrimLeft(value, " \t"), d.lines.Num()})
	return nil
}

func (d *Decoder) bad(err error) error { return &SyntaxError{d.lines.Num(), err} }

func isControl(r rune) bool { return r < ' ' && r != '\t' || r == '\x7F' }

// isName tells whether s can be an option's name. A URL never can, and neither can "--out".
func isName(s string) bool {
	for i, c := range []byte(s) {
		isLetter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !isLetter && (i == 0 || c != '-' && (c < '0' || '9' < c)) {
			return false
		}
	}
	return s != ""
}
