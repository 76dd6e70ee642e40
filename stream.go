package spate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync/atomic"

	"spate/assemble"
	"spate/event"
	"spate/internal/redact"
	"spate/source"
	"spate/source/budget"
)

// Stats is what a stream has cost so far.
type Stats = assemble.Stats

// A Stream is the bytes of a URL: those of a plain resource, or the joined parts of a manifest. Read it to io.EOF, which
// means that all of it was read; anything that is cut short ends in another error. Close it in any case.
//
// Read and WriteTo must not be called at the same time, nor from several goroutines. Close, Info and Stats may.
type Stream struct {
	r      *assemble.Reader
	url    string // as it was asked for
	cancel context.CancelFunc
	closed atomic.Bool
	meter  meter
	last   bool // its end is the end of the call
}

// Open opens url and returns once its origin has answered. The stream's bytes arrive as they are read. ctx governs the
// stream too, until it is closed.
//
// Whether url is a manifest is told by its name, the name it is redirected to, or its media type, see
// [manifest.IsManifest]. A "-seq" in url means nothing here.
func (c *Client) Open(ctx context.Context, url string) (*Stream, error) {
	s, err := c.open(ctx, url, call{events: c.Options.Events})
	if err != nil {
		return nil, err
	}
	s.last = true
	return s, nil
}

// A call is what is particular to one stream of a Client.
type call struct {
	rewind func(off int64) error // takes back what was handed on from an offset on; nil: nobody can
	begin  func(info source.Info, manifest bool) (*assemble.Prior, error)
	place  func(p assemble.Place) error
	events event.Sink
	ahead  int64 // bytes that are read ahead, at most; 0: as the Client's Options say
}

func (c *Client) open(ctx context.Context, url string, as call) (*Stream, error) {
	c.prepare()
	s := &Stream{url: url, meter: meter{sink: as.events}}
	opts := c.assembleOptions()
	opts.Events, opts.Place = as.events, as.place
	if most := c.Options.Budget; as.ahead > 0 && (most == 0 || most > as.ahead) {
		opts.Budget = &budget.Budget{Max: as.ahead}
	}
	if as.begin != nil {
		opts.Begin = func(info source.Info, manifest bool) (*assemble.Prior, error) {
			prior, err := as.begin(info, manifest)
			if prior != nil {
				s.meter.bytes = prior.Size
			}
			return prior, err
		}
	}
	if as.rewind != nil {
		opts.Rewind = func(off int64) error {
			s.meter.bytes = off
			return as.rewind(off)
		}
	}
	ctx, s.cancel = context.WithCancel(ctx)
	var err error
	if s.r, err = assemble.Open(ctx, c.src, url, opts); err != nil {
		s.cancel()
		return nil, err
	}
	s.meter.size = s.r.Info().Size
	return s, nil
}

// Info is what the origin told of the URL, after redirects. The Size of a manifest's stream is not known: -1.
func (s *Stream) Info() source.Info { return s.r.Info() }

// Stats is what the stream has cost so far.
func (s *Stream) Stats() Stats { return s.r.Stats() }

// Read reads the next bytes. After Close it fails with [fs.ErrClosed].
func (s *Stream) Read(p []byte) (int, error) {
	if s.closed.Load() {
		return 0, fs.ErrClosed
	}
	n, err := s.r.Read(p)
	s.meter.add(n)
	if err == io.EOF {
		s.meter.end(s.last)
		return n, io.EOF
	}
	return n, s.failed(err)
}

// WriteTo writes what is left of the stream to w. The error is nil where it has all of it.
func (s *Stream) WriteTo(w io.Writer) (int64, error) {
	if s.closed.Load() {
		return 0, fs.ErrClosed
	}
	n, err := s.r.WriteTo(&metered{w, &s.meter})
	if err == nil {
		s.meter.end(s.last)
	}
	return n, s.failed(err)
}

// failed is err, with the URL where it tells none, or fs.ErrClosed where it comes from Close.
func (s *Stream) failed(err error) error {
	switch {
	case err == nil:
		return nil
	case s.closed.Load():
		return fs.ErrClosed
	case isBare(err, io.ErrNoProgress), isBare(err, assemble.ErrDepth):
		return fmt.Errorf("read %s: %w", redact.URL(s.url), err)
	}
	return err
}

// isBare tells whether err is target, with reasons behind it but no place before it.
func isBare(err, target error) bool {
	return errors.Is(err, target) && strings.HasPrefix(err.Error(), target.Error())
}

// Close ends the stream: when it returns, no request, goroutine or temporary file of it is left. A Read or WriteTo that
// waits for bytes fails; one that waits for its writer is waited for. Closing again does nothing.
func (s *Stream) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	s.cancel()
	return s.r.Close()
}
