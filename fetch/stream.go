package fetch

import (
	"errors"
	"io"

	"spate/format/checksum"
	"spate/source"
)

// minWindow is the least that a stream can do with.
const minWindow = 1 << 20

var errNoWindow = errors.New("opened to be written to a file")

// Stream hands the object on to w, in order. It uses the Object up, which must have been opened with a Window.
//
// Connections and mirrors are used as they are by [Object.To], but nobody reads further ahead than the Window of what w has
// taken: who takes nothing holds the network up, for as long as he wants. What was handed on is final:
//
//   - With Pieces only those are handed on that have their digest. Where a Window holds no two of them, or no size is told, each is
//     checked on its way: the stream ends before the end of one that is wrong, or behind it where it is the last one and no size is
//     told, with an error that is [source.ErrCorrupt].
//   - A whole that is not as was promised, by Checksums or by the first answer, is an error that is [source.ErrCorrupt] once all is
//     handed on.
//   - Where a mirror proves to have other bytes than the first, and some of what it gave was handed on, that is an error that is
//     [source.ErrChanged].
//   - Where all has to be read again, from an origin without ranges, what was handed on is compared and not handed on again. If it
//     differs, that is an error that is [source.ErrChanged].
//
// An error of w ends everything, and is returned as it is. A Write that does not return holds Stream up, also beyond the end of the
// context. Done is told in any case; its Size is how much w has taken.
func (o *Object) Stream(w io.Writer) (*Done, error) {
	if o.quick != nil || o.d.opts.Window <= 0 {
		return &Done{}, errors.Join(errNoWindow, o.Close())
	}
	o.over = true
	var h *handing
	done, err := o.d.run(func() (err error) {
		h, err = o.d.prepareStream(w)
		return err
	})
	if h != nil {
		done.Size = h.high
	}
	return done, err
}

// window is how many bytes of a stream are in memory at most.
func (o *ObjectOptions) window() int64 { return max(o.Window, minWindow) }

// piecewise reports whether pieces are checked before anything is made of them: those of a stream are to fit into its window.
func (o *ObjectOptions) piecewise() bool {
	return o.Pieces != nil && (o.Window <= 0 || o.Pieces.Length <= o.window()/2)
}

// prepareStream makes all ready for the first byte of a stream.
func (d *driver) prepareStream(w io.Writer) (*handing, error) {
	h, err := d.newHanding(w)
	if err != nil {
		return nil, err
	}
	win, g := newWindow(d.memory), newDigester(h)
	g.file, g.free, g.hold, g.told = win, d.recycle, 0, d.tellTaken
	g.final, g.gate.fixed, g.gate.ahead = true, true, d.opts.window()
	win.pass, win.voided, win.retract, win.drop = func(b block) { g.add(b.off, b.b) }, g.restart, g.retract, d.recycle
	d.mu.Lock()
	g.lap = d.lap
	g.seal(d.size)
	d.digest, d.window, d.handing = g, win, h
	if h.pieces == nil && d.opts.Pieces != nil {
		d.checks = d.newVerifier(win)
		win.pass, win.voided = d.checks.add, d.checks.restart
	}
	d.target = win
	d.mu.Unlock()
	d.startDigests()
	d.tellBegin()
	return h, nil
}

func (d *driver) newHanding(w io.Writer) (*handing, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var err error
	if d.sums, err = d.opts.digests(d.told()); err != nil {
		return nil, err
	}
	if d.sums == nil {
		d.sums = new(checksum.Set)
	}
	h := newHanding(d.outer, w, d.sums)
	if d.opts.Pieces != nil && (!d.opts.piecewise() || d.size < 0) { // what has no known end is not known to be a piece
		h.pieces, err = d.opts.Pieces.Checker(d.size)
	}
	h.wrong = d.wrongStream
	return h, err
}

// wrongStream is why a stream cannot be gone on with.
func (d *driver) wrongStream(cause error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if errors.Is(cause, errOtherNow) || errors.Is(cause, errShorter) {
		return &source.Error{Op: "read", URL: d.mirrors[d.anew].URL, Kind: source.KindChanged, Err: cause}
	}
	return d.corrupt(d.first, cause)
}
