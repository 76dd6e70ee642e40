package limit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"spate/source"
)

// zeros is a Source of bodies without an end. It notes how long anybody read, rather than waited.
type zeros struct{ read time.Duration }

func (z *zeros) Open(ctx context.Context, url string, rng source.Range) (*source.Resource, error) {
	return &source.Resource{Info: source.Info{URL: url, Size: -1}, Off: rng.Off, Len: -1, Body: &zeroBody{z: z, over: ctx.Err}}, nil
}

type zeroBody struct {
	z      *zeros
	over   func() error
	closed bool
}

func (b *zeroBody) Read(p []byte) (int, error) {
	begin := time.Now()
	defer func() { b.z.read += time.Since(begin) }()
	if b.closed {
		return 0, fs.ErrClosed
	}
	clear(p)
	return len(p), b.over()
}

func (b *zeroBody) Close() error { b.closed = true; return nil }

// openZeros opens a body under r.
func openZeros(t *testing.T, r *Rate) io.ReadCloser {
	t.Helper()
	res, err := r.Wrap(&zeros{}).Open(t.Context(), "zeros:", source.From(0))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	return res.Body
}

// took is how long do takes, by the clock of the bubble.
func took(do func()) time.Duration {
	begin := time.Now()
	do()
	return time.Since(begin)
}

func read(t *testing.T, r io.Reader, n int64) {
	t.Helper()
	if _, err := io.CopyN(io.Discard, r, n); err != nil {
		t.Error(err)
	}
}

// isAbout tells whether n bytes took as long as they may, less what comes at once.
func isAbout(d time.Duration, n, limit int64) bool {
	ideal := time.Duration(float64(n) / float64(limit) * float64(time.Second))
	return d <= ideal && d >= ideal-time.Second/portions-time.Millisecond
}

func TestRateOfOne(t *testing.T) {
	for _, limit := range []int64{1, 7, 8, 9, 1000, 1 << 10, 64 << 10, 1 << 20, 1 << 30} {
		synctest.Test(t, func(t *testing.T) {
			body := openZeros(t, NewRate(Always(limit)))
			n := max(10*limit+3, 3)
			if n > 1<<27 {
				n = limit / 5
			}
			d := took(func() { read(t, body, n) })
			if limit < portions { // the first byte comes at once
				d += time.Second / time.Duration(limit)
			}
			if !isAbout(d, n, limit) {
				t.Errorf("%d bytes at %d a second took %v", n, limit, d)
			}
		})
	}
}

func TestRateUnlimited(t *testing.T) {
	for _, r := range []*Rate{{}, NewRate(Always(0)), NewRate(Timetable{})} {
		synctest.Test(t, func(t *testing.T) {
			body := openZeros(t, r)
			if n, err := body.Read(make([]byte, 1<<20)); n != 1<<20 || err != nil {
				t.Errorf("read %d, %v", n, err)
			}
			if d := took(func() { read(t, body, 1<<26) }); d > 0 {
				t.Errorf("it took %v", d)
			}
		})
	}
}

// All that is wrapped by a Rate counts together, each body gets about as much as the others, and none waits long.
func TestRateIsShared(t *testing.T) {
	const limit, each = 64 << 10, 128 << 10
	for _, bodies := range []int{2, 8, 100} {
		synctest.Test(t, func(t *testing.T) {
			r := NewRate(Always(limit))
			begin := time.Now()
			var mu sync.Mutex
			var longest, first, last time.Duration
			var wg sync.WaitGroup
			for range bodies {
				body := openZeros(t, r)
				wg.Go(func() {
					buf := make([]byte, 256<<10)
					var wait time.Duration
					for left := each; left > 0; {
						var n int
						wait = max(wait, took(func() { n, _ = body.Read(buf[:min(left, len(buf))]) }))
						left -= n
					}
					mu.Lock()
					defer mu.Unlock()
					last = time.Since(begin)
					if first == 0 {
						first = last
					}
					longest = max(longest, wait)
				})
			}
			wg.Wait()
			if n := int64(bodies) * each; !isAbout(last, n, limit) {
				t.Errorf("%d bodies: %d bytes took %v", bodies, n, last)
			}
			if last-first > last/5 {
				t.Errorf("%d bodies: the first ended after %v, the last after %v", bodies, first, last)
			}
			if longest > time.Second {
				t.Errorf("%d bodies: one waited %v", bodies, longest)
			}
		})
	}
}

