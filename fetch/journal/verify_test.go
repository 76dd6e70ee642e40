package journal

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"testing"

	"spate/format/span"
)

// pieces is a State of n ranges of 1000 bytes each, one after the other; those that fresh names are not durable.
func pieces(file []byte, n int, fresh ...int) *State {
	s := &State{Header: testHeader}
	for i := range n {
		x := sp(int64(i)*1000, int64(i+1)*1000)
		s.Ranges = append(s.Ranges, Range{x, Checksum(file[x.Off:x.End]), !slices.Contains(fresh, i)})
	}
	return s
}

// spoil is file with one byte of each of these pieces changed.
func spoil(file []byte, pieces ...int) []byte {
	p := bytes.Clone(file)
	for _, i := range pieces {
		p[i*1000+999] ^= 1
	}
	return p
}

func TestVerify(t *testing.T) {
	file := content(100000)
	all := int64(100000)
	tests := []struct {
		name  string
		part  []byte
		state *State
		check *Check
		lost  []int
		read  int64 // bytes
	}{
		{"nothing recorded", nil, pieces(file, 0), nil, nil, 0},
		{"all is well: a sample", file, pieces(file, 100), nil, nil, 16000},
		{"another sample", file, pieces(file, 100), &Check{Sample: 3}, nil, 3000},
		{"the sample is all there is", file, pieces(file, 16), nil, nil, 16000},
		{"strict", file, pieces(file, 100), &Check{Strict: true}, nil, all},
		{"strict, wrong", spoil(file, 7, 50), pieces(file, 100), &Check{Strict: true}, []int{7, 50}, all},
		{"not durable: each is read", file, pieces(file, 100, 3, 4, 5), &Check{Sample: 1}, nil, 4000},
		{"not durable and wrong: nothing special", spoil(file, 3, 5), pieces(file, 100, 3, 4, 5), &Check{Sample: 1}, []int{3, 5}, 4000},
		{"the sample is wrong: all is read", spoil(file, 99, 7), pieces(file, 100), &Check{Sample: 1}, []int{7, 99}, 1000 + all},
		{"cut short", file[:50500], pieces(file, 100), &Check{Sample: 1}, []int{50, 51, 52, 53, 54, 55, 56, 57, 58, 59,
			60, 61, 62, 63, 64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 83, 84, 85, 86, 87, 88, 89,
			90, 91, 92, 93, 94, 95, 96, 97, 98, 99}, 50000},
		{"another file", make([]byte, 3000), pieces(file, 3), nil, []int{0, 1, 2}, 6000},
		{"no file", nil, pieces(file, 3, 1), nil, []int{0, 1, 2}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var read int64
			check := Check{}
			if tt.check != nil {
				check = *tt.check
			}
			check.Read = func(n int64) { read += n }
			before := slices.Clone(tt.state.Ranges)
			got, err := Verify(t.Context(), bytes.NewReader(tt.part), tt.state, &check)
			must(t, err)
			var want []Range
			for i, r := range tt.state.Ranges {
				if !slices.Contains(tt.lost, i) {
					want = append(want, r)
				}
			}
			if !slices.Equal(got.Ranges, want) {
				t.Errorf("%v\nwant\n%v", got.Ranges, want)
			}
			if read != tt.read {
				t.Errorf("%d bytes read, want %d", read, tt.read)
			}
			if !slices.Equal(before, tt.state.Ranges) {
				t.Error("what was to be verified has changed")
			}
		})
	}
}

// No range is left out for good.
func TestSampleIsOfChance(t *testing.T) {
	file := content(100000)
	rnd := seeded(t)
	seen := new(span.Set)
	s := pieces(file, 100)
	for range 100 {
		for _, r := range Pick(s.Ranges, 16, rnd) {
			seen.Add(r.Span)
		}
	}
	if !seen.Covers(sp(0, 100000)) {
		t.Errorf("never picked: %v", seen.NextGap(sp(0, 100000)))
	}
}

func TestPick(t *testing.T) {
	s := pieces(content(10000), 10)
	for _, n := range []int{0, 1, 2, 9, 10, 11} {
		for _, rnd := range []*rand.Rand{nil, seeded(t)} {
			got := Pick(s.Ranges, n, rnd)
			if len(got) != min(n, 10) || !slices.IsSortedFunc(got, byOffset) || n > 0 && got[len(got)-1] != s.Ranges[9] {
				t.Errorf("Pick(%d) = %v", n, got)
			}
			if len(slices.Compact(slices.Clone(got))) != len(got) {
				t.Errorf("%v twice", got)
			}
		}
	}
	if got := Pick(nil, 3, nil); len(got) != 0 {
		t.Errorf("%v of none", got)
	}
}

// brokenAt is a disk with an unreadable place.
type brokenAt struct{ off int64 }

var errDisk = errors.New("unreadable")

func (b brokenAt) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > b.off {
		return 0, errDisk
	}
	return len(p), nil
}

func TestVerifyFails(t *testing.T) {
	s := pieces(content(100000), 100, 5)
	for name, at := range map[string]int64{"in what is not durable": 5500, "in what is": 99999} {
		if _, err := Verify(t.Context(), brokenAt{at}, s, nil); !errors.Is(err, errDisk) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Verify(ctx, bytes.NewReader(nil), s, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// A range may be longer than what is read at once, and a reader may tell of the end with the last bytes.
func TestVerifyLong(t *testing.T) {
	file := content(2*readSize + 7)
	s := &State{Ranges: []Range{{sp(1, int64(len(file))), Checksum(file[1:]), true}}}
	for name, r := range map[string]io.ReaderAt{"plain": bytes.NewReader(file), "eager": eager{file}} {
		got, err := Verify(t.Context(), r, s, nil)
		must(t, err)
		if len(got.Ranges) != 1 {
			t.Errorf("%s: %+v", name, got.Ranges)
		}
	}
}

// eager tells io.EOF with the last bytes.
type eager struct{ p []byte }

func (e eager) ReadAt(p []byte, off int64) (int, error) {
	n := copy(p, e.p[off:])
	if off+int64(n) == int64(len(e.p)) {
		return n, io.EOF
	}
	return n, nil
}
