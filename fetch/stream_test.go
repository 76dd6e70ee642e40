package fetch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"spate/format/checksum"
	"spate/internal/farm"
	"spate/source"
)

// A flowed is what a stream has come to.
type flowed struct {
	outcome
	got bytes.Buffer
}

// stream hands the object on over n connections, as many as pay if n is 0, through the least window there is.
func (s *scene) stream(n int) *flowed {
	return s.streamWith(&ObjectOptions{Hashes: sha256Only, Connections: n, MinRange: 128 << 10, Window: minWindow})
}

func (s *scene) streamWith(opts *ObjectOptions) *flowed {
	s.t.Helper()
	o := &flowed{}
	ctx, cancel := context.WithTimeoutCause(s.t.Context(), patience, errPatience)
	defer cancel()
	opts.Events = o.note
	var mirrors []Mirror
	for _, url := range s.urls {
		mirrors = append(mirrors, Mirror{URL: url})
	}
	object, err := OpenObject(ctx, s.src, mirrors, opts)
	if err != nil {
		o.err = err
		return o
	}
	defer object.Close()
	o.done, o.err = object.Stream(&o.got)
	return o
}

// wantAll is for what has gone well.
func (o *flowed) wantAll(t *testing.T, want []byte) {
	t.Helper()
	if o.err != nil {
		t.Fatalf("%v, after %d bytes; %+v", causes(o.err), o.got.Len(), o.events)
	}
	o.wantBeginning(t, want)
	if sum := sha256.Sum256(want); !bytes.Equal(o.done.Digest(checksum.SHA256), sum[:]) || o.done.Size != int64(len(want)) {
		t.Errorf("told of %d bytes, %x", o.done.Size, o.done.Digest(checksum.SHA256))
	}
}

// wantBeginning: what was handed on is right, as far as it goes.
func (o *flowed) wantBeginning(t *testing.T, want []byte) {
	t.Helper()
	if errors.Is(o.err, errPatience) {
		t.Fatalf("%v; %+v", o.err, o.events)
	}
	got := o.got.Bytes()
	if n := differ(got, want); n < len(got) || o.err == nil && len(got) < len(want) {
		t.Errorf("%d bytes, want %d, the first that differs is %d", len(got), len(want), n)
	}
	if o.done != nil && o.done.Size != int64(len(got)) {
		t.Errorf("%d bytes were handed on, %d are told", len(got), o.done.Size)
	}
}

// TestStreamQuirks: the rows of the matrix, handed on in order.
func TestStreamQuirks(t *testing.T) {
	for _, q := range quirks {
		for _, n := range []int{1, 4} {
			t.Run(fmt.Sprintf("%s, %d connections", q.name, n), func(t *testing.T) {
				t.Parallel()
				size := q.size
				if size == 0 {
					size = usual
				}
				s := newScene(t, whole[:size], append([]farm.Resource{q.has}, q.mirrors...)...)
				o, want := s.stream(n), q.want
				if want == nil {
					want = s.data
				}
				switch {
				case q.name == "chunked, without length, shorter the second time": // what was handed on cannot be taken back
					o.wantBeginning(t, s.data)
					if !errors.Is(o.err, source.ErrChanged) || !errors.Is(o.err, errShorter) {
						t.Errorf("%v, want %v", o.err, source.ErrChanged)
					}
				case q.kind == source.KindOther && q.is == nil:
					o.wantAll(t, want)
				default:
					o.wantBeginning(t, want)
					q.checkError(t, o.err)
				}
				if n := s.farms[0].Requests("/x"); q.requests > 0 && n != q.requests {
					t.Errorf("%d requests, want %d", n, q.requests)
				}
			})
		}
	}
}

// TestStreamMirrors: so are those with mirrors.
func TestStreamMirrors(t *testing.T) {
	for _, m := range mirroreds {
		over := m.over
		if over == nil {
			over = []int{4}
		}
		for _, n := range over {
			t.Run(fmt.Sprintf("%s, %d connections", m.name, n), func(t *testing.T) {
				t.Parallel()
				s := newScene(t, whole[:usual], m.has...)
				for i, url := range m.dead {
					s.urls[i] = url + "/x"
				}
				o := s.stream(n)
				switch {
				case m.errs != nil:
					o.wantBeginning(t, s.data)
					m.checkErrors(t, s, o.err)
					return
				case m.want != nil: // of which the beginning was something else
					o.wantBeginning(t, s.data)
					if e, ok := errors.AsType[*source.Error](o.err); !ok || e.Kind != source.KindChanged || e.URL != s.urls[1] {
						t.Errorf("%v", o.err)
					}
					return
				}
				o.wantAll(t, s.data)
				for i, url := range s.urls {
					if got := o.kinds(url); m.told != nil && got != m.told[i] {
						t.Errorf("of mirror %d: %q was told, want %q", i, got, m.told[i])
					}
				}
			})
		}
	}
}