// What waits is not being read: an origin that has nothing to say meanwhile is not silent.
func TestRateWaitsOutsideOfReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := &zeros{}
		res, err := NewRate(Always(100)).Wrap(z).Open(t.Context(), "zeros:", source.From(0))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		read(t, res.Body, 1000)
		if z.read > 0 {
			t.Errorf("it was being read for %v", z.read)
		}
	})
}

// Who waits for its turn goes at once when it is no longer wanted.
func TestRateWaitEnds(t *testing.T) {
	for name, end := range map[string]func(cancel func(), s source.Session, body io.Closer) error{
		"body":    func(_ func(), _ source.Session, body io.Closer) error { return body.Close() },
		"session": func(_ func(), s source.Session, _ io.Closer) error { return s.Close() },
		"context": func(cancel func(), _ source.Session, _ io.Closer) error { cancel(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				s, err := source.Dial(ctx, NewRate(Always(1)).Wrap(&zeros{}), "zeros:")
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				res, err := s.Open(ctx, "zeros:", source.From(0))
				if err != nil {
					t.Fatal(err)
				}
				defer res.Body.Close()
				read(t, res.Body, 100)
				ended := make(chan time.Duration)
				go func() { ended <- took(func() { _, _ = res.Body.Read(make([]byte, 10)) }) }()
				synctest.Wait()
				if d := took(func() { err = end(cancel, s, res.Body) }); err != nil || d > 0 {
					t.Errorf("%v, after %v", err, d)
				}
				if d := <-ended; d > 0 {
					t.Errorf("Read went on for %v", d)
				}
				if _, err := res.Body.Read(make([]byte, 10)); !errors.Is(err, fs.ErrClosed) && !errors.Is(err, context.Canceled) {
					t.Errorf("the next Read: %v", err)
				}
			})
		})
	}
}

// Who leaves has had its bytes: the others do not get them again.
func TestRateCountsWhatWasLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit = 1 << 10
		r := NewRate(Always(limit))
		d := took(func() {
			for range 50 {
				body := openZeros(t, r)
				go body.Read(make([]byte, limit))
				synctest.Wait()
				_ = body.Close()
				synctest.Wait()
			}
			read(t, openZeros(t, r), limit)
		})
		if !isAbout(d, limit+50*limit/portions, limit) {
			t.Errorf("it took %v", d)
		}
	})
}

func TestRateSet(t *testing.T) {
	for _, tt := range []struct {
		name          string
		before, after int64
		n             int64 // read after the change
	}{
		{"lifted", 1, 0, 1 << 20},
		{"raised", 1, 1 << 10, 10 << 10},
		{"lowered", 1 << 20, 1 << 10, 10 << 10},
		{"imposed", 0, 1 << 10, 10 << 10},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := NewRate(Always(tt.before))
				bodies := make([]io.ReadCloser, 4)
				var wg sync.WaitGroup
				for i := range bodies {
					bodies[i] = openZeros(t, r)
					wg.Go(func() { read(t, bodies[i], 4) })
				}
				synctest.Wait()
				r.Set(Always(tt.after))
				if d := took(wg.Wait); tt.before == 1 && d > time.Second {
					t.Errorf("what waited went on after %v", d)
				}
				r.Set(Always(tt.after)) // the same: nobody is let through
				d := took(func() { read(t, bodies[0], tt.n) })
				if tt.after == 0 && d > 0 || tt.after > 0 && !isAbout(d, tt.n, tt.after) {
					t.Errorf("%d bytes at %d a second took %v", tt.n, tt.after, d)
				}
			})
		})
	}
}

// TestRateByTimetable reads over the changes of a timetable.
func TestRateByTimetable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now().Truncate(time.Minute).Add(time.Minute)
		time.Sleep(time.Until(now))
		clock := func(d time.Duration) string { return now.Add(d).Format("15:04") }
		text := fmt.Sprintf("%s,1K %s,2K %s,off", clock(-time.Hour), clock(time.Minute), clock(2*time.Minute))
		body := openZeros(t, NewRate(mustParse(t, text)))
		if d := took(func() { read(t, body, 60<<10+120<<10) }); d > 2*time.Minute || d < 2*time.Minute-time.Second/2 {
			t.Errorf("what comes in two minutes took %v", d)
		}
		time.Sleep(time.Second)
		if d := took(func() { read(t, body, 1<<26) }); d > 0 {
			t.Errorf("without a limit it took %v", d)
		}
	})
}
