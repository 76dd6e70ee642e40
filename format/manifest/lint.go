package manifest

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode"
)

// A Warning tells of something in a manifest that is allowed here, but that a strict reader of the original format would
// reject or not understand.
type Warning struct {
	Line int // from 1
	Msg  string
}

// Lint reads a manifest and calls yield for each [Warning], as soon as the line it is about was read; what only the end
// shows comes last. These are warned of: a BOM, line ends of CRLF (once), blank lines, blanks around a line, parts
// without alternatives, a trailing separator, "(*)" and an alternative on one line, comments, alternatives that are no
// usable URL, schemes that others may not know, relative references, characters that a URL has to escape, and fragments.
// Messages do not quote URLs.
//
// Lint returns nil at the end of the manifest or once yield returned false, and the errors that [Decoder.Next] would
// return otherwise. It holds no more than a line in memory.
func Lint(r io.Reader, yield func(Warning) bool) error {
	l := linter{lines: newLines(r, 0, 1), yield: yield}
	for !l.stopped {
		line, err := l.lines.next()
		if err == io.EOF {
			l.end()
			return nil
		}
		if err == nil {
			err = l.line(line)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

type linter struct {
	lines   lines
	yield   func(Warning) bool
	stopped bool

	crlf      bool // has been warned of
	separator int  // line of the last one, 0 before
	marked    int  // line of the first mark in this part, 0 without
	size      size // of this part
}

func (l *linter) warn(msg string) { l.warnAt(l.lines.num, msg) }

func (l *linter) warnAt(line int, msg string) {
	if !l.stopped {
		l.stopped = !l.yield(Warning{line, msg})
	}
}

// line looks at one line.
func (l *linter) line(line []byte) error {
	l.layout(line)
	if isSeparator(line) {
		if l.size.alternatives == 0 {
			l.warn("part without alternatives")
		}
		l.separator, l.marked, l.size = l.lines.num, 0, size{}
		return nil
	}
	alternative, marked := entry(line)
	if marked && l.marked == 0 {
		l.marked = l.lines.num
	}
	if len(alternative) == 0 {
		return nil
	}
	if marked {
		l.warn("(*) and an alternative on one line")
	}
	if err := l.size.add(len(alternative)); err != nil {
		return &SyntaxError{l.lines.num, err}
	}
	l.alternative(string(alternative))
	return nil
}

// layout looks at what surrounds the text of a line.
func (l *linter) layout(line []byte) {
	if l.lines.bom {
		l.warn("byte order mark")
	}
	if l.lines.crlf && !l.crlf {
		l.crlf = true
		l.warn("line ends in CRLF (told once)")
	}
	switch text := bytes.Trim(line, blanks); {
	case len(text) == 0:
		l.warn("blank line")
	case len(text) < len(line):
		l.warn("blanks around the line")
	}
}

// alternative looks at an alternative.
func (l *linter) alternative(text string) {
	if strings.HasPrefix(text, "#") {
		l.warn("comment: an alternative that always fails")
		return
	}
	a, err := ParseAlternative(text)
	if err != nil {
		l.warn(err.Error() + ": an alternative that always fails")
		return
	}
	for _, msg := range judge(a.URL) {
		l.warn(msg)
	}
	if !strings.Contains(text, "#") {
		return
	}
	if a.Digest == nil && a.Size < 0 {
		l.warn("fragment: nothing known in it")
		return
	}
	l.warn("fragment: digest or size, an extension that other readers ignore")
}

// judge tells what is wrong with a URL without fragment.
func judge(ref string) []string {
	u, err := parse(ref)
	switch {
	case err != nil:
		return []string{err.Error() + ": an alternative that always fails"}
	case u.Host == "" && (u.Scheme == "http" || u.Scheme == "https"):
		return []string{"URL without host: an alternative that always fails"}
	}
	return append(judgeScheme(u.Scheme), judgeCharacters(ref)...)
}

func judgeScheme(scheme string) []string {
	switch scheme {
	case "":
		return []string{"relative reference"}
	case "http", "https", "file":
		return nil
	}
	return []string{fmt.Sprintf("scheme %q: other readers may not know it", scheme)}
}

// noURL are the characters of ASCII, beside blanks and controls, that RFC 3986 has no place for.
const noURL = "\"<>\\^`{|}"

// judgeCharacters looks for what would have to be escaped.
func judgeCharacters(ref string) []string {
	var msgs []string
	if strings.ContainsAny(ref, blanks) {
		msgs = append(msgs, "blanks in the URL")
	}
	if strings.ContainsFunc(ref, func(r rune) bool { return r > unicode.MaxASCII }) {
		msgs = append(msgs, "characters beyond ASCII in the URL")
	}
	found := strings.Map(func(r rune) rune {
		if strings.ContainsRune(ref, r) {
			return r
		}
		return -1
	}, noURL)
	if found != "" {
		msgs = append(msgs, "characters in the URL that none may have: "+found)
	}
	return msgs
}

// end looks at what only the end shows.
func (l *linter) end() {
	switch {
	case l.size.alternatives > 0:
	case l.marked > 0:
		l.warnAt(l.marked, "part without alternatives")
	case l.separator > 0:
		l.warnAt(l.separator, "separator behind the last part")
	}
}
