package fetch

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"testing"

	"spate/fetch/journal"
	"spate/internal/farm"
	"spate/source"
)

// flippedAll is data with a bit of every byte flipped.
func flippedAll(data []byte) []byte {
	other := bytes.Clone(data)
	for i := range other {
		other[i] ^= 1
	}
	return other
}

// TestVoidedJournal: once all of an earlier download was given up, its validator says nothing of what came in its place.
func TestVoidedJournal(t *testing.T) {
	data := content(16 << 20)
	f := farm.New()
	defer f.Close()
	path := filepath.Join(t.TempDir(), "x")
	cutShort(t, f, path, farm.Resource{Body: data, ETag: `"1"`})

	f.Serve("/y", farm.Resource{Body: flippedAll(data), NoRange: true, StallAt: 8 << 20})
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	go func() {
		f.Wait(t.Context(), farm.Stuck, "/y", 1)
		cancel(enough)
	}()
	done, err := download(ctx, t, path, &ObjectOptions{}, f.URL("/y"))
	if !errors.Is(err, enough) && !errors.Is(err, source.ErrChanged) {
		t.Fatalf("%+v, %v", done, err)
	}

	f.Serve("/x", farm.Resource{Body: data, ETag: `"1"`})
	done, err = download(t.Context(), t, path, &ObjectOptions{Hashes: sha256Only}, f.URL("/x"))
	if err == nil {
		wantWhole(t, path, data, done)
	} else if !errors.Is(err, source.ErrChanged) {
		t.Errorf("%+v, %v", done, err)
	}
}

// TestRestartIsRecorded: once a recorder was told that all is void, no journal says that anything is there.
func TestRestartIsRecorded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	file, err := Create(path, nil)
	must(t, err)
	defer file.Discard()
	origin := journal.Origin{URL: "http://a.example/x", Validator: `"1"`}
	r := newRecorder(file)
	r.header = func() journal.Header { return journal.Header{Origins: []journal.Origin{origin}, Size: -1} }
	r.pass, r.voided, r.failed = func(block) {}, func() {}, func(err error) { t.Error(err) }
	must(t, r.begin())
	r.start(false)
	for i := range int64(10) {
		r.blocks <- block{off: 10 * i, b: make([]byte, 5)}
	}
	origin.Validator = `"2"`
	r.restart()
	s, err := journal.Read(path + journal.Ext)
	must(t, err)
	if len(s.Ranges) > 0 || s.Header.Origins[0] != origin {
		t.Errorf("%+v", s)
	}
	must(t, r.end(false))
}
