package spate

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"spate/fetch"
	"spate/fetch/journal"
	"spate/internal/farm"
	"spate/internal/leak"
	"spate/source"
)

func TestMain(m *testing.M) {
	leak.Main(m)
}

// A shelf is a Source of texts by URL.
type shelf map[string]string

func (s shelf) Open(_ context.Context, raw string, rng source.Range) (*source.Resource, error) {
	text, ok := s[raw]
	if !ok {
		return nil, &source.Error{Op: "open", URL: raw, Kind: source.KindStatus, Status: 404, Err: errors.New("not found")}
	}
	res := &source.Resource{
		Info: source.Info{URL: raw, Size: int64(len(text)), Seekable: true},
		Off:  min(rng.Off, int64(len(text))),
	}
	res.Len = res.Size - res.Off
	res.Body = io.NopCloser(strings.NewReader(text[res.Off:]))
	return res, nil
}

// bodies is a Source that has the same body, of unknown length, under every URL.
func bodies(open func(ctx context.Context) io.ReadCloser) source.Source {
	return source.Func(func(ctx context.Context, raw string, _ source.Range) (*source.Resource, error) {
		return &source.Resource{Info: source.Info{URL: raw, Size: -1}, Len: -1, Body: open(ctx)}, nil
	})
}

// A silentBody has text, and then nothing until its context or it itself ends.
type silentBody struct {
	ctx    context.Context
	text   *strings.Reader
	waits  chan struct{} // gets a token when a Read waits; may be nil
	closed chan struct{}
}

func newSilentBody(ctx context.Context, text string) *silentBody {
	return &silentBody{ctx: ctx, text: strings.NewReader(text), waits: make(chan struct{}, 1), closed: make(chan struct{})}
}

func (b *silentBody) Read(p []byte) (int, error) {
	if n, _ := b.text.Read(p); n > 0 {
		return n, nil
	}
	select {
	case b.waits <- struct{}{}:
	default:
	}
	select {
	case <-b.ctx.Done():
		return 0, b.ctx.Err()
	case <-b.closed:
		return 0, os.ErrClosed
	}
}

func (b *silentBody) Close() error {
	close(b.closed)
	return nil
}

// endless is text again and again.
type endless string

func (e endless) Read(p []byte) (int, error) {
	n := 0
	for n+len(e) <= len(p) {
		n += copy(p[n:], e)
	}
	if n == 0 {
		return 0, io.ErrShortBuffer
	}
	return n, nil
}

// packed is a sequence of these files.
func packed(files ...string) string {
	var b strings.Builder
	for _, f := range files {
		b.Write([]byte{byte(len(f) >> 24), byte(len(f) >> 16), byte(len(f) >> 8), byte(len(f))})
		b.WriteString(f)
	}
	return b.String()
}

func newFarm(t *testing.T) *farm.Farm {
	t.Helper()
	f := farm.New()
	t.Cleanup(f.Close)
	return f
}

// newClient is a client of the network.
func newClient(t *testing.T) *Client {
	c := new(Client)
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func readAll(t *testing.T, s *Stream) string {
	t.Helper()
	b, err := io.ReadAll(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func wantFiles(t *testing.T, dir string, want map[string]string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	got := map[string]string{}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		must(t, err)
		got[e.Name()] = string(b)
	}
	for name, text := range want {
		if have, ok := got[name]; !ok || have != text {
			t.Errorf("%s has %.100q (there: %v), want %.100q", name, have, ok, text)
		}
		delete(got, name)
		if base, isPart := strings.CutSuffix(name, fetch.Ext); isPart {
			delete(got, base+journal.Ext) // where there is one
		}
	}
	if len(got) > 0 {
		t.Errorf("unexpected files: %.300q", got)
	}
}

func sameBytes(t *testing.T, got, want []byte) {
	t.Helper()
	if !bytes.Equal(got, want) {
		t.Errorf("got %d bytes %.60q, want %d bytes %.60q", len(got), got, len(want), want)
	}
}

func mustParse(t *testing.T, raw string) *url.URL {
	t.Helper()
	u, err := url.Parse(raw)
	must(t, err)
	return u
}

func wantStrings(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}
