package manifest

import (
	"io"
)

// A Part of a stream: where its bytes can be found.
type Part struct {
	// Alternatives are the part's URL references in the order in which they are tried, as the manifest spells
	// them: without blanks around them, neither resolved nor checked. There is at least one. They share one
	// allocation: who keeps one of them for long may want to clone it.
	Alternatives []string

	// Cacheable tells that the part is marked "(*)".
	Cacheable bool

	// Line is the number of the part's first line that is not blank, from 1.
	Line int

	// End is the offset in the manifest, in bytes, just behind the part and the line of its separator: reading can
	// be taken up there by [NewDecoderAt]. For the last part it is the length of the manifest.
	End int64
}

// A Decoder reads a manifest part by part. It is lazy: a part is returned as soon as the line of its separator has been
// read, and no more is asked of the reader than that takes, other than what a single Read happens to return (up to
// 4 KiB). A manifest may therefore be endless.
//
// A Decoder must not be used by several goroutines at once.
type Decoder struct {
	lines lines
	err   error // what every Next to come returns

	off  int64 // see Pos
	line int

	text []byte // of the part being read: its alternatives, one behind the other
	ends []int  // where each of them ends in text
}

// NewDecoder returns a Decoder of the manifest that r holds.
func NewDecoder(r io.Reader) *Decoder { return NewDecoderAt(r, 0, 1) }

// NewDecoderAt returns a Decoder that takes a manifest up at offset off, from which r reads and which is the start of line
// number line: what [Decoder.Pos] told. The parts it returns are those that the first Decoder would have
// returned, with the same Line and End. A BOM is ignored only where off is 0.
func NewDecoderAt(r io.Reader, off int64, line int) *Decoder {
	return &Decoder{lines: newLines(r, off, line), off: off, line: line}
}

// Next returns the next part. Parts without alternatives are passed over. At the end of the manifest, and only if the
// reader ended with [io.EOF] itself, it returns io.EOF.
//
// A line or a part beyond the limits is a [*SyntaxError]. Errors of the reader, [io.ErrUnexpectedEOF] among them, are
// wrapped together with the number of the line; what had been read of the part is dropped, and [Decoder.Pos] tells
// where it began. After an error every call returns that error again.
func (d *Decoder) Next() (Part, error) {
	for d.err == nil {
		var p Part
		p, d.err = d.part()
		if len(p.Alternatives) > 0 {
			d.off, d.line = p.End, d.lines.num+1
			return p, nil
		}
	}
	return Part{}, d.err
}

// Pos tells where the next part starts: the offset in the manifest and the number of the line, as [NewDecoderAt] takes
// them. The offset is the End of the part that Next returned last.
func (d *Decoder) Pos() (off int64, line int) { return d.off, d.line }

// part reads up to the next separator or the end. At the end it returns both the last part and io.EOF; other errors
// come without a part.
func (d *Decoder) part() (Part, error) {
	var p Part
	var size size
	d.text, d.ends = d.text[:0], d.ends[:0]
	for {
		line, err := d.lines.next()
		if err == io.EOF || err == nil && isSeparator(line) {
			p.Alternatives, p.End = d.alternatives(), d.lines.off
			return p, err
		}
		if err != nil {
			return Part{}, err
		}
		alternative, marked := entry(line)
		p.Cacheable = p.Cacheable || marked
		if p.Line == 0 && (marked || len(alternative) > 0) {
			p.Line = d.lines.num
		}
		if len(alternative) == 0 {
			continue
		}
		if err := size.add(len(alternative)); err != nil {
			return Part{}, &SyntaxError{d.lines.num, err}
		}
		d.text = append(d.text, alternative...)
		d.ends = append(d.ends, len(d.text))
	}
}

// alternatives copies those of the part just read: two allocations, whatever their number.
func (d *Decoder) alternatives() []string {
	if len(d.ends) == 0 {
		return nil
	}
	text, start := string(d.text), 0
	list := make([]string, len(d.ends))
	for i, end := range d.ends {
		list[i], start = text[start:end], end
	}
	return list
}
