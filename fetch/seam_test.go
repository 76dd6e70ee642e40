package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"spate/format/span"
	"spate/internal/farm"
	"spate/source"
)

// versions are two objects of one size, under validators that do not tell them apart.
func versions(size int) map[string][]farm.Resource {
	one, two := farm.Resource{Body: whole[:size]}, farm.Resource{Body: other(size)}
	as := func(etag string, dated bool) []farm.Resource {
		both := []farm.Resource{one, two}
		for i := range both {
			if both[i].ETag = etag; dated {
				both[i].ModTime = year2020
			}
		}
		return both
	}
	return map[string][]farm.Resource{
		"no validator": as(farm.NoETag, false), "a weak one": as(`W/"1"`, false), "a date": as(farm.NoETag, true),
	}
}

// inTurn answers each request as the next of rs.
func inTurn(rs []farm.Resource) farm.Resource {
	return farm.Resource{Changes: func(n int) farm.Resource { return rs[(n-1)%len(rs)] }}
}

// breaking are rs, which break after n bytes of each answer.
func breaking(rs []farm.Resource, n int64) []farm.Resource {
	rs = append([]farm.Resource(nil), rs...)
	for i := range rs {
		rs[i].BreakAfter = n
	}
	return rs
}

// TestSeveralVersions: machines behind one name, of which some have another version of the same size, are never mixed.
func TestSeveralVersions(t *testing.T) {
	const size = usual
	for name, both := range versions(size) {
		broken := breaking(both, MiB)
		for _, c := range []struct {
			name string
			has  farm.Resource
			n    int
		}{
			{"each connection another machine", farm.Resource{Machines: both}, 2},
			{"each connection another machine", farm.Resource{Machines: both}, 4},
			{"each request another machine", inTurn(both), 2},
			{"each request another machine", inTurn(both), 4},
			{"each connection another machine, and breaks", farm.Resource{Machines: broken}, 1},
			{"each connection another machine, and breaks", farm.Resource{Machines: broken}, 4},
			{"each request another machine, and breaks", inTurn(broken), 1},
		} {
			t.Run(fmt.Sprintf("%s, %s, %d connections", name, c.name, c.n), func(t *testing.T) {
				t.Parallel()
				s := newScene(t, whole[:size], c.has)
				o := s.get(c.n)
				if !errors.Is(o.err, source.ErrChanged) {
					t.Fatalf("%v, want %v", o.err, source.ErrChanged)
				}
				if _, err := os.Lstat(o.path); !errors.Is(err, os.ErrNotExist) {
					t.Error(err)
				}
				s.settle(o, both[1], size)
			})
		}
	}
}

// settle goes on with what is left, where there is only one version now.
func (s *scene) settle(o *outcome, now farm.Resource, size int) {
	s.t.Helper()
	now.BreakAfter = 0
	s.farms[0].Serve("/x", s.fill(now))
	s.into(s.t.Context(), o, []Mirror{{URL: s.urls[0]}}, &ObjectOptions{Hashes: sha256Only, Connections: 3, MinRange: 256 << 10})
	if o.err == nil {
		o.wantFile(s.t, now.Body)
	} else if !errors.Is(o.err, source.ErrChanged) {
		s.t.Error(o.err)
	}
}

// TestVersionsAtRandom: however a download of machines that differ is ended, and gone on with, what becomes the file is one version.
func TestVersionsAtRandom(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for i := range uint64(24) {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, i))
			size := 1 + r.IntN(usual)
			for _, name := range []string{"no validator", "a weak one", "a date"}[r.IntN(3):][:1] {
				atRandom(t, r, versions(size)[name], size)
			}
		})
	}
}

func atRandom(t *testing.T, r *rand.Rand, both []farm.Resource, size int) {
	for i := range both {
		switch r.IntN(3) {
		case 0:
			both[i].BreakAfter = 1 + r.Int64N(int64(size))
			both[i].BreakTimes = 1 + r.IntN(2)
		case 1:
			both[i].RangeMax = int64(size)/16 + 2 + r.Int64N(int64(size))
		}
	}
	has := farm.Resource{Machines: both}
	if r.IntN(2) == 0 {
		has = inTurn(both)
	}
	s := newScene(t, whole[:size], has)
	o := &outcome{path: filepath.Join(t.TempDir(), "x")}
	for range 3 {
		ctx, cancel := context.WithCancelCause(t.Context())
		enough, requests := errors.New("enough"), s.farms[0].Requests("/x")+1+r.IntN(8)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = s.farms[0].Wait(ctx, farm.Answered, "/x", requests) // it may have ended before
			cancel(enough)
		}()
		s.into(ctx, o, []Mirror{{URL: s.urls[0]}}, &ObjectOptions{Hashes: sha256Only, Connections: r.IntN(6), MinRange: 64 << 10})
		cancel(nil)
		<-ended
		if o.err == nil {
			break
		}
		isBreak := errors.Is(o.err, io.ErrUnexpectedEOF) // three times before anything has come
		if !isBreak && !errors.Is(o.err, enough) && !errors.Is(o.err, source.ErrChanged) {
			t.Fatal(o.err)
		}
	}
	if o.err != nil {
		s.settle(o, both[r.IntN(2)], size)
	} else if got := read(o.path); !bytes.Equal(got, both[0].Body) && !bytes.Equal(got, both[1].Body) {
		t.Error("two versions are mixed")
	}
}

