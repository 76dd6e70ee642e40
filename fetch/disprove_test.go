package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"spate/event"
	"spate/fetch/journal"
	"spate/format/span"
	"spate/internal/farm"
	"spate/sched"
	"spate/source"
)

// lyingFrom has other bytes from off on, in one of several ways.
func lyingFrom(data []byte, off int, way byte) []byte {
	b := bytes.Clone(data)
	for i := off; i < len(b); i++ {
		b[i] ^= 1 + way
	}
	return b
}

// lyingTo has other bytes before off.
func lyingTo(data []byte, off int, way byte) []byte {
	return slices.Concat(lyingFrom(data[:off], 0, way), data[off:])
}

// aside are the URLs of the mirrors that were set aside.
func (o *outcome) aside() (urls []string) {
	for _, e := range o.events {
		if e.Type == event.Aside {
			urls = append(urls, e.URL)
		}
	}
	return urls
}

// A mirror that has other bytes only behind those that it was compared by, and a strong ETag of its own, is met at a seam. It is set aside and
// named, and what it gave is fetched from the first. Where the mirrors must agree that is the error.
func TestMirrorThatDiffersLater(t *testing.T) {
	const size = 16 << 20
	for _, from := range []int{6 << 20, size - 100} {
		for _, agree := range []bool{false, true} {
			t.Run(fmt.Sprintf("from %d, agree %v", from, agree), func(t *testing.T) {
				t.Parallel()
				s := newScene(t, whole[:size], farm.Resource{Rate: 8 * MiB}, farm.Resource{Body: lyingFrom(whole[:size], from, 0), ETag: `"2"`})
				o := &outcome{path: filepath.Join(t.TempDir(), "x")}
				s.into(t.Context(), o, s.mirrors(), &ObjectOptions{Hashes: sha256Only, Connections: 4, MinRange: 256 << 10, Agree: agree, Events: o.note})
				if agree {
					d, isDiffer := errors.AsType[*DifferError](o.err)
					if !isDiffer || d.URL != s.urls[1] || !errors.Is(o.err, source.ErrCorrupt) {
						t.Errorf("%v", o.err)
					}
					o.wantLeft(t, s.data)
					return
				}
				o.wantFile(t, s.data)
				if got := o.aside(); !slices.Equal(got, s.urls[1:]) {
					t.Errorf("set aside: %v", got)
				}
			})
		}
	}
}

func (s *scene) mirrors() (all []Mirror) {
	for _, url := range s.urls {
		all = append(all, Mirror{URL: url})
	}
	return all
}

// liars are mirrors that are right up to some place, or from some place on, each in a way of its own or all in the same.
func liars(r *rand.Rand, data []byte) (has []farm.Resource) {
	sameWay, n := r.IntN(2) == 0, 1+r.IntN(3)
	for i := range n {
		way := byte(i)
		if sameWay {
			way = 0
		}
		lie := lyingFrom
		if r.IntN(4) == 0 {
			lie = lyingTo
		}
		has = append(has, farm.Resource{Body: lie(data, r.IntN(len(data)), way), ETag: []string{`"1"`, `"2"`, farm.NoETag}[r.IntN(3)],
			Rate: int64(4+r.IntN(3)*16) * MiB})
	}
	if r.IntN(2) == 0 {
		has = append(has, farm.Resource{Rate: 16 * MiB})
	}
	r.Shuffle(len(has), func(i, j int) { has[i], has[j] = has[j], has[i] })
	return has
}

// TestLiarsAtRandom: whatever is given by mirrors that differ from the first, what becomes the file are the bytes of that.
func TestLiarsAtRandom(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for i := range uint64(24) {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, i))
			data := whole[:usual/2+r.IntN(usual/2)]
			s := newScene(t, data, append([]farm.Resource{{Rate: 6 * MiB}}, liars(r, data)...)...)
			o := s.get([]int{0, 2, 4, 6, 8}[r.IntN(5)])
			o.wantFile(t, data)
			if most := int64(len(data)) * int64(len(s.urls)+1); o.done.Fetched > most {
				t.Errorf("%d bytes were fetched", o.done.Fetched)
			}
		})
	}
}

// TestLiarsAndNoFirst: where the first goes away, or breaks, or the download is killed and gone on with, the file is right or there is none.
func TestLiarsAndNoFirst(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for i := range uint64(24) {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, i))
			data := whole[:usual/2+r.IntN(usual/2)]
			first, has := farm.Resource{Rate: 6 * MiB}, liars(r, data)
			versions := [][]byte{data}
			if r.IntN(2) == 0 {
				for _, l := range has { // it may be all of another one's
					versions = append(versions, l.Body)
				}
				first = farm.Then(farm.Resource{BreakAfter: 1<<20 + r.Int64N(int64(len(data))/2), Rate: 6 * MiB}, farm.Resource{Status: 404})
			}
			s := newScene(t, data, append([]farm.Resource{first}, has...)...)
			s.untilRight(r, versions)
		})
	}
}

