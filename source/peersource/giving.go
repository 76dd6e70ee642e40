package peersource

import (
	"context"
	"errors"
	"hash/crc64"
	"io"
	"net"
	"slices"
	"time"

	"spate/source"
	"spate/source/driver"
	"spate/swarm/peer"
)

// endTime is how long a peer has to end what is whole by its size. Some wait until the other side closes.
const endTime = time.Second

// A giving is a chunk as one giver sends it.
type giving struct {
	src    *Source
	from   giver
	remote string // the address that it proved to have
	body   io.ReadCloser
	watch  *driver.Watch
	err    error // of the last Read, and of all that follow
	begun  []byte
	room   [1]byte
	timer  *time.Timer        // ends it; nil: nothing does
	cancel context.CancelFunc // nil: there is nothing to cancel
}

// ask asks from for a chunk, and returns once it has begun to send.
func (s *Source) ask(ctx context.Context, from giver, chunk int) (*giving, error) {
	ctx, w := driver.NewWatch(ctx)
	g := &giving{src: s, from: from, watch: w}
	s.givers.begin(from)
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		w.Wait("no connection within", s.times.Connect)
		c, err := s.dialer().DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		g.remote = c.RemoteAddr().String()
		w.Wait("no answer within", s.times.Header)
		return c, nil
	}
	var err error
	g.body, err = peer.OpenChunk(ctx, dial, from, chunk)
	w.Done()
	if err != nil {
		err = w.Abandon(err)
		s.givers.end(from, isGiverFault(err))
		return nil, err
	}
	return g, nil
}

// isGiverFault tells whether err is a reason to ask others first. That a giver lacks one chunk says nothing of the next, and
// that nobody wants its bytes any more, nothing at all.
func isGiverFault(err error) bool {
	return err != nil && !errors.Is(err, peer.ErrNoChunk) && !errors.Is(err, context.Canceled)
}

// Read ends with io.EOF where the giver has ended it.
func (g *giving) Read(p []byte) (int, error) {
	if len(g.begun) > 0 {
		n := copy(p, g.begun)
		g.begun = g.begun[n:]
		return n, nil
	}
	return g.read(p, "silent for", g.src.times.Idle)
}

func (g *giving) read(p []byte, what string, limit time.Duration) (int, error) {
	if g.err != nil {
		return 0, g.err
	}
	g.watch.Wait(what, limit)
	n, err := g.body.Read(p)
	g.watch.Done()
	if e := g.watch.Interrupted(); e != nil && err != io.EOF {
		err = e
	}
	g.err = err
	return n, err
}

// next waits for one more byte, which the next Read has. It reports io.EOF if there is none.
func (g *giving) next(what string, limit time.Duration) error {
	if len(g.begun) > 0 {
		return nil
	}
	for {
		n, err := g.read(g.room[:], what, limit)
		if n > 0 {
			g.unread(g.room[:])
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// unread has p, which was read last, read again.
func (g *giving) unread(p []byte) { g.begun = append(slices.Clone(p), g.begun...) }

// stay is for one that was to end after a while: it does not.
func (g *giving) stay() {
	if g.timer != nil {
		g.timer.Stop()
	}
}

// exceeds tells whether there is more than what was read. Who does not say within a while has sent all that it has.
func (g *giving) exceeds() bool { return g.next("no end within", endTime) == nil }

// skip reads n bytes again that have the checksum sum, or should.
func (g *giving) skip(n int64, sum uint64) error {
	h := crc64.New(crcTable)
	got, err := io.Copy(h, io.LimitReader(g, n))
	switch {
	case err != nil:
		return err
	case got < n:
		return errShort
	case h.Sum64() != sum:
		return errDiffers
	}
	return nil
}

// end closes it; err is why, nil if it is not the giver's fault.
func (g *giving) end(err error) {
	_ = g.body.Close() // of what was only read
	g.watch.Kill()
	g.watch.End()
	g.stay()
	if g.cancel != nil {
		g.cancel()
	}
	g.src.givers.end(g.from, isGiverFault(err))
}

var crcTable = crc64.MakeTable(crc64.ECMA)

var (
	errShort   = errors.New("ended before the chunk was whole")
	errLong    = errors.New("the chunk is longer than its size in the URL")
	errLiars   = errors.New("all who have it have sent other bytes than two others")
	errDiffers = errors.New("other bytes than another peer has sent")
)

// failure classes what became of asking one giver.
func failure(err error) *source.Error {
	if e, ok := errors.AsType[*source.Error](err); ok {
		return e
	}
	kind := source.KindNetwork
	switch {
	case errors.Is(err, peer.ErrNoChunk):
		kind = source.KindStatus
	case errors.Is(err, errDiffers):
		kind = source.KindCorrupt
	case errors.Is(err, errLong):
		kind = source.KindChanged
	case driver.IsTimeout(err):
		kind = source.KindTimeout
	}
	return driver.Classed(kind, err)
}
