package spate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"spate/internal/farm"
	"spate/source"
	"spate/source/filesource"
)

func TestZeroClient(t *testing.T) {
	origin := newFarm(t)
	origin.Serve("/text", farm.Resource{Body: []byte("over http")})
	path := filepath.Join(t.TempDir(), "text")
	must(t, os.WriteFile(path, []byte("from a file"), 0o600))
	var c Client
	defer c.CloseIdleConnections()
	for url, want := range map[string]string{origin.URL("/text"): "over http", filesource.URL(path): "from a file"} {
		s, err := c.Open(t.Context(), url)
		must(t, err)
		if got := readAll(t, s); got != want {
			t.Errorf("%s is %q, want %q", url, got, want)
		}
		must(t, s.Close())
	}
}

func TestCloseIdleConnectionsOfAnUnusedClient(t *testing.T) {
	new(Client).CloseIdleConnections()
	(&Client{Source: shelf{}}).CloseIdleConnections()
}

func TestCloseIdleConnections(t *testing.T) {
	origin := newFarm(t)
	origin.Serve("/text", farm.Resource{Body: []byte("text")})
	c := newClient(t)
	for range 2 {
		s, err := c.Open(t.Context(), origin.URL("/text"))
		must(t, err)
		readAll(t, s)
		must(t, s.Close())
		c.CloseIdleConnections()
	}
	if n := origin.Count(farm.Connected, ""); n != 2 {
		t.Errorf("%d connections, want 2: the first was to be closed", n)
	}
}

func TestSourceOverrides(t *testing.T) {
	c := &Client{Source: shelf{"odd:thing": "of another kind"}}
	s, err := c.Open(t.Context(), "odd:thing")
	must(t, err)
	defer s.Close()
	if got := readAll(t, s); got != "of another kind" {
		t.Errorf("got %q", got)
	}
}

func TestOpenErrors(t *testing.T) {
	origin := newFarm(t)
	origin.Serve("/broken", farm.Resource{Status: 503})
	origin.Serve("/gone", farm.Resource{Status: 410})
	tests := []struct {
		name, url string
		is        error
		kind      source.Kind
	}{
		{"404", origin.URL("/missing"), fs.ErrNotExist, source.KindStatus},
		{"410", origin.URL("/gone"), fs.ErrNotExist, source.KindStatus},
		{"503", origin.URL("/broken"), source.ErrUnavailable, source.KindStatus},
		{"nobody there", farm.Dead() + "/", source.ErrUnavailable, source.KindNetwork},
		{"unknown scheme", "gopher://host/", nil, source.KindMalformed},
		{"no URL", "http://[", nil, source.KindMalformed},
		{"empty", "", nil, source.KindMalformed},
		{"no such file", filesource.URL(filepath.Join(t.TempDir(), "missing")), fs.ErrNotExist, source.KindLocal},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := newClient(t)
			s, err := c.Open(t.Context(), test.url)
			if err == nil {
				s.Close()
				t.Fatal("no error")
			}
			if test.is != nil && !errors.Is(err, test.is) {
				t.Errorf("error %v is not %v", err, test.is)
			}
			e, ok := errors.AsType[*source.Error](err)
			if !ok || e.Kind != test.kind {
				t.Errorf("error %v (%T) is not of kind %v", err, err, test.kind)
			}
			if _, err := c.Stat(t.Context(), test.url); test.is != nil && !errors.Is(err, test.is) {
				t.Errorf("Stat: %v", err)
			}
		})
	}
}

func TestErrorsAreRedacted(t *testing.T) {
	origin := newFarm(t)
	u := mustParse(t, origin.URL("/missing?token=hidden1"))
	u.User = nil
	raw := strings.Replace(u.String(), "http://", "http://me:hidden2@", 1)
	c := newClient(t)
	_, openErr := c.Open(t.Context(), raw)
	_, statErr := c.Stat(t.Context(), raw)
	_, getErr := c.Get(t.Context(), raw, filepath.Join(t.TempDir(), "FILE"), nil)
	_, schemeErr := URL("htp://me:hidden2@host/?token=hidden1")
	_, hintErr := URL("me:hidden2@host.example/?token=hidden1")
	_, slashErr := URL("//me:hidden2@host.example/?token=hidden1")
	for _, err := range []error{openErr, statErr, getErr, schemeErr, hintErr, slashErr} {
		if err == nil || strings.Contains(err.Error(), "hidden") {
			t.Errorf("error %v", err)
		}
	}
}

