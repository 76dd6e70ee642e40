package main

import (
	"errors"
	"io"
	"unicode/utf8"
)

// errBinary keeps what is no text from a terminal.
var errBinary error = &hintedError{errors.New("write stdout: this looks like binary data, and stdout is a terminal"),
	"--force writes it anyway; spate get, or > FILE, writes it to a file"}

// sniffLen is how much of the beginning is looked at.
const sniffLen = 4096

// textOnly passes text on to w and refuses to begin with anything else. It looks at the first bytes alone and holds
// nothing back.
type textOnly struct {
	w    io.Writer
	seen int
	tail []byte // of the last write: the beginning of a character
}

func (t *textOnly) Write(p []byte) (int, error) {
	if t.seen < sniffLen {
		head := p[:min(len(p), sniffLen-t.seen)]
		text := append(t.tail, head...)
		t.tail = cutRune(text)
		if !isText(text[:len(text)-len(t.tail)]) {
			return 0, errBinary
		}
		t.tail = append([]byte(nil), t.tail...)
		t.seen += len(head)
	}
	return t.w.Write(p)
}

// cutRune is the beginning of a character at the end of p that may go on in what follows; empty if there is none.
func cutRune(p []byte) []byte {
	for i := len(p) - 1; i >= 0 && i >= len(p)-utf8.UTFMax; i-- {
		if utf8.RuneStart(p[i]) {
			if utf8.FullRune(p[i:]) {
				return nil
			}
			return p[i:]
		}
	}
	return nil
}

// isText tells whether p is UTF-8 without control characters other than those of text and of colours.
func isText(p []byte) bool {
	for _, c := range p {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != '\b' && c != 0x1b || c == 0x7f {
			return false
		}
	}
	return utf8.Valid(p)
}
