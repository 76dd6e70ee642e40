package fetch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"spate/fetch/journal"
)

func recorded() *Options {
	h := &journal.Header{Origins: []journal.Origin{{URL: "http://a.example/m.parts", Validator: `"1"`}}, Size: -1}
	return &Options{SHA256: true, Journal: h}
}

// crashed copies what is there of the file at path elsewhere, as a process that dies leaves it.
func crashed(t *testing.T, path string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "FILE")
	for _, ext := range []string{Ext, journal.Ext} {
		b, err := os.ReadFile(path + ext)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		must(t, err)
		must(t, os.WriteFile(to+ext, b, 0o600))
	}
	return to
}

// mustGoOn opens what is left of the file at path; nil where that is of no use.
func mustGoOn(t *testing.T, path string) *File {
	t.Helper()
	f, err := Resume(t.Context(), path, nil)
	must(t, err)
	if f == nil {
		return nil
	}
	t.Cleanup(func() { f.Keep() })
	is, err := f.GoOn(t.Context(), recorded())
	must(t, err)
	if !is {
		t.Fatal("it was not written in order")
	}
	return f
}

// wantBeginning checks that f is the beginning of data.
func wantBeginning(t *testing.T, f *File, data []byte) {
	t.Helper()
	if f.Size() > int64(len(data)) {
		t.Fatalf("%d bytes are there of %d", f.Size(), len(data))
	}
	got := make([]byte, f.Size())
	_, err := f.ReadAt(got, 0)
	must(t, err)
	sum := sha256.Sum256(got)
	if !bytes.Equal(got, data[:len(got)]) || !bytes.Equal(f.SHA256(), sum[:]) {
		t.Fatalf("other bytes, or their digest: %d of %d are there", f.Size(), len(data))
	}
}

// TestOrdered writes, takes back, dies and goes on, at random: what is there is always what was written.
func TestOrdered(t *testing.T) {
	seed := rand.Uint64()
	rnd := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	var data []byte
	synced, part := 0, int64(0)
	f, path := begin(t, recorded())
	for range 300 {
		switch d := rnd.IntN(12); {
		case d < 6:
			part++
			must(t, f.Note(journal.Place{At: f.Size(), Part: part, URL: "http://a.example/p"}))
			p := make([]byte, rnd.IntN(1<<rnd.IntN(22)))
			for i := range p {
				p[i] = byte(rnd.Uint32())
			}
			_, err := f.Write(p)
			must(t, err)
			data = append(data, p...)
		case d < 8:
			off := rnd.IntN(len(data) + 1)
			must(t, f.Rewind(int64(off)))
			data, synced = data[:off], min(synced, off)
		case d < 10:
			must(t, f.ordered.sync())
			synced = len(data)
		default:
			path = crashed(t, path)
			if f = mustGoOn(t, path); f == nil {
				f = mustCreate(t, path, recorded())
			}
			if f.Size() < int64(synced) {
				t.Fatalf("%d bytes are there, %d were recorded", f.Size(), synced)
			}
			wantBeginning(t, f, data)
			data = data[:f.Size()]
			synced = len(data)
		}
	}
	must(t, f.Keep())
	f = mustGoOn(t, path)
	if f.Size() != int64(len(data)) {
		t.Errorf("%d bytes were kept of %d", f.Size(), len(data))
	}
	wantBeginning(t, f, data)
	must(t, f.Commit())
	wantContent(t, path, string(data))
	wantNames(t, path, "FILE")
}

// A journal that ends anywhere tells of a beginning.
func TestOrderedJournalCut(t *testing.T) {
	f, path := begin(t, recorded())
	text := "one two three four"
	for i := 0; i < len(text); i += 3 {
		must(t, f.Note(journal.Place{At: f.Size(), Part: int64(i / 3), URL: "http://a.example/p"}))
		write(t, f, text[i:i+3])
		must(t, f.ordered.sync())
	}
	must(t, f.Keep())
	whole, err := os.ReadFile(path + journal.Ext)
	must(t, err)
	for n := range whole {
		to := crashed(t, path)
		must(t, os.WriteFile(to+journal.Ext, whole[:n], 0o600))
		if f := mustGoOn(t, to); f != nil {
			wantBeginning(t, f, []byte(text))
			must(t, f.Keep())
		}
	}
}

// What is left stays as it is until something is written.
func TestOrderedStaysAsItIs(t *testing.T) {
	f, path := begin(t, recorded())
	must(t, f.Note(journal.Place{URL: "http://a.example/p"}))
	write(t, f, "half of it")
	must(t, f.Keep())
	part, err := os.OpenFile(path+Ext, os.O_WRONLY|os.O_APPEND, 0)
	must(t, err)
	_, err = part.WriteString(", and what was not recorded")
	must(t, errors.Join(err, part.Close()))
	before, err := os.ReadFile(path + journal.Ext)
	must(t, err)
	f = mustGoOn(t, path)
	must(t, f.Keep())
	wantContent(t, path+Ext, "half of it, and what was not recorded")
	wantContent(t, path+journal.Ext, string(before))
	f = mustGoOn(t, path)
	must(t, f.Commit())
	wantContent(t, path, "half of it")
	wantNames(t, path, "FILE")
}

// What is soon whole has no journal; what is not has one after a second, which names where the bytes come from.
func TestOrderedAfterASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, path := begin(t, recorded())
		must(t, f.Note(journal.Place{URL: "http://a.example/p", Validator: `"2"`}))
		write(t, f, "text")
		time.Sleep(syncEvery - 1)
		synctest.Wait()
		wantNames(t, path, "FILE.part")
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		wantNames(t, path, "FILE.part", "FILE.spate")
		s, err := journal.Read(path + journal.Ext)
		must(t, err)
		if len(s.Ranges) != 1 || !s.Ranges[0].Durable || len(s.Places) != 1 || s.Places[0].Validator != `"2"` {
			t.Errorf("%+v", s)
		}
		must(t, f.Discard())
		wantNames(t, path)
	})
}

// Any number of parts without a second between them is remembered by some.
func TestOrderedManyPlaces(t *testing.T) {
	f, path := begin(t, recorded())
	for i := range int64(5 * maxEarly) {
		must(t, f.Note(journal.Place{At: i, Part: i, URL: "http://a.example/p"}))
		write(t, f, "x")
	}
	must(t, f.Keep())
	f = mustGoOn(t, path)
	places := f.Places()
	if n := len(places); n == 0 || n > 256 || places[n-1].Part != 5*maxEarly-1 {
		t.Errorf("%d places", n)
	}
}

// A name too long for a journal is none for a download.
func TestOrderedWithoutAJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), string(bytes.Repeat([]byte("x"), 255-len(Ext))))
	f := mustCreate(t, path, recorded())
	must(t, f.Note(journal.Place{}))
	write(t, f, "text")
	must(t, f.Rewind(2))
	must(t, f.Commit())
	wantContent(t, path, "te")
}

func TestGoOnEndsWithItsContext(t *testing.T) {
	f, path := begin(t, recorded())
	must(t, f.Note(journal.Place{URL: "http://a.example/p"}))
	write(t, f, "text")
	must(t, f.Keep())
	f, err := Resume(t.Context(), path, nil)
	must(t, err)
	defer f.Keep()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.GoOn(ctx, recorded()); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
