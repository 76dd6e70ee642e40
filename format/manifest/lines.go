package manifest

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
)

// The limits of a manifest. They bound what a [Decoder] holds in memory at any time, whatever it reads.
const (
	MaxLine         = 64 << 10 // bytes of a line, without its line end (LF or CRLF) and a BOM in front of it
	MaxPart         = 1 << 20  // bytes of a part's alternatives, without blanks, marks and line ends
	MaxAlternatives = 1 << 16  // of a part
)

const (
	bom       = "\uFEFF"
	blanks    = " \t\r"
	separator = "--"
	mark      = "(*)"
)

var (
	errLongLine     = fmt.Errorf("line of more than %d bytes", MaxLine)
	errLargePart    = fmt.Errorf("part of more than %d bytes", MaxPart)
	errAlternatives = fmt.Errorf("part of more than %d alternatives", MaxAlternatives)
)

// A SyntaxError tells which line breaks a limit of the format, and which limit.
type SyntaxError struct {
	Line int // from 1
	Err  error
}

// Error reads "manifest line N: cause".
func (e *SyntaxError) Error() string { return fmt.Sprintf("manifest line %d: %v", e.Line, e.Err) }

// Unwrap returns the cause.
func (e *SyntaxError) Unwrap() error { return e.Err }

// lines splits a manifest into lines and knows where it is.
type lines struct {
	br   *bufio.Reader
	long []byte // holds a line that is larger than the buffer of br
	off  int64  // in the manifest, behind the last line
	num  int    // of the last line, from 1
	eof  bool

	bom, crlf bool // of the last line
}

func newLines(r io.Reader, off int64, num int) lines {
	// The small buffer is deliberate: a walk may hold many manifests open, and lines are short.
	return lines{br: bufio.NewReaderSize(r, 4<<10), off: off, num: num - 1}
}

// next returns the next line without its line end, valid until the next call. At a clean end of the manifest it
// returns io.EOF. Other errors of the reader tell the line and lose what was read of it.
func (l *lines) next() ([]byte, error) {
	if l.eof {
		return nil, io.EOF
	}
	raw, err := l.read()
	switch {
	case err == bufio.ErrBufferFull:
		return nil, &SyntaxError{l.num + 1, errLongLine}
	case err == io.EOF: // a wrapped one is no clean end
		l.eof = true
		if len(raw) == 0 {
			return nil, io.EOF
		}
	case err != nil:
		return nil, fmt.Errorf("manifest line %d: %w", l.num+1, err)
	}
	return l.strip(raw)
}

// strip moves on behind raw and takes the BOM and the line end off.
func (l *lines) strip(raw []byte) ([]byte, error) {
	text := raw
	l.bom = false
	if l.off == 0 {
		text, l.bom = bytes.CutPrefix(text, []byte(bom))
	}
	l.off += int64(len(raw))
	l.num++
	text = bytes.TrimSuffix(text, []byte("\n"))
	text, l.crlf = bytes.CutSuffix(text, []byte("\r"))
	if len(text) > MaxLine {
		return nil, &SyntaxError{l.num, errLongLine}
	}
	return text, nil
}

// read returns the octets up to and including the next LF. It returns bufio.ErrBufferFull if there is no LF within
// the longest line there may be, having read no more than a buffer beyond it.
func (l *lines) read() ([]byte, error) {
	const longest = len(bom) + MaxLine + len("\r\n")
	raw, err := l.br.ReadSlice('\n')
	if err != bufio.ErrBufferFull {
		return raw, err
	}
	l.long = append(l.long[:0], raw...)
	for err == bufio.ErrBufferFull && len(l.long) <= longest {
		raw, err = l.br.ReadSlice('\n')
		l.long = append(l.long, raw...)
	}
	return l.long, err
}

// size is what counts against the limits of a part.
type size struct{ bytes, alternatives int }

// add counts an alternative of n bytes.
func (s *size) add(n int) error {
	s.bytes += n
	s.alternatives++
	switch {
	case s.bytes > MaxPart:
		return errLargePart
	case s.alternatives > MaxAlternatives:
		return errAlternatives
	}
	return nil
}

// entry takes a line apart: marked tells whether it begins with a mark, alternative is what is left, empty for none.
func entry(line []byte) (alternative []byte, marked bool) {
	line = bytes.Trim(line, blanks)
	for bytes.HasPrefix(line, []byte(mark)) {
		line, marked = bytes.TrimLeft(line[len(mark):], blanks), true
	}
	return line, marked
}

// isSeparator tells whether a line separates parts.
func isSeparator(line []byte) bool { return string(bytes.Trim(line, blanks)) == separator }
