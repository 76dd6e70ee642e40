package fetch

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"spate/event"
	"spate/fetch/journal"
	"spate/format/span"
	"spate/internal/farm"
	"spate/source"
	"spate/source/httpsource"
)

// cutShort begins a download of the 16 MiB of data at path, and ends it after 12 MiB at most.
func cutShort(t *testing.T, f *farm.Farm, path string, res farm.Resource) *Done {
	t.Helper()
	res.StallAt = 12 << 20
	f.Serve("/x", res)
	return cutOff(t, f, path, &ObjectOptions{Connections: 4})
}

// cutOff begins a download of /x, and ends it once an answer has stalled and something is there.
func cutOff(t *testing.T, f *farm.Farm, path string, opts *ObjectOptions) *Done {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	stuck, written := f.Count(farm.Stuck, "/x")+1, make(chan struct{})
	go func() {
		select {
		case <-written:
			cancel(cmp.Or(f.Wait(t.Context(), farm.Stuck, "/x", stuck), enough))
		case <-ctx.Done():
		}
	}()
	src := httpsource.New(nil)
	defer src.CloseIdleConnections()
	done, err := downloadFrom(ctx, t, &wroteSome{src, sync.OnceFunc(func() { close(written) })}, path, opts, f.URL("/x"))
	cancel(nil)
	if !errors.Is(err, enough) || done.Size == 0 {
		t.Fatalf("%+v, %v", done, err)
	}
	return done
}

// wroteSome is a Source that tells when some of what it gave is written: when more is asked of an answer than a block holds, and what is
// compared before it.
type wroteSome struct {
	source.Source
	told func()
}

func (s *wroteSome) Open(ctx context.Context, url string, rng source.Range) (*source.Resource, error) {
	res, err := s.Source.Open(ctx, url, rng)
	if err == nil {
		res.Body = &wroteSomeBody{ReadCloser: res.Body, told: s.told}
	}
	return res, err
}

func (s *wroteSome) Dial(ctx context.Context, url string) (source.Session, error) {
	to, err := source.Dial(ctx, s.Source, url)
	if err != nil {
		return nil, err
	}
	return struct {
		source.Source
		io.Closer
	}{&wroteSome{to, s.told}, to}, nil
}

type wroteSomeBody struct {
	io.ReadCloser
	gave int
	told func()
}

func (b *wroteSomeBody) Read(p []byte) (int, error) {
	if b.gave > maxBlock+seamLen {
		b.told()
	}
	n, err := b.ReadCloser.Read(p)
	b.gave += n
	return n, err
}