// untilRight begins a download, kills it, and goes on, with some of the mirrors or all.
func (s *scene) untilRight(r *rand.Rand, versions [][]byte) {
	t := s.t
	t.Helper()
	o := &outcome{path: filepath.Join(t.TempDir(), "x")}
	enough := errors.New("enough")
	for lap := range 3 {
		ctx, cancel := context.WithCancelCause(t.Context())
		mirrors := s.mirrors()
		if lap == 2 {
			s.farms[0].Serve("/x", s.fill(farm.Resource{}))
			mirrors = mirrors[:1+r.IntN(len(mirrors))]
		} else {
			i := r.IntN(len(s.farms))
			f, n := s.farms[i], s.farms[i].Requests("/x")+1+r.IntN(6)
			go func() {
				_ = f.Wait(ctx, farm.Answered, "/x", n) // it may have ended before
				cancel(enough)
			}()
		}
		s.into(ctx, o, mirrors, &ObjectOptions{Hashes: sha256Only, Connections: r.IntN(6), MinRange: 256 << 10, RetryMax: -1})
		cancel(nil)
		if o.err == nil {
			got := read(o.path)
			if !slices.ContainsFunc(versions, func(v []byte) bool { return bytes.Equal(got, v) }) {
				t.Errorf("byte %d is wrong", differ(got, s.data))
			}
			return
		}
	}
	isDoubt := errors.Is(o.err, source.ErrChanged) || errors.Is(o.err, source.ErrCorrupt)
	if !isDoubt {
		t.Error(causes(o.err))
	}
}

// TestStreamOfLiars: of what is handed on nothing is wrong where the stream is whole; where it is not, that is told.
func TestStreamOfLiars(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for i := range uint64(12) {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, i))
			data := whole[:usual]
			s := newScene(t, data, append([]farm.Resource{{Rate: 6 * MiB}}, liars(r, data)...)...)
			o := s.stream(4)
			if o.err == nil && !bytes.Equal(o.got.Bytes(), data) {
				t.Errorf("byte %d is wrong", differ(o.got.Bytes(), data))
			}
			if o.err != nil && !errors.Is(o.err, source.ErrChanged) {
				t.Error(o.err)
			}
		})
	}
}

// TestDisprovedIsVoid: from the moment on at which bytes may be put in the place of those of a mirror that was set aside, the journal does not
// say that these are there, and what is hashed is what is there in the end.
func TestDisprovedIsVoid(t *testing.T) {
	const n = 4 * maxBlock
	path := filepath.Join(t.TempDir(), "x")
	file, err := Create(path, nil)
	must(t, err)
	defer file.Discard()
	data, bad := whole[:n], other(n)
	silent := source.Func(func(ctx context.Context, url string, _ source.Range) (*source.Resource, error) {
		<-ctx.Done()
		return nil, &source.Error{Op: "open", URL: url, Err: ctx.Err()}
	})
	d := newDriver(t.Context(), silent, []Mirror{{URL: "mem:x"}, {URL: "mem:y"}}, &ObjectOptions{Hashes: sha256Only})
	d.started, d.info.Size, d.size = true, n, n
	must(t, d.prepare(file))
	put := func(b []byte, off int64, giver int) {
		t.Helper()
		err := d.target.put(block{off: off, b: bytes.Clone(b), giver: giver}, func() error { return nil })
		must(t, err)
		d.givers.add((&block{off: off, b: b}).where(), giver)
	}
	put(data[:maxBlock], 0, 0)
	put(bad[maxBlock:3*maxBlock], maxBlock, 1)
	put(data[3*maxBlock:], 3*maxBlock, 0)
	d.disprove(1, d.differs(1))
	put(bad[maxBlock:2*maxBlock], maxBlock, 1) // it has not been told yet
	left, err := journal.Read(path + journal.Ext)
	must(t, err)
	want := span.Of(span.Span{End: maxBlock}, span.Span{Off: 3 * maxBlock, End: n})
	if got := left.Covered(); !slices.Equal(slices.Collect(got.All()), slices.Collect(want.All())) {
		t.Errorf("%v are there", left.Ranges)
	}
	put(data[maxBlock:3*maxBlock], maxBlock, 0)
	must(t, d.target.end(true))
	d.finish(nil)
	d.stopWorkers()
	d.cancel(errOver)
	d.wg.Wait()
	sums, err := d.verify()
	must(t, err)
	if want := sumOf(t, "sha-256", data); len(sums) != 1 || !sums[0].Equal(want) {
		t.Errorf("%v, want %v", sums, want)
	}
}