// TestStreamChaos, of SPATE_SEED where that is set: whatever origins do, together, what is handed on is one of the objects that
// they have, or the beginning of one and an error.
func TestStreamChaos(t *testing.T) {
	inWorlds(t, 40, func(t *testing.T, r *rand.Rand) {
		objects := [][]byte{whole[:1+r.IntN(3*MiB)], nil, login.Body}
		objects[1] = other(len(objects[0]))
		if r.IntN(3) == 0 {
			objects[1] = other(1 + r.IntN(3*MiB))
		}
		var has []farm.Resource
		for range 1 + r.IntN(3) {
			has = append(has, chaotic(r, objects[0], objects[1]))
		}
		o := newScene(t, objects[0], has...).stream(r.IntN(9))
		for _, b := range objects {
			if o.got.Len() > 0 && bytes.HasPrefix(b, o.got.Bytes()[:1]) {
				o.wantBeginning(t, b)
				return
			}
		}
		if o.err == nil || o.got.Len() > 0 {
			t.Errorf("%d bytes, %v", o.got.Len(), o.err)
		}
	})
}

// A reader takes nothing, until it is allowed to, and then as much as there is.
type reader struct {
	got   bytes.Buffer
	begin chan struct{}
	taken int // so much it takes before
}

func (r *reader) Write(p []byte) (int, error) {
	if r.got.Len() >= r.taken {
		<-r.begin
	}
	return r.got.Write(p)
}

// furthest is a source in memory that knows how far it was read, and how often it was asked.
type furthest struct {
	data  []byte
	off   atomic.Int64
	asked atomic.Int64
}

func (f *furthest) Open(ctx context.Context, url string, rng source.Range) (*source.Resource, error) {
	f.asked.Add(1)
	res, err := inMemory(f.data)(ctx, url, rng)
	if err == nil {
		res.Body = &reach{res.Body, f, rng.Off}
	}
	return res, err
}

type reach struct {
	io.ReadCloser
	f   *furthest
	off int64
}

func (b *reach) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.off += int64(n)
	for {
		if was := b.f.off.Load(); was >= b.off || b.f.off.CompareAndSwap(was, b.off) {
			return n, err
		}
	}
}

// Whoever takes nothing holds the network up: nothing is read that has no place in the window, no connection is replaced, and
// nobody gives up, for an hour: all that is retried, or waited for, is given up long before.
func TestStreamWaitsForItsReader(t *testing.T) {
	for _, n := range []int{1, 4, 16} {
		for _, window := range []int64{1, minWindow, 8 * MiB} {
			t.Run(fmt.Sprintf("%d connections, a window of %d", n, window), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					const taken = 3 * MiB
					src := &furthest{data: whole}
					o, err := OpenObject(t.Context(), src, []Mirror{{URL: "mem:x"}}, &ObjectOptions{Connections: n, Window: window, Hashes: sha256Only})
					must(t, err)
					defer o.Close()
					r := &reader{begin: make(chan struct{}), taken: taken}
					ended := make(chan *Done, 1)
					go func() {
						done, err := o.Stream(r)
						if err != nil {
							t.Error(err)
						}
						ended <- done
					}()
					time.Sleep(time.Minute)
					synctest.Wait()
					off, asked := src.off.Load(), src.asked.Load()
					if most := int64(r.got.Len()) + 2*maxBlock + max(window, minWindow); off > most {
						t.Errorf("read to %d, want %d at most", off, most)
					}
					if cells := int64(len(o.d.window.cells)); cells > (max(window, minWindow)+keptBehind)/cellSize+4 {
						t.Errorf("%d cells", cells)
					}
					time.Sleep(time.Hour)
					synctest.Wait()
					if src.off.Load() != off || src.asked.Load() != asked || len(ended) > 0 {
						t.Errorf("read from %d to %d, by %d more requests", off, src.off.Load(), src.asked.Load()-asked)
					}
					close(r.begin)
					if done := <-ended; !bytes.Equal(r.got.Bytes(), whole) || done.Failures > 0 {
						t.Errorf("%d bytes, %+v", r.got.Len(), done)
					}
				})
			})
		}
	}
}

