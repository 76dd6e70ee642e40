package assemble

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/crc64"
	"io"
	"slices"

	"spate/source"
)

// A Place says where bytes of the stream come from: those from At on are those of URL from Off on.
type Place struct {
	At        int64  // in the stream
	Part      int64  // its number: how many parts that are data come before it
	Off       int64  // in the part
	URL       string // as it was asked for
	Validator string // of its answer; "" for none
	Manifest  string // that lists the part; "" for what the caller asked for
	Line      int64  // of the part there
}

// begin is where the part begins in the stream.
func (p *Place) begin() int64 { return p.At - p.Off }

// A Prior is the beginning of a stream that was read before, by somebody who was told of the Places.
type Prior struct {
	Size   int64       // bytes
	Bytes  io.ReaderAt // has them
	Places []Place     // in the order of their telling; some may be missing, but of those that tell of Bytes not the last
	// Spell is how the URLs of Places are written, where that is not as they were told; nil: it is.
	Spell func(url string) string
}

var (
	errOtherStream = errors.New("the manifest is not as it was when the stream was left: it lists other parts")
	errOtherPart   = errors.New("it is not what was read when the stream was left")
	errEndsBefore  = errors.New("the stream ends before what is there of it")
)

// A passage is the walk past the parts that are there already. It has every part's beginning, and knows the end of some
// from the places: of these nothing is asked for. Of others the size is, and no more.
type passage struct {
	*Prior
	off  int64 // where the next part begins
	part int64 // its number
	over bool  // the next part was reached whose bytes are not all there, or not known to be
}

// passing reports whether the next part may be one to pass.
func (p *passage) passing() bool { return p != nil && !p.over && p.off < p.Size }

func (p *passage) spell(url string) string {
	if p.Spell == nil {
		return url
	}
	return p.Spell(url)
}

// of are the places of the next part. known tells that there are some for its number, wherever they say that it begins.
func (p *passage) of() (places []Place, known bool) {
	for _, at := range p.Places {
		if at.Part == p.part {
			known = true
			if at.begin() == p.off {
				places = append(places, at)
			}
		}
	}
	return places, known
}

// end is where the next part ends, by the place of its successor; -1 where that was not told.
func (p *passage) end() int64 {
	for i, at := range p.Places[:max(len(p.Places)-1, 0)] {
		next := &p.Places[i+1]
		if at.Part == p.part && at.begin() == p.off && next.Part == at.Part+1 && next.Off == 0 {
			return next.At
		}
	}
	return -1
}

// isLast reports whether nothing was told of what is behind the next part: what is there ends in it.
func (p *passage) isLast() bool {
	n := len(p.Places)
	return n > 0 && p.Places[n-1].Part == p.part && p.Places[n-1].begin() == p.off
}

// isEnd reports whether what is there may end within the next part, or with it. That it does not is known only where nothing
// is missing between the place of the last byte and the next one.
func (p *passage) isEnd() bool {
	last := -1
	for i, at := range p.Places {
		if at.At < p.Size {
			last = i
		}
	}
	if last < 0 {
		return true
	}
	at := &p.Places[last]
	if last+1 < len(p.Places) {
		next := &p.Places[last+1]
		if next.begin() != at.begin() && (next.Part != at.Part+1 || next.Off != 0) {
			return true
		}
	}
	return at.Part == p.part && at.begin() == p.off
}

// lists reports whether the next part, which is c, was read from one of its alternatives, reached by the same line of the same
// manifest.
func (p *passage) lists(c *cont) bool {
	places, _ := p.of()
	return slices.ContainsFunc(places, func(at Place) bool {
		return at.Line == int64(c.part.Line) && at.Manifest == p.spell(c.manifest()) && p.names(c, at.URL)
	})
}

// names reports whether url, as places spell it, is that of an alternative of c.
func (p *passage) names(c *cont, url string) bool {
	return slices.ContainsFunc(c.part.Alternatives, func(line string) bool {
		to, err := resolveTarget(c.base(), line)
		return err == nil && p.spell(to.url) == url
	})
}

// manifest is the URL of the manifest that lists c, as it was asked for.
func (c *cont) manifest() string {
	if c.doc == nil {
		return ""
	}
	return c.doc.to.url
}

// known is how long the next part is, as far as can be told without asking for it, -1 if that is not known; inside tells
// that what is there ends within it.
func (p *passage) known(c *cont) (size int64, inside bool) {
	if p.lists(c) {
		end := p.end()
		switch {
		case end > p.Size || end < 0 && p.isLast():
			return -1, true
		case end >= 0:
			return end - p.off, false
		}
	}
	if _, told := p.of(); told {
		return -1, false
	}
	size = p.promised(c)
	return size, p.off+size > p.Size
}

// promised is the size that all alternatives of c promise, -1 if they do not: which of them was read is not known.
func (p *passage) promised(c *cont) int64 {
	size := int64(-1)
	for i, line := range c.part.Alternatives {
		to, err := resolveTarget(c.base(), line)
		if err != nil || to.size < 0 || i > 0 && to.size != size {
			return -1
		}
		size = to.size
	}
	return size
}

