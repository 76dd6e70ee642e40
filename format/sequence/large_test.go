package sequence_test

import (
	"errors"
	"io"
	"math"
	"runtime"
	"strings"
	"testing"

	"spate/format/sequence"
)

// endless reads as whatever the buffer held: bytes that cost nothing.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// allocated is how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

const largest = "\xff\xff\xff\xff"

// A file of 4 GiB - 1 goes through without being held, whether it is read or skipped, and the next one is found.
func TestLargestFile(t *testing.T) {
	in := func() io.Reader {
		body := io.LimitReader(endless{}, math.MaxUint32)
		return io.MultiReader(strings.NewReader(largest), body, strings.NewReader("\x00\x00\x00\x01x"))
	}
	use := map[string]func(*sequence.File) (int64, error){
		"written":   func(f *sequence.File) (int64, error) { return f.WriteTo(io.Discard) },
		"read":      func(f *sequence.File) (int64, error) { return io.Copy(io.Discard, struct{ io.Reader }{f}) },
		"passed by": func(f *sequence.File) (int64, error) { return f.Size, nil },
	}
	for name, use := range use {
		t.Run(name, func(t *testing.T) {
			held := allocated(func() {
				s := sequence.NewReader(in())
				f, err := s.Next()
				if err != nil || f.Size != math.MaxUint32 {
					t.Fatal(f, err)
				}
				if n, err := use(f); n != math.MaxUint32 || err != nil {
					t.Fatal(n, err)
				}
				if f, err := s.Next(); err != nil || f.Size != 1 || f.Index != 2 {
					t.Error(f, err)
				}
			})
			if held > 256<<10 {
				t.Errorf("%d bytes allocated", held)
			}
		})
	}
}

// A length is a claim: nothing is allocated by it.
func TestLengthIsNotTrusted(t *testing.T) {
	held := allocated(func() {
		f, err := sequence.NewReader(strings.NewReader(largest + "ten bytes!")).Next()
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		n, err := f.WriteTo(&b)
		if cut, ok := errors.AsType[*sequence.CutError](err); n != 10 || !ok || cut.Missing != math.MaxUint32-10 {
			t.Error(n, err)
		}
	})
	if held > 256<<10 {
		t.Errorf("%d bytes allocated", held)
	}
}

// Small files cost one small allocation each when they are passed by or read.
func TestReaderAllocations(t *testing.T) {
	s := sequence.NewReader(&repeat{text: lab})
	buf := make([]byte, 16)
	allocs := testing.AllocsPerRun(1000, func() {
		f, err := s.Next()
		if err != nil {
			t.Fatal(err)
		}
		for err == nil {
			_, err = f.Read(buf)
		}
	})
	if allocs > 2 {
		t.Errorf("%v allocations per file", allocs)
	}
}

// repeat reads as text over and over.
type repeat struct {
	text string
	off  int
}

func (r *repeat) Read(p []byte) (int, error) {
	n := copy(p, r.text[r.off:])
	r.off = (r.off + n) % len(r.text)
	return n, nil
}

// The largest file can be written, too.
func TestWriteLargestFile(t *testing.T) {
	var n int64
	w := sequence.NewWriter(writes(func(p []byte) (int, error) {
		n += int64(len(p))
		return len(p), nil
	}))
	held := allocated(func() {
		if err := w.WriteFile(math.MaxUint32, io.LimitReader(endless{}, math.MaxUint32)); err != nil {
			t.Error(err)
		}
	})
	if n != 4+math.MaxUint32 || held > 256<<10 {
		t.Errorf("%d bytes written, %d allocated", n, held)
	}
}
