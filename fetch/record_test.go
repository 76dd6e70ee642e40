package fetch

import (
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"spate/fetch/journal"
)

// A small file is recorded without goroutines for as long as a journal is not due; then it has one as any other.
func TestSmallFileHasJournalInTime(t *testing.T) {
	for _, tt := range []struct {
		name  string
		wait  time.Duration
		there bool
	}{
		{"before its time", syncEvery - time.Nanosecond, false},
		{"in its time", syncEvery, true},
		{"long after", 10 * syncEvery, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "file")
			synctest.Test(t, func(t *testing.T) {
				f, err := Create(path, nil)
				if err != nil {
					t.Fatal(err)
				}
				defer f.Discard()
				r := recorderOf(t, f)
				r.start(true)
				r.give(block{b: []byte("first")})
				time.Sleep(tt.wait)
				synctest.Wait()
				_, err = journal.Read(path + journal.Ext)
				if there := err == nil; there != tt.there {
					t.Errorf("a journal is there: %v (%v)", there, err)
				}
				r.give(block{off: 5, b: []byte("second")})
				if err := r.end(false); err != nil {
					t.Fatal(err)
				}
				s, err := journal.Read(path + journal.Ext)
				if err != nil || s.Covered().Bytes() != 11 {
					t.Errorf("the journal has %v, %v", s, err)
				}
			})
		})
	}
}

// recorderOf is a recorder of f, of nothing but what it is given.
func recorderOf(t *testing.T, f *File) *recorder {
	r := newRecorder(f)
	r.header = func() journal.Header { return journal.Header{Size: 1 << 10} }
	r.pass, r.voided = func(block) {}, func() {}
	r.failed = func(err error) { t.Error(err) }
	return r
}

// What was written is made durable, and the journal says so, each second, and each 64 MiB without waiting for that.
func TestSyncsAsItGoes(t *testing.T) {
	for _, tt := range []struct {
		name    string
		blocks  int // of a MiB
		wait    time.Duration
		durable bool
	}{
		{"before a second", 1, time.Second - time.Nanosecond, false},
		{"after a second", 1, time.Second, true},
		{"a block less than 64 MiB", 63, 0, false},
		{"64 MiB", 64, 0, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path, data := filepath.Join(t.TempDir(), "file"), make([]byte, 1<<20)
			synctest.Test(t, func(t *testing.T) {
				f, err := Create(path, nil)
				if err != nil {
					t.Fatal(err)
				}
				defer f.Discard()
				r := recorderOf(t, f)
				r.header = func() journal.Header { return journal.Header{Size: 1 << 30} }
				r.start(false)
				for i := range int64(tt.blocks) { // from the second on, so that there is a journal in any case
					if err := r.put(block{off: (i + 1) << 20, b: data}, func() error { return nil }); err != nil {
						t.Fatal(err)
					}
				}
				time.Sleep(tt.wait)
				synctest.Wait()
				s, err := journal.Read(path + journal.Ext)
				if err != nil || s.Covered().Bytes() != int64(tt.blocks)<<20 {
					t.Fatalf("the journal has %+v, %v", s, err)
				}
				for _, x := range s.Ranges {
					if x.Durable != tt.durable {
						t.Errorf("%+v, want durable: %v", x, tt.durable)
					}
				}
				if err := r.end(false); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}
