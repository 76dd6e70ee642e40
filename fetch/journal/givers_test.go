package journal

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spate/format/span"
)

// Who gave what is what a list says that has the giver of each byte, however often the journal is written anew and read.
func TestGivers(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for _, origins := range []int{1, 2, 3} {
		t.Run(fmt.Sprint(origins), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, uint64(origins)))
			s := &State{Header: Header{Size: 300, PieceSize: 16, Origins: []Origin{{URL: "a:"}, {URL: "b:"}, {URL: "c:"}}[:origins]}}
			var by [300]int // 1 + the origin that gave it, as far as that is known; what is not there is of no interest
			if origins == 1 {
				for i := range by {
					by[i] = 1
				}
			}
			for range 20 {
				disk := newDisk()
				j, err := create(disk, name, s)
				must(t, err)
				for range 10 {
					off := r.Int64N(300)
					x := sp(off, min(300, off+1+r.Int64N(20)))
					if _, err := j.Forget(x); err != nil {
						t.Fatal(err)
					}
					origin := r.IntN(origins+1) - 1
					must(t, j.AddFrom(x, 0, origin))
					for i := x.Off; i < x.End; i++ {
						by[i] = origin + 1
					}
				}
				s, err = decode(bytes.NewReader(disk.text()))
				must(t, err)
				if diff := cmp.Diff(j.State().Given, s.Given); diff != "" {
					t.Fatal(diff)
				}
				wantGivers(t, s, by[:])
			}
		})
	}
}

func wantGivers(t *testing.T, s *State, by []int) {
	t.Helper()
	covered := s.Covered()
	for origin := range s.Header.Origins {
		gave := s.GivenBy(origin)
		for i := range by {
			x := span.Span{Off: int64(i), End: int64(i) + 1}
			if want := by[i] == origin+1 && covered.Covers(x); gave.Covers(x) != want {
				t.Fatalf("byte %d is of origin %d: %v", i, origin, !want)
			}
		}
	}
}

// What is added again without a word of who gave it is of who gave it before: it was only taken back with its neighbours.
func TestGiversOfNeighbours(t *testing.T) {
	disk := newDisk()
	j, err := create(disk, name, &State{Header: Header{Size: 100, Origins: []Origin{{URL: "a:"}, {URL: "b:"}}}})
	must(t, err)
	must(t, j.AddFrom(sp(0, 50), 0, 0))
	must(t, j.AddFrom(sp(50, 100), 0, 1))
	_, err = j.Forget(sp(60, 70)) // all is one range
	must(t, err)
	must(t, j.Add(sp(0, 60), 0))
	s, err := decode(bytes.NewReader(disk.text()))
	must(t, err)
	want := []Given{{sp(0, 50), 0}, {sp(50, 60), 1}}
	if diff := cmp.Diff(want, s.Given); diff != "" {
		t.Error(diff)
	}
}

// One who gives by crumbs in turn with another is not kept track of for ever; nobody is taken for who he is not.
func TestTooManyGivers(t *testing.T) {
	for origins := 1; origins <= 2; origins++ {
		l := newLedger(&Header{Size: -1, Origins: make([]Origin, origins)})
		l.limit = 10
		for i := range int64(100) {
			l.add(run{sp(i, i+1), 0})
			if i%2 == 1 {
				l.give(sp(i, i+1), -1+int(i/2)%2)
			}
		}
		s := State{Header: Header{Origins: make([]Origin, origins)}, Ranges: l.ranges(), Given: l.given()}
		gave := s.GivenBy(0)
		if len(s.Given) > 10 || gave.Covers(sp(1, 2)) {
			t.Errorf("%d origins: %v", origins, s.Given)
		}
	}
}