// leisurely is a source whose bytes come one block a second.
type leisurely struct{ source.Source }

func (s leisurely) Open(ctx context.Context, url string, rng source.Range) (*source.Resource, error) {
	res, err := s.Source.Open(ctx, url, rng)
	if err == nil {
		res.Body = struct {
			io.Reader
			io.Closer
		}{late{res.Body}, res.Body}
	}
	return res, err
}

// Whoever reads all that comes, at once, has nothing kept for him but the end of it.
func TestStreamHoldsLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, err := OpenObject(t.Context(), leisurely{inMemory(whole)}, []Mirror{{URL: "mem:x"}}, &ObjectOptions{Connections: 1, Window: 32 * MiB})
		must(t, err)
		defer o.Close()
		var most int
		_, err = o.Stream(writerFunc(func(p []byte) (int, error) {
			o.d.window.mu.Lock()
			defer o.d.window.mu.Unlock()
			most = max(most, len(o.d.window.cells))
			return len(p), nil
		}))
		must(t, err)
		if most > 2*keptBehind/cellSize {
			t.Errorf("%d cells", most)
		}
	})
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// That somebody does not want more ends everything at once.
func TestStreamEndsWithItsReader(t *testing.T) {
	for _, c := range []struct {
		name string
		n    int
		err  error
		want error
	}{
		{"a broken pipe", 0, syscall.EPIPE, syscall.EPIPE},
		{"a broken pipe, later", 3000, syscall.EPIPE, syscall.EPIPE},
		{"it takes less than it is given", 10, nil, io.ErrShortWrite},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t, whole, farm.Resource{})
			object, err := OpenObject(t.Context(), s.src, []Mirror{{URL: s.urls[0]}}, &ObjectOptions{Connections: 4, Window: minWindow})
			must(t, err)
			defer object.Close()
			var took int
			done, err := object.Stream(writerFunc(func(p []byte) (int, error) {
				n := min(len(p), c.n-took)
				if took += n; n < len(p) {
					return n, c.err
				}
				return n, nil
			}))
			if err != c.want || done.Size != int64(c.n) || took != c.n {
				t.Errorf("%v, %+v, want %v after %d bytes", err, done, c.want, c.n)
			}
		})
	}
}

// A context that ends while a reader sleeps ends the stream as soon as he wakes.
func TestStreamEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		enough := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		o, err := OpenObject(ctx, &furthest{data: whole[:2*MiB]}, []Mirror{{URL: "mem:x"}}, &ObjectOptions{Window: 8 * MiB})
		must(t, err)
		defer o.Close()
		r := &reader{begin: make(chan struct{})}
		ended := make(chan error, 1)
		go func() {
			_, err := o.Stream(r)
			ended <- err
		}()
		time.Sleep(time.Minute) // all has come
		cancel(enough)
		close(r.begin)
		if err := <-ended; err != enough || r.got.Len() > maxBlock {
			t.Errorf("%v, after %d bytes", err, r.got.Len())
		}
	})
}

// What was promised of the whole is known to be broken once all is handed on.
func TestStreamChecksums(t *testing.T) {
	for _, right := range []bool{true, false} {
		s := newScene(t, whole[:usual], farm.Resource{Header: reprDigest(t, whole[:usual], "sha-512")})
		promised := sumOf(t, checksum.BLAKE3, whole[:usual])
		if !right {
			promised = sumOf(t, checksum.BLAKE3, whole)
		}
		o := s.streamWith(&ObjectOptions{Connections: 4, Window: minWindow, Hashes: sha256Only, Checksums: []checksum.Sum{promised}})
		if right {
			o.wantAll(t, s.data)
			continue
		}
		o.wantBeginning(t, s.data)
		if !errors.Is(o.err, source.ErrCorrupt) || !errors.Is(o.err, checksum.ErrMismatch) || o.got.Len() != usual || o.done.Digests != nil {
			t.Errorf("%v after %d bytes", o.err, o.got.Len())
		}
	}
}