// TestMachinesThatAgree: what is compared costs no request, and nothing is wrong with machines that have the same bytes.
func TestMachinesThatAgree(t *testing.T) {
	for name, both := range versions(usual) {
		for _, n := range []int{1, 4, 0} {
			t.Run(fmt.Sprintf("%s, %d connections", name, n), func(t *testing.T) {
				t.Parallel()
				s := newScene(t, whole[:usual], both[0])
				o := s.get(n)
				o.wantFile(t, s.data)
				if asked := s.farms[0].Requests("/x"); int64(asked) > o.done.Opens { // one that is not wanted any more may never be asked
					t.Errorf("%d requests, of which the scheduler knows %d", asked, o.done.Opens)
				}
			})
		}
	}
}

// TestSeveralVersionsOfAMirror: beside a mirror that is right, one of several versions may spoil the download, but not the file.
func TestSeveralVersionsOfAMirror(t *testing.T) {
	for name, both := range versions(usual) {
		for by, has := range map[string]farm.Resource{"connection": {Machines: both}, "request": inTurn(both)} {
			t.Run(name+", by "+by, func(t *testing.T) {
				t.Parallel()
				o := newScene(t, whole[:usual], farm.Resource{}, has).get(6)
				if o.err == nil {
					o.wantFile(t, whole[:usual])
				} else if !errors.Is(o.err, source.ErrChanged) {
					t.Error(causes(o.err))
				}
			})
		}
	}
}

// TestMachinesWithTheirOwnETags: that the bytes are the same nothing tells. Over one connection there is one answer, which is right.
func TestMachinesWithTheirOwnETags(t *testing.T) {
	has := farm.Resource{Machines: []farm.Resource{{ETag: `"1"`}, {ETag: `"2"`}}}
	s := newScene(t, whole[:usual], has)
	o := s.get(4)
	if !errors.Is(o.err, ErrVersions) || !errors.Is(o.err, source.ErrChanged) {
		t.Errorf("%v, want %v", o.err, ErrVersions)
	}
	newScene(t, whole[:usual], has).get(1).wantFile(t, whole[:usual])
}

// TestSeamOfLittle: an origin whose answers end, or break, before they are past what is compared has less of it compared.
func TestSeamOfLittle(t *testing.T) {
	for name, has := range map[string]farm.Resource{
		"ends":   {ETag: farm.NoETag, RangeMax: 9_000},
		"breaks": {ETag: farm.NoETag, BreakAfter: 9_000},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, whole[:60_000], has)
			s.get(1).wantFile(t, s.data)
		})
	}
}

// TestSeamBehindACap: that a capped answer has to be compared with what another connection has behind it is no failure.
func TestSeamBehindACap(t *testing.T) {
	for _, most := range []int64{10_000, 20_000, 40_000, 80_000} {
		t.Run(fmt.Sprint(most), func(t *testing.T) {
			t.Parallel()
			o := newScene(t, whole[:usual], farm.Resource{ETag: farm.NoETag, RangeMax: most}).get(8)
			o.wantFile(t, whole[:usual])
			if o.done.Failures > 0 {
				t.Errorf("%d failures of an origin that has none", o.done.Failures)
			}
		})
	}
}

// TestStreamOfSeveralVersions: what is handed on is of one version, to wherever it ends.
func TestStreamOfSeveralVersions(t *testing.T) {
	for name, both := range versions(usual) {
		broken := breaking(both, MiB)
		for how, has := range map[string]farm.Resource{
			"each connection": {Machines: both}, "each request": inTurn(both),
			"each connection, and breaks": {Machines: broken}, "each request, and breaks": inTurn(broken),
		} {
			t.Run(name+", "+how, func(t *testing.T) {
				t.Parallel()
				o := newScene(t, whole[:usual], has).stream(4)
				if !errors.Is(o.err, ErrVersions) {
					t.Errorf("%v, want %v", o.err, ErrVersions)
				}
				got := o.got.Bytes()
				if one, two := differ(got, both[0].Body), differ(got, both[1].Body); max(one, two) < len(got) {
					t.Errorf("of %d bytes, %d are of one version, or %d of the other", len(got), one, two)
				}
			})
		}
	}
}