// check compares an answer for the next part, c, with what was told of it.
func (p *passage) check(c *cont, url string, info source.Info) error {
	places, told := p.of()
	switch {
	case told && len(places) == 0, p.reaches(info.Size) && !p.isEnd():
		return changed(url, errOtherStream)
	case !told:
		return nil
	}
	end, listed := p.end(), false
	for i := range places {
		at := &places[i]
		listed = listed || at.URL == "" || at.Manifest != p.spell(c.manifest()) || p.names(c, at.URL)
		if at.URL == p.spell(url) && at.isOther(info) {
			return changed(url, errOtherPart)
		}
	}
	switch {
	case !listed:
		return changed(url, errOtherStream)
	case end >= 0 && info.Size >= 0 && p.off+info.Size != end:
		return changed(url, fmt.Errorf("size was %d, is %d", end-p.off, info.Size))
	}
	return nil
}

// reaches reports whether a part of that size has the last byte of what is there.
func (p *passage) reaches(size int64) bool { return size >= 0 && p.off+size >= p.Size }

// isOther reports whether info is known to be of other bytes.
func (p *Place) isOther(info source.Info) bool {
	was := source.Info{Validator: p.Validator}
	return was.Validator != "" && info.Validator != "" && !info.HasValidatorOf(&was)
}

func changed(url string, err error) error {
	return &source.Error{Op: "open", URL: url, Kind: source.KindChanged, Err: err}
}

// compareLen is how much of what is there is compared with an alternative of which it is not known to be.
const compareLen = 1 << 20

// A resumption is a part of which the beginning is there.
type resumption struct {
	*passage
	begin  int64   // of the part, in the stream
	places []Place // of the part
}

// have is how much of the part is there.
func (r *resumption) have() int64 { return r.Size - r.begin }

// tally makes t that of who has read what is there of the part.
func (r *resumption) tally(ctx context.Context, t *tally, withSHA bool) error {
	*t = tally{hasCRC: true}
	if withSHA {
		t.sha = sha256.New()
	}
	return readPrior(ctx, r.Prior, r.begin, r.Size, t.add)
}

// check makes sure that what p is open for is what was read before: by its validator, else by the end of what is there. What
// was read again from its first byte was compared already.
func (r *resumption) check(ctx context.Context, o *opener, p *pull) error {
	url := r.spell(p.to.url)
	for i := len(r.places) - 1; i >= 0; i-- {
		at := &r.places[i]
		if at.URL != url || at.Validator == "" {
			continue
		}
		was := source.Info{Validator: at.Validator}
		if at.isOther(p.first) {
			return changed(p.to.url, errOtherPart)
		}
		if was.HasStrongValidator() && p.first.HasStrongValidator() {
			return nil
		}
	}
	if p.res.Off == 0 {
		return nil
	}
	return r.compare(ctx, o, p)
}

// compare fetches the end of what is there of the part once more.
func (r *resumption) compare(ctx context.Context, o *opener, p *pull) error {
	n := min(r.have(), compareLen)
	o.opens.Add(1)
	res, err := o.src.Open(p.to.context(ctx), p.to.url, source.Range{Off: r.have() - n, Len: n})
	if err != nil {
		return err
	}
	defer res.Body.Close()
	there, now := make([]byte, n), make([]byte, n)
	if _, err := r.Bytes.ReadAt(there, r.Size-n); err != nil && err != io.EOF {
		return err
	}
	if res.Off == 0 && r.have() > n {
		return p.fault("open", source.KindProtocol, errNoRange)
	}
	if _, err := io.ReadFull(res.Body, now); err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return err
	}
	if !bytes.Equal(there, now) {
		return changed(p.to.url, errOtherPart)
	}
	return nil
}

// readPrior hands the bytes from off to end to f.
func readPrior(ctx context.Context, p *Prior, off, end int64, f func([]byte)) error {
	buf := make([]byte, min(maxBlock, max(end-off, 0)))
	for off < end {
		if err := ctx.Err(); err != nil {
			return err
		}
		b := buf[:min(int64(len(buf)), end-off)]
		if n, err := p.Bytes.ReadAt(b, off); n < len(b) {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
		f(b)
		off += int64(len(b))
	}
	return nil
}

// sumMarks sets the sums of marks of what is there, of which the first may have any, and returns the one at the end of it.
func (p *passage) sumMarks(ctx context.Context, marks []*mark) (uint64, error) {
	slices.SortFunc(marks, func(a, b *mark) int { return int(min(max(a.off-b.off, -1), 1)) })
	var crc uint64
	add := func(b []byte) { crc = crc64.Update(crc, crcTable, b) }
	for i, m := range marks {
		m.crc = crc
		end := p.Size
		if i+1 < len(marks) {
			end = marks[i+1].off
		}
		if err := readPrior(ctx, p.Prior, m.off, end, add); err != nil {
			return 0, err
		}
	}
	return crc, nil
}