// No byte of a piece is handed on that does not have its digest; of one that no window holds, not all.
func TestStreamPieces(t *testing.T) {
	data := whole[:8*MiB+5]
	const bad = 3_500_000
	for _, c := range []struct {
		name   string
		has    []farm.Resource
		length int
		kept   int // so much is handed on where all fails, at least: nobody reads much further ahead than the window
		wrong  bool
	}{
		{name: "right", has: []farm.Resource{{}}, length: 300_000},
		{name: "one lies, the other does not", has: []farm.Resource{{Body: lying(data, bad)}, {}}, length: 300_000},
		{name: "one lies, the other does not, large pieces", has: []farm.Resource{{Body: lying(data, bad)}, {}}, length: minWindow / 2},
		{name: "the only one lies", has: []farm.Resource{{Body: lying(data, bad)}}, length: 300_000,
			kept: 3_600_000 - 2*maxBlock - minWindow, wrong: true},
		{name: "no ranges, lies once", length: 300_000,
			has: []farm.Resource{farm.Then(farm.Resource{ETag: `"1"`, NoRange: true, Body: lying(data, bad)}, farm.Resource{ETag: `"1"`, NoRange: true})}},
		{name: "no length", has: []farm.Resource{{NoRange: true, NoLength: true}}, length: 300_000},
		{name: "breaks", has: []farm.Resource{{BreakAfter: 3 * MiB}}, length: 300_000},
		{name: "pieces that no window holds", has: []farm.Resource{{}}, length: minWindow},
		{name: "pieces that no window holds, and the last is short", has: []farm.Resource{{NoRange: true, NoLength: true}}, length: 3 * MiB},
		{name: "pieces that no window holds, lies", has: []farm.Resource{{Body: lying(data, bad)}}, length: minWindow,
			kept: bad / minWindow * minWindow, wrong: true},
		{name: "one piece, lies", has: []farm.Resource{{Body: lying(data, bad)}}, length: 100 * MiB, wrong: true},
	} {
		for _, n := range []int{1, 4} {
			t.Run(fmt.Sprintf("%s, %d connections", c.name, n), func(t *testing.T) {
				t.Parallel()
				s := newScene(t, data, c.has...)
				o := s.streamWith(&ObjectOptions{Connections: n, Window: minWindow, MinRange: 128 << 10, Hashes: sha256Only,
					Pieces: piecesOf(t, data, c.length, checksum.SHA256)})
				if !c.wrong {
					o.wantAll(t, data)
					return
				}
				if !errors.Is(o.err, source.ErrCorrupt) || !errors.Is(o.err, checksum.ErrMismatch) {
					t.Errorf("%v", o.err)
				}
				if end := min(len(data), (bad/c.length+1)*c.length); o.got.Len() < c.kept || o.got.Len() >= end {
					t.Errorf("%d bytes were handed on, want from %d on and less than %d", o.got.Len(), c.kept, end)
				}
				if c.length <= minWindow/2 {
					o.wantBeginning(t, data)
				}
			})
		}
	}
}

// Fewer bytes than there are pieces, or more, are wrong, also where no size was told.
func TestStreamOfAnotherSizeThanItsPieces(t *testing.T) {
	for _, size := range []int{3 * MiB, 3*MiB + 1, 5 * MiB} {
		s := newScene(t, whole[:size], farm.Resource{NoRange: true, NoLength: true})
		o := s.streamWith(&ObjectOptions{Window: minWindow, Pieces: piecesOf(t, whole[:4*MiB], MiB, checksum.SHA256)})
		if !errors.Is(o.err, source.ErrCorrupt) {
			t.Errorf("%d bytes: %v", size, o.err)
		}
	}
}

// What must be read again, and is another now, is an error, be it longer or not.
func TestStreamIsNotMixed(t *testing.T) {
	for _, size := range []int{usual - 1, usual, usual + 1, 8 * MiB} {
		bare := farm.Resource{NoRange: true, NoLength: true, ETag: farm.NoETag}
		first, second := bare, bare
		first.BreakAt, second.Body = 3*MiB, bytes.Clone(whole[:size])
		second.Body[MiB] ^= 1
		s := newScene(t, whole[:usual], farm.Then(first, second))
		o := s.stream(1)
		o.wantBeginning(t, whole)
		if !errors.Is(o.err, source.ErrChanged) || !errors.Is(o.err, errOtherNow) || o.got.Len() < MiB {
			t.Errorf("%d bytes: %v after %d", size, o.err, o.got.Len())
		}
	}
}

func TestStreamNeedsAWindow(t *testing.T) {
	s := newScene(t, whole[:usual], farm.Resource{})
	if o := s.streamWith(&ObjectOptions{}); !errors.Is(o.err, errNoWindow) || o.got.Len() > 0 {
		t.Errorf("%v", o.err)
	}
}
