package journal

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spate/format/span"
)

// content is the file that the tests download.
func content(size int) []byte { return all()[:size] }

var all = sync.OnceValue(func() []byte {
	p := make([]byte, testHeader.Size)
	rnd := rand.New(rand.NewPCG(1, 2))
	for i := range p {
		p[i] = byte(rnd.Uint32())
	}
	return p
})

func ofFile(p []byte, x span.Span) run { return run{x, Checksum(p[x.Off:x.End])} }

func TestNeighbours(t *testing.T) {
	file := content(100)
	tests := []struct {
		name string
		add  []span.Span // in pieces of 10
		want []span.Span
	}{
		{"within a piece", []span.Span{sp(0, 4), sp(4, 10)}, []span.Span{sp(0, 10)}},
		{"the other way round", []span.Span{sp(4, 10), sp(0, 4)}, []span.Span{sp(0, 10)}},
		{"the one between", []span.Span{sp(0, 3), sp(6, 9), sp(3, 6)}, []span.Span{sp(0, 9)}},
		{"apart", []span.Span{sp(0, 4), sp(5, 10)}, []span.Span{sp(0, 4), sp(5, 10)}},
		{"of two pieces", []span.Span{sp(0, 10), sp(10, 20)}, []span.Span{sp(0, 10), sp(10, 20)}},
		{"across the boundary", []span.Span{sp(0, 9), sp(9, 11), sp(11, 20)}, []span.Span{sp(0, 9), sp(9, 11), sp(11, 20)}},
		{"more than a piece", []span.Span{sp(0, 35), sp(35, 40)}, []span.Span{sp(0, 35), sp(35, 40)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLedger(&Header{Size: 100, PieceSize: 10})
			for _, x := range tt.add {
				must(t, l.check(x))
				l.add(ofFile(file, x))
			}
			var got []span.Span
			for _, r := range l.ranges() {
				got = append(got, r.Span)
				if r.CRC != Checksum(file[r.Off:r.End]) || r.Durable {
					t.Errorf("%+v, want the CRC %08x, not durable", r, Checksum(file[r.Off:r.End]))
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	l := newLedger(&Header{Size: 100})
	l.add(run{Span: sp(10, 20)})
	l.begin()
	l.add(run{Span: sp(30, 40)})
	l.confirm()
	l.add(run{Span: sp(50, 60)})
	l.begin()
	l.add(run{Span: sp(70, 80)})
	tests := []struct {
		x    span.Span
		want error
	}{
		{sp(0, 10), nil},
		{sp(0, 11), ErrOverlap},
		{sp(19, 20), ErrOverlap},
		{sp(20, 21), nil},
		{sp(39, 41), ErrOverlap},
		{sp(59, 61), ErrOverlap},
		{sp(79, 81), ErrOverlap},
		{sp(80, 100), nil},
		{sp(80, 101), errRange},
		{sp(80, 80), errRange},
		{sp(81, 80), errRange},
		{sp(-1, 5), errRange},
		{sp(0, math.MaxInt64), errRange},
	}
	for _, tt := range tests {
		if err := l.check(tt.x); !errors.Is(err, tt.want) {
			t.Errorf("check(%v) = %v, want %v", tt.x, err, tt.want)
		}
	}
	l.size = -1
	if err := l.check(sp(80, math.MaxInt64)); err != nil {
		t.Errorf("without a size: %v", err)
	}
}

// The number of ranges is bounded: what has neighbours is combined, what has none is refused.
func TestLimit(t *testing.T) {
	const limit, piece = 8, 4
	file := content(1000)
	l := newLedger(&Header{Size: 1000, PieceSize: piece})
	l.limit = limit
	for off := int64(0); off < 1000; off += 2 {
		must(t, l.check(sp(off, off+2)))
		l.add(ofFile(file, sp(off, off+2)))
		if l.count() > limit {
			t.Fatalf("%d ranges", l.count())
		}
	}
	if got := l.ranges(); !slices.ContainsFunc(got, func(r Range) bool { return r.Len() >= 1000/limit }) {
		t.Errorf("%v", got)
	}
	for _, r := range l.ranges() {
		if r.CRC != Checksum(file[r.Off:r.End]) {
			t.Errorf("%+v has a wrong CRC", r)
		}
	}

	l = newLedger(&Header{Size: -1, PieceSize: piece})
	l.limit = limit
	for i := range int64(limit) {
		must(t, l.check(sp(2*i, 2*i+1)))
		l.add(run{Span: sp(2*i, 2*i+1)})
	}
	if err := l.check(sp(2*limit, 2*limit+1)); !errors.Is(err, ErrTooMany) {
		t.Errorf("one more than %d with gaps between: %v", limit, err)
	}
	l.forget(sp(0, 1))
	if err := l.check(sp(2*limit, 2*limit+1)); err != nil {
		t.Errorf("as many as may be: %v", err)
	}
}

// Many runs at once come together as one by one.
func TestMerge(t *testing.T) {
	rnd := seeded(t)
	file := content(4096)
	for range 50 {
		one, many := runs(nil), [2]runs{}
		for off := int64(0); off < int64(len(file)); {
			n := min(1+rnd.Int64N(30), int64(len(file))-off)
			x := ofFile(file, sp(off, off+n))
			if k := rnd.IntN(3); k < 2 {
				many[k] = append(many[k], x)
				one = one.insert(x, 64)
			}
			off += n
		}
		got := many[0].fold(64).merge(many[1], 64)
		if !slices.Equal(got, one) {
			t.Fatalf("%v\n%v", got, one)
		}
	}
}

func TestPlacesAreThinned(t *testing.T) {
	l := newLedger(&Header{Size: -1})
	const n = 10 * maxPlaces
	for i := range int64(n) {
		l.note(Place{At: 10 * i, Part: i})
	}
	if len(l.places) > maxPlaces {
		t.Errorf("%d places", len(l.places))
	}
	s := State{Places: l.places}
	for _, off := range []int64{0, 5, 10 * (n - 1), 10*n + 1000} {
		p, ok := s.PlaceOf(off)
		if !ok || p.At > off || p.At != 10*p.Part {
			t.Errorf("PlaceOf(%d) = %+v, %v", off, p, ok)
		}
	}
	if p, _ := s.PlaceOf(10*(n-2) + 3); p.Part != n-2 {
		t.Errorf("of the newest none is left out: %+v", p)
	}
	if p, ok := (&State{Places: []Place{{At: 1}}}).PlaceOf(0); ok {
		t.Errorf("a place before the first: %+v", p)
	}
}