// TestMirrorsThatMustAgree: that a mirror has something else is one error, whatever of it was noticed first, and not that of what was begun.
func TestMirrorsThatMustAgree(t *testing.T) {
	for name, second := range map[string]farm.Resource{
		"another size":          {Body: whole[:usual+1]},
		"less":                  {Body: whole[:usual/2]},
		"other bytes":           {Body: other(usual)},
		"another digest header": {Header: reprDigest(t, whole, "sha-256")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, whole[:usual], farm.Resource{Rate: MiB, Header: reprDigest(t, whole[:usual], "sha-256")}, second)
			o := &outcome{path: filepath.Join(t.TempDir(), "x")}
			s.into(t.Context(), o, s.mirrors(), &ObjectOptions{Hashes: sha256Only, Connections: 4, MinRange: 256 << 10, Agree: true})
			d, isDiffer := errors.AsType[*DifferError](o.err)
			if !isDiffer || d.URL != s.urls[1] || !errors.Is(o.err, source.ErrCorrupt) || errors.Is(o.err, source.ErrChanged) {
				t.Errorf("%v", o.err)
			}
		})
	}
}

// TestNobodyIsNotBelieved: bytes that were taken back say nothing of who is compared with them, whatever is still on the disk.
func TestNobodyIsNotBelieved(t *testing.T) {
	d := newDriver(t.Context(), nil, []Mirror{{URL: "mem:x"}, {URL: "mem:y"}}, &ObjectOptions{})
	d.size = 30
	w := newWindow(d.memory)
	w.pass = func(block) {}
	must(t, w.put(block{b: whole[:30]}, func() error { return nil }))
	d.target = w
	d.written, d.givers[1] = *span.Of(span.Span{End: 20}), *span.Of(span.Span{Off: 10, End: 20})
	for src := range 2 { // 0 to 10 was there before, and 20 to 30 is not
		if err := d.meet(src, d.pin(span.Span{Off: 20, End: 30}), 20, other(10)); err != nil {
			t.Errorf("source %d: %v, of what is not there", src, err)
		}
		if err := d.meet(src, d.pin(span.Span{End: 30}), 10, whole[10:30]); err != nil {
			t.Errorf("source %d: %v, of what is right", src, err)
		}
	}
	if !d.anyDisproved(d.pin(span.Span{Off: 15, End: 25}).parts) || d.anyDisproved(d.pin(span.Span{End: 20}).parts) {
		t.Error("what is there, and what is not, is not known")
	}
}

// A slowLedger takes its time to disown.
type slowLedger struct {
	*window
	disowns func()
}

func (l *slowLedger) disown(int, *span.Set) error {
	l.disowns()
	return nil
}

// While what a source gave is taken back nothing else is told: or who gave its last bytes could be over, somebody would fetch them anew, and
// these would be taken back as well; or all would seem to be there.
func TestNothingIsToldWhileBytesAreTakenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		silent := source.Func(func(ctx context.Context, _ string, _ source.Range) (*source.Resource, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})
		d := newDriver(t.Context(), silent, []Mirror{{URL: "mem:x"}, {URL: "mem:y"}}, &ObjectOptions{})
		defer d.end()
		last := block{off: 100, b: whole[:50], giver: 1}
		join := func(giver int) {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.written.Add(last.where())
			d.givers.add(last.where(), giver)
		}
		var told atomic.Bool
		d.target = &slowLedger{newWindow(d.memory), func() {
			time.Sleep(time.Minute)
			if told.Load() {
				t.Error("something was told")
			}
			join(0) // that it may be somebody else's from now on
		}}
		join(1)
		var wg sync.WaitGroup
		wg.Go(func() { d.disprove(1, d.differs(1)) })
		synctest.Wait()
		wg.Go(func() {
			d.tell(sched.Event{Type: sched.Tick})
			told.Store(true)
		})
		wg.Wait()
		d.part(last, nil)
		if !d.written.Covers(last.where()) || d.givers.take(0).Bytes() != 50 {
			t.Errorf("of what another has given anew %d bytes are there", d.written.Bytes())
		}
	})
}

// Nobody but the reference gives anything before that has told its last bytes, however many are compared at once.
func TestLastBytesAreWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const late = time.Second
		data, asked := whole[:usual], atomic.Int32{}
		src := source.Func(func(ctx context.Context, url string, rng source.Range) (*source.Resource, error) {
			asked.Add(1)
			time.Sleep(late)
			return inMemory(data)(ctx, url, rng)
		})
		d := newDriver(t.Context(), src, []Mirror{{URL: "mem:x"}, {URL: "mem:y"}, {URL: "mem:z"}}, &ObjectOptions{})
		defer d.end()
		d.size, d.target = usual, newWindow(d.memory)
		d.origins[0].Info = source.Info{Size: usual, Validator: "1"}
		begin := time.Now()
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				must(t, d.askLast(t.Context()))
				if time.Since(begin) < late || len(d.lastOf(span.Span{End: usual})) == 0 {
					t.Errorf("it goes on after %v", time.Since(begin))
				}
			})
		}
		wg.Wait()
		if asked.Load() != 1 {
			t.Errorf("they are asked for %d times", asked.Load())
		}
	})
}
