// Package netrc reads the file in which users keep their passwords for ftp, curl and others.
//
// The words of it are separated by blanks and line ends:
//
//	machine HOST login USER password PASSWORD
//	default login USER password PASSWORD
//
// A word may be in double quotes, with \", \\, \n, \r and \t inside. "account WORD" is read over, and so is "macdef NAME",
// up to the next empty line. Where a keyword could stand, a # makes the rest of its line a comment.
package netrc

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxSize is how much is read of a file. What is larger is none.
const maxSize = 1 << 20

// A File is what was read. Its zero value knows nobody.
type File struct{ entries []entry }

type entry struct {
	host           string // "" is the default
	user, password string
}

// Parse reads a file. Its errors name the line, and no word of it.
func Parse(r io.Reader) (*File, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxSize+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxSize {
		return nil, errors.New("too large for a netrc file")
	}
	p := &parser{words: words{text: string(data), line: 1}}
	if err := p.parse(); err != nil {
		return nil, fmt.Errorf("line %d: %w", p.line, err)
	}
	return &File{p.entries}, nil
}

// Login is the user and password for a host, without port, in upper or lower case: of the first entry for it, else of
// the default. ok is false where there is neither.
func (f *File) Login(host string) (user, password string, ok bool) {
	for _, e := range f.entries {
		if e.host == "" || strings.EqualFold(e.host, host) {
			return e.user, e.password, true
		}
	}
	return "", "", false
}

type parser struct {
	words
	entries []entry
}

var (
	errNoWord  = errors.New("a word is missing at the end")
	errKeyword = errors.New("no machine, default, login, password, account or macdef where one should be")
	errOutside = errors.New("a login or password without a machine")
	errLate    = errors.New("an entry behind the default, which is for all hosts")
	errQuote   = errors.New("a quote that does not end")
)

func (p *parser) parse() error {
	for {
		keyword, ok, err := p.keyword()
		if err != nil || !ok {
			return err
		}
		if err := p.take(keyword); err != nil {
			return err
		}
	}
}

func (p *parser) take(keyword string) error {
	switch keyword {
	case "default":
		return p.begin(entry{})
	case "macdef":
		p.skipMacro()
		return nil
	case "machine", "login", "user", "password", "account":
	default:
		return errKeyword
	}
	word, ok, err := p.next()
	switch {
	case err != nil:
		return err
	case !ok:
		return errNoWord
	case keyword == "machine":
		if word == "" {
			return errKeyword
		}
		return p.begin(entry{host: word})
	case len(p.entries) == 0:
		return errOutside
	}
	last := &p.entries[len(p.entries)-1]
	switch keyword {
	case "login", "user":
		last.user = word
	case "password":
		last.password = word
	}
	return nil
}

func (p *parser) begin(e entry) error {
	if n := len(p.entries); n > 0 && p.entries[n-1].host == "" {
		return errLate
	}
	p.entries = append(p.entries, e)
	return nil
}

// words are what is left of a text, and the line that it begins in.
type words struct {
	text string
	line int
}

// skip drops the first n bytes.
func (w *words) skip(n int) {
	w.line += strings.Count(w.text[:n], "\n")
	w.text = w.text[n:]
}

const blank = " \t\r\n"

func (w *words) skipBlanks() { w.skip(len(w.text) - len(strings.TrimLeft(w.text, blank))) }

// skipTo drops all up to the end of the first end, or all.
func (w *words) skipTo(end string) {
	if i := strings.Index(w.text, end); i >= 0 {
		w.skip(i + len(end))
	} else {
		w.skip(len(w.text))
	}
}

// skipMacro drops a macro, up to an empty line.
func (w *words) skipMacro() {
	for {
		w.skipTo("\n")
		line, _, _ := strings.Cut(w.text, "\n")
		if strings.TrimRight(line, "\r") == "" {
			return
		}
	}
}

// keyword is the next word that is no comment; ok is false at the end.
func (w *words) keyword() (word string, ok bool, err error) {
	for {
		w.skipBlanks()
		if !strings.HasPrefix(w.text, "#") {
			return w.next()
		}
		w.skipTo("\n")
	}
}

// next is the next word, whatever it is; ok is false at the end.
func (w *words) next() (word string, ok bool, err error) {
	w.skipBlanks()
	if w.text == "" {
		return "", false, nil
	}
	if w.text[0] == '"' {
		word, err = w.quoted()
		return word, true, err
	}
	end := strings.IndexAny(w.text, blank)
	if end < 0 {
		end = len(w.text)
	}
	word = w.text[:end]
	w.skip(end)
	return word, true, nil
}

var escapes = map[byte]byte{'n': '\n', 'r': '\r', 't': '\t'}

func (w *words) quoted() (string, error) {
	var b strings.Builder
	for i := 1; i < len(w.text); i++ {
		c := w.text[i]
		switch {
		case c == '"':
			w.skip(i + 1)
			return b.String(), nil
		case c == '\\' && i+1 < len(w.text):
			i++
			if c = w.text[i]; escapes[c] != 0 {
				c = escapes[c]
			}
		}
		b.WriteByte(c)
	}
	return "", errQuote
}
