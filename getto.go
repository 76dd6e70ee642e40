package spate

import (
	"context"
	"encoding/hex"
	"io"

	"spate/assemble"
	"spate/event"
	"spate/fetch"
	"spate/format/checksum"
	"spate/source"
	"spate/source/budget"
)

// maxWindow is how much of an object that is handed on is read ahead at most: less than 64 MiB are to do for all of a process.
const maxWindow = 24 << 20

// GetTo hands the stream of url on to w, in order, as [Client.Get] would write it to a file: what is no manifest, and not local, is
// fetched over several connections and from all Mirrors. So much of it is in memory as w has not taken, at most Options.Budget and
// 24 MiB, 1 MiB at least; while w takes nothing, nothing more is read. A sequence is handed on as it is, and so is the only
// file that a Metalink file describes; several are an error.
//
// What was handed on is final, each byte was once. Pieces that a Metalink file promises are checked before, all other digests when
// the stream is over: a nil error means that all of it was right. The errors are those of Get; one of w ends the call and is
// returned as it is. A Write that does not return holds GetTo up, also beyond the end of ctx.
//
// Of the options those that are about files mean nothing: Dir, NoContentDisposition, IfExists, Sequence, RemoteTime, VerifyAll,
// Refreshed and Order; of Limits so does Files. Of the Result Bytes and SHA256 are those of what w has taken, the latter where that is
// all; there are no Paths, no Part, and no Files.
func (c *Client) GetTo(ctx context.Context, w io.Writer, url string, opts *GetOptions) (*Result, error) {
	g := c.getter(url, "", opts)
	g.w, g.opts.Sequence = w, SeqOff
	return g.get(ctx)
}

// window is how much of an object is held in memory that is handed on; 0: none is, it goes to a file.
func (g *getter) window() int64 {
	if g.w == nil {
		return 0
	}
	memory := budget.Budget{Max: g.c.Options.Budget}
	size := min(memory.Limit(), maxWindow)
	if most, _ := g.opts.Limits.most(); most > 0 {
		size = min(size, most)
	}
	return max(size, 1)
}

// objectTo hands an object on. It is errOrdered, and nothing was handed on, if the URL is that of a manifest.
func (g *getter) objectTo(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	o, err := g.openDescribed(ctx)
	if err != nil {
		return err
	}
	defer o.Close()
	if err := g.opts.Limits.admits(o.Info().Size); err != nil {
		return err
	}
	agree := g.sample(ctx, cancel, o.Info().Size)
	defer agree.end()
	out := &handed{w: g.w, sample: agree.off, kept: make([]byte, 0, agree.n)}
	done, err := o.Stream(g.opts.Limits.writer(out))
	g.count(done)
	if err == nil {
		err = agree.with(out)
	}
	return g.handedOn(out, g.sumOf(done), err)
}

// streamTo hands on the stream of a manifest, or of what is local.
func (g *getter) streamTo(ctx context.Context) error {
	begin := func(info source.Info, manifest bool) (*assemble.Prior, error) {
		if !manifest {
			g.holdDigest(info)
		}
		return nil, g.opts.Limits.admits(info.Size)
	}
	s, err := g.c.open(ctx, g.url, call{begin: begin, events: g.sink()})
	if err != nil {
		return err
	}
	defer g.close(s)
	set, err := g.promised()
	if err == nil && !g.opts.NoDigest {
		err = set.Compute(checksum.SHA256)
	}
	var pieces *fetch.PieceChecker
	if err == nil && g.pieces != nil {
		pieces, err = g.pieces.Checker(-1)
	}
	if err != nil {
		return err
	}
	out := &handed{w: g.w, pieces: pieces, sums: set}
	if _, err = s.WriteTo(g.opts.Limits.writer(out)); err == nil {
		err = out.end()
	}
	if err == nil {
		err = g.hasSize(out.Size())
	}
	var whole []byte
	if sum, ok := set.Sum(checksum.SHA256); ok && !g.opts.NoDigest {
		whole = sum.Value
	}
	return g.handedOn(out, whole, g.corrupt(err))
}

// handedOn tells what was handed on, and that it is all if err is nil.
func (g *getter) handedOn(out *handed, sum []byte, err error) error {
	g.done.Bytes = out.Size()
	if err != nil {
		return err
	}
	g.done.SHA256 = sum
	g.tell(event.Event{Type: event.File, Bytes: out.Size(), SHA256: hex.EncodeToString(sum)})
	return nil
}

// A handed is who a stream is handed on to, and what is known of it.
type handed struct {
	w      io.Writer
	n      int64
	pieces *fetch.PieceChecker // nil: none are to be checked here
	sums   *checksum.Set       // nil: none are computed here
	sample int64               // from where on
	kept   []byte              // is kept, as much as it has room for
}

// Size is how much was handed on.
func (h *handed) Size() int64 { return h.n }

// Write hands p on.
func (h *handed) Write(p []byte) (int, error) {
	if h.pieces != nil {
		if _, err := h.pieces.Write(p); err != nil {
			return 0, err
		}
	}
	n, err := h.w.Write(p)
	if h.sums != nil {
		h.sums.Write(p[:n])
	}
	h.keep(p[:n])
	h.n += int64(n)
	return n, err
}

// keep keeps what p, which is next, has of the sample.
func (h *handed) keep(p []byte) {
	room := int64(cap(h.kept) - len(h.kept))
	from := h.sample + int64(len(h.kept)) - h.n
	if end := min(int64(len(p)), from+room); room > 0 && from < end {
		h.kept = append(h.kept, p[from:end]...)
	}
}

// end compares what was handed on with what was promised of it.
func (h *handed) end() error {
	if h.pieces != nil {
		if err := h.pieces.End(); err != nil {
			return err
		}
	}
	return h.sums.Verify()
}

// ReadAt reads of the sample that was kept.
func (h *handed) ReadAt(p []byte, off int64) (int, error) {
	n := copy(p, h.kept[min(max(off-h.sample, 0), int64(len(h.kept))):])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
