package spate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"time"

	"spate/fetch"
	"spate/source"
)

// samplePatience is how long a mirror is waited for that is only asked for a sample.
const samplePatience = 3 * time.Second

// sampleLen is how many bytes a sample has at most.
const sampleLen = 64 << 10

var errSample = errors.New("its bytes differ from those of the first URL")

// samples are what mirrors that must agree with each other have at some offset. A download may not need them all, and yet it
// is to be known whether they are mirrors.
type samples struct {
	cancel context.CancelFunc
	wg     sync.WaitGroup
	off, n int64 // which bytes

	mu     sync.Mutex
	bytes  map[string][]byte // by URL
	differ error
}

// agreeing is ctx as one that a mirror can end which must agree and does not.
func (g *getter) agreeing(ctx context.Context) (context.Context, context.CancelCauseFunc) {
	if !g.opts.MirrorsAgree {
		return ctx, func(error) {}
	}
	return context.WithCancelCause(ctx)
}

// sample asks the mirrors that must agree, if they must, while the download is under way. One whose size is another ends it.
func (g *getter) sample(ctx context.Context, end context.CancelCauseFunc, size int64) *samples {
	if !g.opts.MirrorsAgree || size < 0 {
		return &samples{cancel: func() {}}
	}
	ctx, cancel := context.WithTimeout(ctx, samplePatience)
	s := &samples{cancel: cancel, bytes: make(map[string][]byte)}
	n := max(min(size, sampleLen), 1) // of what is empty a byte is asked for, to be told so
	s.off, s.n = rand.Int64N(max(size-n, 0)+1), n
	for _, m := range g.opts.Mirrors {
		s.wg.Go(func() {
			if err := s.take(ctx, g.c.src, m.URL, source.Range{Off: s.off, Len: n}, size); err != nil {
				end(err)
			}
		})
	}
	return s
}

// take takes a sample of a mirror. The error is that of one whose size is another; one that cannot be asked is not needed.
func (s *samples) take(ctx context.Context, src source.Source, url string, rng source.Range, size int64) error {
	res, err := src.Open(ctx, url, rng)
	if err != nil {
		return nil
	}
	defer res.Body.Close()
	if res.Size >= 0 && res.Size != size {
		return s.differs(url, fmt.Errorf("it has %d bytes, the first URL %d", res.Size, size))
	}
	b := make([]byte, rng.Len)
	if _, err := io.ReadFull(res.Body, b); err == nil && res.Off == rng.Off {
		s.mu.Lock()
		s.bytes[url] = b
		s.mu.Unlock()
	}
	return nil
}

func (s *samples) differs(url string, why error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.differ = &fetch.DifferError{URL: url, Err: &source.Error{Op: "compare", URL: url, Kind: source.KindCorrupt, Err: why}}
	return s.differ
}

// with compares the samples with the file, once all have come.
func (s *samples) with(file io.ReaderAt) error {
	s.wg.Wait()
	for url, b := range s.bytes {
		there := make([]byte, len(b))
		_, err := file.ReadAt(there, s.off)
		if err != nil && err != io.EOF {
			return err
		}
		if err == io.EOF || !bytes.Equal(there, b) { // there is nothing of an empty file
			s.differs(url, errSample)
		}
	}
	return s.differ
}

// end ends what was not waited for.
func (s *samples) end() {
	s.cancel()
	s.wg.Wait()
}