// TestChangedBeforeASeam: where an origin proves to have changed before two answers of its have met, they are not both left.
func TestChangedBeforeASeam(t *testing.T) {
	const size = 4 * MiB
	for name, both := range versions(size) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			one, two, changed := both[0], both[1], both[0]
			one.StallAt, two.BreakAfter, changed.Body = MiB, MiB/4, whole[:size-1]
			o := newScene(t, whole[:size], farm.Then(one, two, changed)).get(2)
			if !errors.Is(o.err, source.ErrChanged) {
				t.Errorf("%v, want %v", o.err, source.ErrChanged)
			}
			right := one.Body
			if o.leftOf(two.Body) {
				right = two.Body
			}
			o.wantLeft(t, right)
		})
	}
}

// TestLeftBesideWhatHasChanged: of what came from who has changed only what others have met stays, or its longest piece where that is more.
func TestLeftBesideWhatHasChanged(t *testing.T) {
	for _, c := range []struct {
		name    string
		by      []given
		changed []origin
		torn    bool
		want    *span.Set
	}{
		{"nobody has changed", []given{{span.Span{End: 10}, 0}, {span.Span{Off: 20, End: 50}, 1}}, []origin{{vague: true}, {vague: true}}, false,
			span.Of(span.Span{End: 10}, span.Span{Off: 20, End: 50})},
		{"another has met it", []given{{span.Span{End: 30}, 0}, {span.Span{Off: 30, End: 40}, 1}, {span.Span{Off: 50, End: 60}, 0}},
			[]origin{{vague: true, changed: true}, {vague: true}}, false, span.Of(span.Span{End: 40})},
		{"another has less", []given{{span.Span{End: 30}, 0}, {span.Span{Off: 50, End: 60}, 0}, {span.Span{Off: 70, End: 80}, 1}},
			[]origin{{vague: true, changed: true}, {vague: true}}, false, span.Of(span.Span{End: 30})},
		{"another has more", []given{{span.Span{End: 30}, 0}, {span.Span{Off: 40, End: 60}, 1}, {span.Span{Off: 70, End: 90}, 1}},
			[]origin{{vague: true, changed: true}, {vague: true}}, false, span.Of(span.Span{Off: 40, End: 60}, span.Span{Off: 70, End: 90})},
		{"what it told names the bytes", []given{{span.Span{End: 30}, 0}, {span.Span{Off: 50, End: 60}, 0}},
			[]origin{{changed: true}, {vague: true}}, false, span.Of(span.Span{End: 30}, span.Span{Off: 50, End: 60})},
		{"several versions were met", []given{{span.Span{End: 10}, 0}, {span.Span{Off: 20, End: 50}, 1}}, []origin{{vague: true}, {vague: true}}, true,
			span.Of(span.Span{Off: 20, End: 50})},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDriver(t.Context(), nil, []Mirror{{URL: "mem:x"}, {URL: "mem:y"}}, &ObjectOptions{})
			d.size, d.torn, d.err, d.target, d.origins = 100, c.torn, ErrVersions, newWindow(d.memory), c.changed
			for _, g := range c.by {
				d.written.Add(g.Span)
				d.givers.add(g.Span, g.giver)
			}
			must(t, d.keepOne())
			if got, want := fmt.Sprint(slices.Collect(d.written.All())), fmt.Sprint(slices.Collect(c.want.All())); got != want {
				t.Errorf("%v is left, want %v", got, want)
			}
		})
	}
}

// What is left of several versions is told of while the others are taken out.
func TestProgressWhileVersionsAreTakenOut(t *testing.T) {
	d := newDriver(t.Context(), nil, []Mirror{{URL: "mem:x"}}, &ObjectOptions{})
	d.size, d.torn, d.err, d.target = 100, true, ErrVersions, newWindow(d.memory)
	d.written = *span.Of(span.Span{End: 10}, span.Span{Off: 20, End: 50}, span.Span{Off: 60, End: 70})
	told := make(chan int64)
	go func() { told <- d.survey().Bytes }()
	must(t, d.keepOne())
	if n := <-told; n != 50 && n != 30 || d.written.Bytes() != 30 {
		t.Errorf("%d bytes were told of, %d are left", n, d.written.Bytes())
	}
}

// TestTakenBackWhenOver: bytes that are taken back when all was taken for whole make the download fail, whatever led to that.
func TestTakenBackWhenOver(t *testing.T) {
	d := newDriver(t.Context(), nil, []Mirror{{URL: "http://a.example/x"}}, &ObjectOptions{})
	b := block{off: 5, b: make([]byte, 10)}
	d.part(b, nil)
	if d.err != nil {
		t.Errorf("they can be fetched again, and it is %v", d.err)
	}
	d.finish(nil)
	d.part(b, nil)
	if !errors.Is(d.err, errMissing) {
		t.Errorf("%v, want %v", d.err, errMissing)
	}
}
