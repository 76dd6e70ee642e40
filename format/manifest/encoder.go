package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// An Encoder writes a manifest part by part: LF as line end, "(*)" on a line of its own before the alternatives, a
// separator between parts and none behind the last. What it writes a [Decoder] reads back as it was.
//
// The separator is written with the part that follows: a reader of the manifest learns that a part is complete only then,
// or at the end.
//
// An Encoder must not be used by several goroutines at once.
type Encoder struct {
	w     io.Writer
	begun bool
	buf   bytes.Buffer
	err   error // of w
}

// NewEncoder returns an Encoder that writes to w, one Write for each part.
func NewEncoder(w io.Writer) *Encoder { return &Encoder{w: w} }

// Encode writes p; its Line and End do not matter. A part without alternatives adds nothing to a stream, and nothing is
// written for it.
//
// An alternative that could not be read back is refused: an empty one, "--", one that begins with "(*)" or a BOM, that has
// blanks (SP, HT, CR) around it or an LF in it; so is a part beyond the limits. Nothing is written then and the Encoder
// stays usable. After an error of the writer every call returns that error.
func (e *Encoder) Encode(p Part) error {
	if err := writable(p); err != nil {
		return fmt.Errorf("encode manifest: %w", err)
	}
	if e.err != nil || len(p.Alternatives) == 0 {
		return e.err
	}
	e.buf.Reset()
	if e.begun {
		e.buf.WriteString(separator + "\n")
	}
	if p.Cacheable {
		e.buf.WriteString(mark + "\n")
	}
	for _, a := range p.Alternatives {
		e.buf.WriteString(a)
		e.buf.WriteByte('\n')
	}
	e.begun = true
	if _, err := e.w.Write(e.buf.Bytes()); err != nil {
		e.err = fmt.Errorf("encode manifest: %w", err)
	}
	return e.err
}

// writable tells why p could not be read back.
func writable(p Part) error {
	var size size
	for i, a := range p.Alternatives {
		err := line(a)
		if err == nil {
			err = size.add(len(a))
		}
		if err != nil {
			return fmt.Errorf("alternative %d: %w", i+1, err)
		}
	}
	return nil
}

// line tells why an alternative is no line of a manifest.
func line(alternative string) error {
	switch {
	case alternative == "":
		return errors.New("empty")
	case len(alternative) > MaxLine:
		return errLongLine
	case alternative == separator:
		return errors.New("a separator")
	case strings.HasPrefix(alternative, mark), strings.HasPrefix(alternative, bom):
		return errors.New("begins with a mark")
	case strings.Trim(alternative, blanks) != alternative:
		return errors.New("blanks around it")
	case strings.Contains(alternative, "\n"):
		return errors.New("line end in it")
	}
	return nil
}
