package content

import (
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
)

// blockSize is how much is read of an object, and written, at a time. It is memory for each client that reads. So where many do, the
// others make do with less, which costs more system calls: a thousand take 23 MiB.
const (
	blockSize     = 128 << 10
	mostBlocks    = 64
	lessBlockSize = 16 << 10
)

// The digest of an answer that is no longer than this stands in its header.
const mostDigested = 64 << 10

// blocks are used again: with one for each request most of what a server allocates would be these.
var blocks = struct {
	full, less sync.Pool
	inUse      atomic.Int32 // of the full ones
}{
	full: sync.Pool{New: func() any { return new([blockSize]byte) }},
	less: sync.Pool{New: func() any { return new([lessBlockSize]byte) }},
}

// takeBlock returns a block for an answer of length bytes, below 0: nobody knows. Give it back.
func takeBlock(length int64, isWhole bool) (block []byte, giveBack func()) {
	if !isWhole && (0 <= length && length <= lessBlockSize || blocks.inUse.Load() >= mostBlocks) {
		b := blocks.less.Get().(*[lessBlockSize]byte)
		return b[:], func() { blocks.less.Put(b) }
	}
	blocks.inUse.Add(1)
	b := blocks.full.Get().(*[blockSize]byte)
	return b[:], func() {
		blocks.full.Put(b)
		blocks.inUse.Add(-1)
	}
}

// net/http holds back what is smaller than its buffers, in the hope of more. Blocks that are no larger are flushed: an
// object that gives so little has no more.
const smallBlock = 8 << 10

// send sends the answer to r: [Serve].
func (a *answer) send(w http.ResponseWriter, r *http.Request, o Object, opts *Options) error {
	digest := wantedDigest(r.Header)
	isSmall := digest != nil && a.length >= 0 && a.length <= mostDigested
	block, giveBack := takeBlock(a.length, isSmall)
	defer giveBack()
	b := &body{parts: a.parts, after: a.after, open: func(off, n int64) (io.ReadCloser, error) { return o.Open(r.Context(), off, n) }}
	defer b.close()

	n, err := b.Read(block)
	if isSmall && err == nil {
		var more int
		more, err = io.ReadFull(b, block[n:a.length])
		n += more
	}
	if err != nil && err != io.EOF {
		return err
	}
	a.setHeader(w.Header())
	if isSmall {
		digest.write(block[:n])
		w.Header().Set("Content-Digest", digest.field())
		digest = nil
	} else if !announce(w.Header(), r, digest) {
		digest = nil
	}
	w.WriteHeader(a.status)
	s := &sender{w: w, controller: http.NewResponseController(w), isLive: a.length < 0, digest: digest}
	if err := s.copy(b, block, n); err != nil {
		a.cut(w, r, opts, err)
	}
	if digest != nil {
		w.Header().Set("Content-Digest", digest.field())
	}
	return nil
}

// announce says that a digest follows in a trailer, if there is one and whoever asks keeps trailers.
func announce(h http.Header, r *http.Request, d *contentDigest) bool {
	if d == nil || !takesTrailers(r) {
		return false
	}
	h.Set("Trailer", "Content-Digest")
	if r.ProtoMajor == 1 {
		h.Del("Content-Length") // of HTTP/1.1, chunks alone have a trailer
	}
	return true
}

// cut ends the answer so that nobody takes it for whole.
func (a *answer) cut(w http.ResponseWriter, r *http.Request, opts *Options, err error) {
	if opts != nil && opts.Cut != nil {
		opts.Cut(err)
	}
	if a.length < 0 && !r.ProtoAtLeast(1, 1) {
		reset(w)
	}
	panic(http.ErrAbortHandler)
}

// reset resets the connection of an answer that ends with it, as HTTP/1.0 has it, so that the end is none.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	raw := conn
	if c, ok := raw.(interface{ NetConn() net.Conn }); ok {
		raw = c.NetConn() // of TLS, which would say goodbye
	}
	if tcp, ok := raw.(interface{ SetLinger(sec int) error }); ok {
		_ = tcp.SetLinger(0) // it fails on a connection that is gone
	}
	_ = raw.Close() // the same
}

// A sender writes to a client.
type sender struct {
	w          http.ResponseWriter
	controller *http.ResponseController
	isLive     bool // each block is flushed
	digest     *contentDigest
}

// copy writes the first n bytes of block, which were read before, and then what b has.
func (s *sender) copy(b *body, block []byte, n int) (err error) {
	for isFirst := true; ; isFirst = false {
		if n > 0 {
			if err := s.write(block[:n], isFirst || s.isLive || n <= smallBlock); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		n, err = b.Read(block)
	}
}

func (s *sender) write(p []byte, isFlushed bool) error {
	s.digest.write(p)
	if _, err := s.w.Write(p); err != nil || !isFlushed {
		return err
	}
	if err := s.controller.Flush(); !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}