func TestStat(t *testing.T) {
	origin := newFarm(t)
	at := time.Date(2008, 10, 3, 11, 0, 0, 0, time.UTC)
	origin.Serve("/a.jpg", farm.Resource{Body: []byte("12345"), MediaType: "image/jpeg", ETag: `"v1"`, ModTime: at,
		Disposition: `attachment; filename="b.jpg"`})
	origin.Serve("/moved", farm.Resource{Redirect: "/a.jpg"})
	origin.Serve("/a.parts", farm.Resource{Body: []byte("a.jpg\n")})
	origin.Serve("/typed", farm.Resource{Body: []byte("a.jpg\n"), MediaType: "text/parts-manifest; charset=utf-8"})
	origin.Serve("/to-parts", farm.Resource{Redirect: "/a.parts"})
	c := newClient(t)
	for _, path := range []string{"/a.jpg", "/moved"} {
		info, err := c.Stat(t.Context(), origin.URL(path))
		must(t, err)
		want := source.Info{URL: origin.URL("/a.jpg"), Size: 5, MediaType: "image/jpeg", Validator: `"v1"`, ETag: `"v1"`, Name: "b.jpg",
			ModTime: at, Seekable: true}
		if !info.ModTime.Equal(at) {
			t.Errorf("%s: ModTime %v, want %v", path, info.ModTime, at)
		}
		if got := http.Header(info.Header).Get("Content-Disposition"); got == "" {
			t.Errorf("%s: the header is %v", path, info.Header)
		}
		info.ModTime, info.Header = at, nil
		if !reflect.DeepEqual(info, want) {
			t.Errorf("%s: %+v, want %+v", path, info, want)
		}
	}
	for _, path := range []string{"/a.parts", "/typed", "/to-parts"} {
		info, err := c.Stat(t.Context(), origin.URL(path))
		must(t, err)
		if info.Size != -1 {
			t.Errorf("%s: Size %d, want -1: the stream's is not known", path, info.Size)
		}
	}
	if n := origin.Requests("/a.jpg"); n != 2 {
		t.Errorf("%d requests for the part, want 2: a manifest's parts are not looked at", n)
	}
}

func TestStatOfWhatHasNoEnd(t *testing.T) {
	origin := newFarm(t)
	origin.Serve("/endless", farm.Resource{Gen: func(_ int64, p []byte) int { return len(p) }})
	info, err := newClient(t).Stat(t.Context(), origin.URL("/endless"))
	must(t, err)
	if info.Size != -1 {
		t.Errorf("Size %d, want -1", info.Size)
	}
}

// One Client, many streams at once, each read in its own pace.
func TestManyStreamsOfOneClient(t *testing.T) {
	const streams = 32
	origin := newFarm(t)
	texts := make([]string, streams)
	for i := range texts {
		texts[i] = strings.Repeat(fmt.Sprintf("text %d ", i), 5000)
		origin.Serve(fmt.Sprintf("/%d", i), farm.Resource{Body: []byte(texts[i])})
	}
	for _, share := range []bool{false, true} {
		c := newClient(t)
		c.Options.ShareBudget = share
		var wg sync.WaitGroup
		for i := range streams {
			wg.Go(func() {
				s, err := c.Open(t.Context(), origin.URL(fmt.Sprintf("/%d", i)))
				if err != nil {
					t.Error(err)
					return
				}
				defer s.Close()
				got, err := io.ReadAll(s)
				if err != nil || string(got) != texts[i] {
					t.Errorf("stream %d: %d bytes, %v", i, len(got), err)
				}
			})
		}
		wg.Wait()
	}
}

// More streams than there are connections to a host, read in turns by one goroutine.
func TestInterleavedStreams(t *testing.T) {
	const streams = 12
	origin := newFarm(t)
	text := strings.Repeat("0123456789", 20_000)
	origin.Serve("/text", farm.Resource{Body: []byte(text)})
	c := newClient(t)
	c.Options = Options{PerHost: 2, ShareBudget: true}
	open := make([]*Stream, streams)
	for i := range open {
		s, err := c.Open(t.Context(), origin.URL("/text"))
		must(t, err)
		defer s.Close()
		open[i] = s
	}
	got := make([]strings.Builder, streams)
	for len(got[streams-1].String()) < len(text) {
		for i, s := range open {
			if _, err := io.CopyN(&got[i], s, 1000); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i := range got {
		if got[i].String() != text {
			t.Errorf("stream %d is not what was served", i)
		}
	}
}

func TestContextEndsAStream(t *testing.T) {
	origin := newFarm(t)
	origin.Serve("/stalls", farm.Resource{Body: []byte("half of it"), StallAt: 4})
	origin.Serve("/hangs", farm.Resource{HangHeader: true})
	c := newClient(t)
	ctx, cancel := context.WithCancel(t.Context())
	s, err := c.Open(ctx, origin.URL("/stalls"))
	must(t, err)
	defer s.Close()
	if _, err := io.ReadFull(s, make([]byte, 4)); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := s.Read(make([]byte, 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("Read: %v, want context.Canceled", err)
	}
	if _, err := c.Open(ctx, origin.URL("/stalls")); !errors.Is(err, context.Canceled) {
		t.Errorf("Open with a context that has ended: %v, want context.Canceled", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	go func() {
		_ = origin.Wait(t.Context(), farm.Arrived, "/hangs", 1)
		cancel()
	}()
	if _, err := c.Open(ctx, origin.URL("/hangs")); !errors.Is(err, context.Canceled) {
		t.Errorf("Open that hangs: %v, want context.Canceled", err)
	}
}