// TestResume: what an origin has now goes on with what is there only if it is the same.
func TestResume(t *testing.T) {
	data := content(16 << 20)
	other := bytes.Clone(data)
	for i := range other {
		other[i] ^= 1
	}
	same := farm.Resource{Body: data, ETag: `"1"`}
	login := []byte("<html>who are you?</html>")
	for _, c := range []struct {
		name       string
		begun, now farm.Resource
		url        string
		refreshed  bool
		want       error
	}{
		{name: "same", begun: same, now: same},
		{name: "changed", begun: same, now: farm.Resource{Body: other, ETag: `"2"`}, want: source.ErrChanged},
		{name: "another validator", begun: same, now: farm.Resource{Body: data, ETag: `"2"`}, want: source.ErrChanged},
		{name: "another size", begun: same, now: farm.Resource{Body: data[1:], ETag: `"1"`}, want: source.ErrChanged},
		{name: "no validators, same", begun: farm.Resource{Body: data, ETag: farm.NoETag}, now: farm.Resource{Body: data, ETag: farm.NoETag}},
		{name: "no validators, changed", begun: farm.Resource{Body: data, ETag: farm.NoETag},
			now: farm.Resource{Body: other, ETag: farm.NoETag}, want: source.ErrChanged},
		{name: "weak, same", begun: farm.Resource{Body: data, ETag: `W/"1"`}, now: farm.Resource{Body: data, ETag: `W/"1"`}},
		{name: "weak, changed", begun: farm.Resource{Body: data, ETag: `W/"1"`}, now: farm.Resource{Body: other, ETag: `W/"1"`}, want: source.ErrChanged},
		{name: "no validators, same, 300 KB a request", begun: farm.Resource{Body: data, ETag: farm.NoETag},
			now: farm.Resource{Body: data, ETag: farm.NoETag, RangeMax: 300_000}},
		{name: "fresh URL", begun: same, now: farm.Resource{Body: data, ETag: `"9"`}, url: "/y"},
		{name: "fresh URL of another", begun: same, now: farm.Resource{Body: other, ETag: `"1"`}, url: "/y", want: source.ErrChanged},
		{name: "another validator, which says nothing", refreshed: true, begun: same, now: farm.Resource{Body: data, ETag: `"2"`}},
		{name: "another validator, which says nothing, of another", refreshed: true, begun: same,
			now: farm.Resource{Body: other, ETag: `"2"`}, want: source.ErrChanged},
		{name: "the same validator, which says nothing, of another", refreshed: true, begun: same,
			now: farm.Resource{Body: other, ETag: `"1"`}, want: source.ErrChanged},
		{name: "another size, whatever the validator says", refreshed: true, begun: same,
			now: farm.Resource{Body: data[1:], ETag: `"2"`}, want: source.ErrChanged},
		{name: "a login page", begun: same, now: farm.Resource{Body: login, ETag: farm.NoETag, MediaType: "text/html", NoRange: true}, want: source.ErrChanged},
		{name: "a login page of no length", begun: same, now: farm.Resource{Body: login, ETag: farm.NoETag, NoRange: true, NoLength: true},
			want: source.ErrChanged},
		{name: "no validators, a login page", begun: farm.Resource{Body: data, ETag: farm.NoETag},
			now: farm.Resource{Body: login, ETag: farm.NoETag, NoRange: true}, want: source.ErrChanged},
		{name: "another version, without ranges", begun: same, now: farm.Resource{Body: other, ETag: `"2"`, NoRange: true}, want: source.ErrChanged},
		{name: "one machine of several tells no size", begun: same,
			now: farm.Then(farm.Resource{Body: data, ETag: `"1"`, NoRange: true, NoLength: true}, farm.Resource{Body: data, ETag: `"1"`})},
		{name: "one machine of several tells no size, nor a validator", begun: farm.Resource{Body: data, ETag: farm.NoETag},
			now: farm.Then(farm.Resource{Body: data, ETag: farm.NoETag, NoRange: true, NoLength: true}, farm.Resource{Body: data, ETag: farm.NoETag})},
		{name: "no ranges, and no size any more", begun: same, now: farm.Resource{Body: data, ETag: `"1"`, NoRange: true, NoLength: true}},
		{name: "no ranges any more", begun: same, now: farm.Resource{Body: data, ETag: `"1"`, NoRange: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := farm.New()
			defer f.Close()
			path := filepath.Join(t.TempDir(), "x")
			left := cutShort(t, f, path, c.begun)
			url := "/x"
			if c.url != "" {
				url = c.url
			}
			f.Serve(url, c.now)
			opts := &ObjectOptions{Hashes: sha256Only, Connections: 4, Refreshed: c.refreshed}
			done, err := download(t.Context(), t, path, opts, f.URL(url))
			if !errors.Is(err, c.want) {
				t.Fatalf("%+v, %v; want %v", done, err, c.want)
			}
			if err != nil {
				wantLeft(t, path, data, left.Size)
				return
			}
			wantWhole(t, path, data, done)
			resumed := left.Size
			if c.now.NoRange {
				resumed = 0
			}
			if done.Resumed != resumed || done.Fetched != 16<<20-resumed {
				t.Errorf("%+v after %d bytes", done, left.Size)
			}
		})
	}
}

// TestNoSizeLeavesNoJournal: of an object whose size is not known nothing can be gone on with, and nothing says so. What a kill has left
// is begun anew.
func TestNoSizeLeavesNoJournal(t *testing.T) {
	f := farm.New()
	defer f.Close()
	data := content(16 << 20)
	sizeless := farm.Resource{Body: data, NoRange: true, NoLength: true}
	path := filepath.Join(t.TempDir(), "x")
	cutShort(t, f, path, sizeless)
	wantNames(t, path, filepath.Base(path)+Ext)

	must(t, os.WriteFile(path+Ext, data[:1<<20], 0o666))
	j, err := journal.Create(path+journal.Ext, &journal.State{Header: journal.Header{Origins: []journal.Origin{{URL: f.URL("/x")}}, Size: -1},
		Ranges: []journal.Range{{Span: span.Span{End: 1 << 20}, CRC: journal.Checksum(data[:1<<20])}}})
	must(t, err)
	must(t, j.Close())
	f.Serve("/x", sizeless)
	done, err := download(t.Context(), t, path, &ObjectOptions{Hashes: sha256Only}, f.URL("/x"))
	must(t, err)
	wantWhole(t, path, data, done)
}

