package spate

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// A length that is not certain ends nothing before it is; one that is taken back never does.
func TestSplitterStops(t *testing.T) {
	good := packed("one", "two", "three")
	tests := []struct {
		name   string
		limits Limits
		at     int64 // it is certain once this is settled
		files  int
	}{
		{"files", Limits{Files: 2}, 14, 2},
		{"bytes", Limits{Bytes: 10}, 18, 2},
		{"bytes, at once", Limits{Bytes: 2}, 4, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, dir := split(t, test.limits)
			feed(t, s, good, 3, test.at-1)
			if err := s.take([]byte("and more"), test.at); !errors.Is(err, ErrLimit) {
				t.Errorf("error %v, want ErrLimit", err)
			}
			s.discard()
			wantFiles(t, dir, named([]string{"one", "two"}[:test.files]...))
		})
		t.Run(test.name+", at the end", func(t *testing.T) {
			s, dir := split(t, test.limits)
			feed(t, s, good, 3, 0)
			if err := s.end(); !errors.Is(err, ErrLimit) {
				t.Errorf("error %v, want ErrLimit", err)
			}
			wantFiles(t, dir, named([]string{"one", "two"}[:test.files]...))
		})
		t.Run(test.name+", taken back", func(t *testing.T) {
			s, dir := split(t, test.limits)
			feed(t, s, good, 3, 0)
			must(t, s.rewind(0))
			feed(t, s, packed("a", "b"), 3, 0)
			must(t, s.end())
			wantFiles(t, dir, named("a", "b"))
		})
		t.Run(test.name+", too far", func(t *testing.T) {
			s, dir := split(t, test.limits)
			feed(t, s, good, 3, 0)
			more := make([]byte, maxReadOn-(s.off-s.next))
			must(t, s.take(more, 0))
			if err := s.take([]byte("x"), 0); !errors.Is(err, ErrLimit) {
				t.Errorf("error %v, want ErrLimit", err)
			}
			s.discard()
			wantFiles(t, dir, nil)
		})
	}
}

// A rewind behind the length that has stopped it leaves that length as it is.
func TestSplitterRewindBehindAStop(t *testing.T) {
	s, _ := split(t, Limits{Bytes: 1})
	feed(t, s, packed("long")+"more", 100, 0)
	for _, off := range []int64{10, 5, 4} {
		must(t, s.rewind(off))
		if s.stop == nil {
			t.Fatalf("to %d: it goes on", off)
		}
	}
	must(t, s.rewind(3))
	feed(t, s, "\x01x", 1, 0)
	must(t, s.end())
	wantResult(t, &s.g.done, "x")
}

// An output that exists is an error once the length that asks for it is certain.
func TestSplitterExisting(t *testing.T) {
	for _, back := range []bool{false, true} {
		s, dir := split(t, Limits{})
		must(t, os.WriteFile(filepath.Join(dir, "FILE-file2"), []byte("old"), 0o600))
		feed(t, s, packed("one", "two"), 3, 0)
		want := map[string]string{"FILE-file1": "one", "FILE-file2": "old"}
		if back {
			must(t, s.rewind(6))
			feed(t, s, "x", 1, 0)
			want["FILE-file1"] = "onx"
		}
		if err := s.end(); errors.Is(err, ErrExists) == back || (err == nil) != back {
			t.Errorf("taken back %v: %v", back, err)
		}
		wantFiles(t, dir, want)
	}
}

// What waits is bounded in number.
func TestSplitterHoldsBackSoMany(t *testing.T) {
	s, _ := split(t, Limits{})
	s.files = make([]piece, maxPending)
	if _, err := s.within(0); !errors.Is(err, errPending) {
		t.Errorf("error %v", err)
	}
	s.files = s.files[1:]
	if _, err := s.within(0); err != nil {
		t.Error(err)
	}
	s.files = nil
}
