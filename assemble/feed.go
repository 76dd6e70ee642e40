package assemble

import (
	"context"
	"errors"
	"hash/crc64"
	"io"
	"math"
	"slices"
	"sync"
	"time"

	"spate/format/manifest"
	"spate/source"
)

// feedBytes bounds what a feed has decoded and nobody has taken yet.
const feedBytes = 16 << 10

const (
	// moreWait is how long an origin may be silent before it counts as having more parts to tell.
	moreWait = 250 * time.Millisecond
	// forever is as long as the Source bears it.
	forever = math.MaxInt64
)

var errManifestChanged = errors.New("the manifest is not the one that was begun")

// A document is a manifest as it was first opened. It is immutable.
type document struct {
	to   target
	info source.Info
}

// base is what its references resolve against.
func (d *document) base() string { return d.info.URL }

// mayGoOn reports whether it may be read on from where it was left.
func (d *document) mayGoOn() bool { return d.info.Seekable && d.info.HasStrongValidator() }

// A point is a place between two parts of a document.
type point struct {
	off  int64  // in the document
	line int    // there
	sum  uint64 // CRC-64 of all parts before: a document that was read again up to here is the same
}

// A listed part and the point behind it.
type listed struct {
	manifest.Part
	after point
}

// A feed decodes a manifest a little ahead of the walk. A goroutine of its own reads, so that a slow manifest never
// holds back parts that are already known.
type feed struct {
	cancel context.CancelFunc
	parked *rest // what it is kept open for, while another manifest is executed; nil: it is executed. The walker's

	mu      sync.Mutex
	parts   []listed
	bytes   int
	err     error         // why there is no more: io.EOF at the end of the manifest
	changed chan struct{} // one token when parts or err changed
	room    chan struct{} // one token when parts were taken
}

func newFeed(cancel context.CancelFunc) *feed {
	return &feed{cancel: cancel, changed: make(chan struct{}, 1), room: make(chan struct{}, 1)}
}

// read decodes what p reads, from a point of its document on, until the end, or until ctx ends. It owns p. An origin
// without ranges is read from the beginning: p then stands at 0, and what comes before the point is decoded,
// compared, and dropped.
func (f *feed) read(ctx context.Context, p *pull, from point) {
	defer p.Close()
	f.decode(ctx, p, from)
}

type pullReader struct {
	ctx context.Context // of one call of decode
	p   *pull
}

func (r pullReader) Read(b []byte) (int, error) { return r.p.read(r.ctx, b) }

func (f *feed) decode(ctx context.Context, p *pull, from point) {
	var d *manifest.Decoder
	at := from
	if p.t.off == from.off && from.off > 0 {
		d = manifest.NewDecoderAt(pullReader{ctx, p}, from.off, from.line)
	} else {
		d = manifest.NewDecoder(pullReader{ctx, p})
		at = point{line: 1}
	}
	for {
		part, err := d.Next()
		if err == io.EOF && at.off < from.off {
			err = p.fault("read", source.KindChanged, errManifestChanged)
		}
		if err != nil {
			f.end(err)
			return
		}
		at.sum = sumPart(at.sum, part)
		at.off, at.line = d.Pos()
		if at.off <= from.off {
			if at.off == from.off && at.sum != from.sum {
				f.end(p.fault("read", source.KindChanged, errManifestChanged))
				return
			}
			continue
		}
		if !f.add(ctx, listed{part, at}) {
			return
		}
	}
}

func sumPart(sum uint64, p manifest.Part) uint64 {
	for _, a := range p.Alternatives {
		sum = crc64.Update(sum, crcTable, []byte(a))
		sum = crc64.Update(sum, crcTable, []byte{'\n'})
	}
	if p.Cacheable {
		sum = crc64.Update(sum, crcTable, []byte{'*'})
	}
	return crc64.Update(sum, crcTable, []byte{'-'})
}

// add queues a part and waits until there is room for another. It reports whether to go on.
func (f *feed) add(ctx context.Context, l listed) bool {
	f.mu.Lock()
	first := len(f.parts) == 0
	f.parts = append(f.parts, l)
	f.bytes += textOf(l.Part)
	full := f.bytes > feedBytes
	f.mu.Unlock()
	if first {
		signal(f.changed)
	}
	for full {
		select {
		case <-f.room:
		case <-ctx.Done():
			f.end(ctx.Err())
			return false
		}
		f.mu.Lock()
		full = f.bytes > feedBytes
		f.mu.Unlock()
	}
	return true
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (f *feed) end(err error) {
	f.mu.Lock()
	f.err = err
	f.mu.Unlock()
	signal(f.changed)
}

// take returns the next part if it is known already. The error is why there is none and will be none.
func (f *feed) take() (part listed, ok bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.parts) == 0 {
		return listed{}, false, f.err
	}
	part = f.parts[0]
	f.parts[0] = listed{}
	f.parts = f.parts[1:]
	f.bytes -= textOf(part.Part)
	if f.bytes <= feedBytes/2 { // not at each part: waking the feed costs more than decoding one
		signal(f.room)
	}
	return part, true, nil
}

// next waits for the next part.
func (f *feed) next(ctx context.Context) (listed, error) {
	for {
		part, ok, err := f.take()
		if ok || err != nil {
			return part, err
		}
		select {
		case <-f.changed:
		case <-ctx.Done():
			return listed{}, ctx.Err()
		}
	}
}

// known returns the parts that are decoded, and whether the manifest ends behind them. Where there are none, it waits
// for the origin to tell, not longer than wait.
func (f *feed) known(ctx context.Context, wait time.Duration) (parts []listed, end bool) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		f.mu.Lock()
		parts, end = slices.Clone(f.parts), f.err == io.EOF
		settled := len(parts) > 0 || f.err != nil
		f.mu.Unlock()
		if settled {
			return parts, end
		}
		select {
		case <-f.changed:
		case <-timer.C:
			return nil, false
		case <-ctx.Done():
			return nil, false
		}
	}
}

// ended reports whether all parts were taken and the manifest is known to end there.
func (f *feed) ended() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.parts) == 0 && f.err == io.EOF
}
