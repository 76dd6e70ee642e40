package assemble_test

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"maps"
	"sync"
	"testing"

	"spate/assemble"
	"spate/source"
)

// A guestbook is a Source of texts by URL, and writes down which of them were vouched for.
type guestbook struct {
	texts map[string]string

	mu    sync.Mutex
	asked map[string]bool
}

func (g *guestbook) Open(ctx context.Context, url string, rng source.Range) (*source.Resource, error) {
	g.mu.Lock()
	g.asked[url] = source.IsVouched(ctx)
	g.mu.Unlock()
	text, ok := g.texts[url]
	if !ok {
		return nil, &source.Error{Op: "open", URL: url, Kind: source.KindStatus, Status: 404, Err: fs.ErrNotExist}
	}
	size := int64(len(text))
	return &source.Resource{
		Info: source.Info{URL: url, Size: size, Seekable: true, Validator: "v"},
		Off:  rng.Off, Len: size - rng.Off, Body: io.NopCloser(bytes.NewReader([]byte(text[rng.Off:]))),
	}, nil
}

// TestVouch: what a local manifest names is vouched for, and what a manifest there names beside itself; nothing else is.
func TestVouch(t *testing.T) {
	texts := map[string]string{
		"file:///m.parts":    "(*)\nsftp://a/1\n--\nsftp://a/b/n.parts\n--\nhttp://r/n.parts\n--\nsftp://a/last\n",
		"sftp://a/1":         "1",
		"sftp://a/b/n.parts": "2\n--\n(*)\nsftp://a:22/3\nsftp://a/3\n--\nsftp://c/n.parts\n",
		"sftp://a/b/2":       "2",
		"sftp://a/3":         "3",
		"sftp://c/n.parts":   "4\n--\nsftp://a/5\n",
		"sftp://c/4":         "4",
		"sftp://a/5":         "5",
		"http://r/n.parts":   "6\n--\nsftp://c/7\n",
		"http://r/6":         "6",
		"sftp://c/7":         "7",
		"sftp://a/last":      "8",
	}
	want := map[string]bool{
		"file:///m.parts": false, "sftp://a/1": true, "sftp://a/b/n.parts": true, "sftp://a/b/2": true, "sftp://a:22/3": false,
		"sftp://a/3": true, "sftp://c/n.parts": false, "sftp://c/4": false, "sftp://a/5": false, "http://r/n.parts": true,
		"http://r/6": true, "sftp://c/7": false, "sftp://a/last": true,
	}
	for _, ahead := range []int{1, 16} {
		g := &guestbook{texts: texts, asked: map[string]bool{}}
		read(t, g, "file:///m.parts", &assemble.Options{Ahead: ahead}).want(t, []byte("12345678"))
		if !maps.Equal(g.asked, want) {
			t.Errorf("ahead %d: %v, want %v", ahead, g.asked, want)
		}
	}
	g := &guestbook{texts: texts, asked: map[string]bool{}}
	read(t, g, "sftp://a/b/n.parts", nil).want(t, []byte("2345"))
	for url, vouched := range g.asked {
		if vouched {
			t.Errorf("%s: a manifest from the network vouches for it", url)
		}
	}
}