// TestResumeSecondMirror: what the first mirror has is another thing now, the second one still has it.
func TestResumeSecondMirror(t *testing.T) {
	f := farm.New()
	defer f.Close()
	data := content(16 << 20)
	path := filepath.Join(t.TempDir(), "x")
	left := cutShort(t, f, path, farm.Resource{Body: data, ETag: `"1"`})
	f.Serve("/x", farm.Resource{Body: data, ETag: `"2"`})
	f.Serve("/y", farm.Resource{Body: data})
	var aside []event.Event
	opts := &ObjectOptions{Hashes: sha256Only, Events: func(e event.Event) {
		if e.Type == event.Aside {
			aside = append(aside, e)
		}
	}}
	done, err := download(t.Context(), t, path, opts, f.URL("/x"), f.URL("/y"))
	must(t, err)
	wantWhole(t, path, data, done)
	if done.Fetched != 16<<20-left.Size {
		t.Errorf("%+v after %d bytes", done, left.Size)
	}
	if len(aside) != 1 || !strings.HasSuffix(aside[0].URL, "/x") {
		t.Errorf("set aside: %+v", aside)
	}
}

// TestResumeDamaged: what is not right on the disk is fetched again.
func TestResumeDamaged(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	data := content(16 << 20)
	for _, damage := range []struct {
		name string
		do   func(t *testing.T, path string)
	}{
		{"journal cut", func(t *testing.T, path string) {
			text, err := os.ReadFile(path + journal.Ext)
			must(t, err)
			must(t, os.WriteFile(path+journal.Ext, text[:rnd.IntN(len(text))], 0o600))
		}},
		{"journal gone", func(t *testing.T, path string) { must(t, os.Remove(path+journal.Ext)) }},
		{"part gone", func(t *testing.T, path string) { must(t, os.Remove(path+Ext)) }},
		{"part cut", func(t *testing.T, path string) { must(t, os.Truncate(path+Ext, rnd.Int64N(10<<20))) }},
		{"part longer", func(t *testing.T, path string) { must(t, os.Truncate(path+Ext, 16<<20+1)) }},
		{"part zeros", func(t *testing.T, path string) {
			must(t, os.Truncate(path+Ext, 0))
			must(t, os.Truncate(path+Ext, 16<<20))
		}},
	} {
		t.Run(damage.name, func(t *testing.T) {
			f := farm.New()
			defer f.Close()
			path := filepath.Join(t.TempDir(), "x")
			cutShort(t, f, path, farm.Resource{Body: data})
			damage.do(t, path)
			f.Serve("/x", farm.Resource{Body: data})
			done, err := download(t.Context(), t, path, &ObjectOptions{Hashes: sha256Only, Connections: 3}, f.URL("/x"))
			must(t, err)
			wantWhole(t, path, data, done)
		})
	}
}

// TestResumeVerifiesAll: a piece that is damaged among many is found where all is to be read again.
func TestResumeVerifiesAll(t *testing.T) {
	const each, n = 4 << 10, 1000
	data := content(2 * each * n)
	path := filepath.Join(t.TempDir(), "x")
	must(t, os.WriteFile(path+Ext, data, 0o600))
	part, err := os.OpenFile(path+Ext, os.O_RDWR, 0)
	must(t, err)
	defer part.Close()
	j, err := journal.Create(path+journal.Ext, &journal.State{Header: journal.Header{
		Origins: []journal.Origin{{URL: "http://a.example/x"}}, Size: int64(len(data)), PieceSize: each}})
	must(t, err)
	for i := range int64(n) {
		x := span.Span{Off: 2 * i * each, End: (2*i + 1) * each}
		must(t, j.Add(x, journal.Checksum(data[x.Off:x.End])))
	}
	must(t, j.Sync(part))
	must(t, j.Close())
	_, err = part.WriteAt([]byte{data[500*each] + 1}, 500*each)
	must(t, err)
	f, err := Resume(t.Context(), path, &Options{VerifyAll: true})
	must(t, err)
	if there := f.left.Covered(); len(f.left.Ranges) != n-1 || there.Covers(span.Span{Off: 500 * each, End: 501 * each}) {
		t.Errorf("%d ranges are taken for right, of %d, one of which is damaged", len(f.left.Ranges), n)
	}
	must(t, f.Keep())
}

// TestCreateAfterCut: who does not resume begins anew, and nothing of the old journal is believed.
func TestCreateAfterCut(t *testing.T) {
	f := farm.New()
	defer f.Close()
	path := filepath.Join(t.TempDir(), "x")
	cutShort(t, f, path, farm.Resource{Body: content(16 << 20)})
	file, err := Create(path, nil)
	must(t, err)
	wantNames(t, path, filepath.Base(path)+Ext)
	must(t, file.Discard())
	wantNames(t, path)
}

func TestNameTooLongForAJournal(t *testing.T) {
	f := farm.New()
	defer f.Close()
	f.Serve("/x", farm.Resource{Body: content(10)})
	path := filepath.Join(t.TempDir(), strings.Repeat("n", 248))
	_, err := download(t.Context(), t, path, &ObjectOptions{}, f.URL("/x"))
	if !errors.Is(err, syscall.ENAMETOOLONG) {
		t.Error(err)
	}
	wantNames(t, path)
}
