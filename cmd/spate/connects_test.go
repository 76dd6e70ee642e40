package main

import (
	"io"
	"net/http"
	"testing"

	"spate/internal/farm"
	"spate/source"
	"spate/source/filesource"
	"spate/source/httpsource"
	"spate/source/sourcetest"
)

func TestCountingIsASource(t *testing.T) {
	origin := farm.New()
	defer origin.Close()
	src := httpsource.New(nil)
	sourcetest.Run(t, sourcetest.Harness{
		Source: counting{src},
		Put: func(_ *testing.T, name string, content []byte) string {
			origin.Serve("/"+name, farm.Resource{Body: content})
			return origin.URL("/" + name)
		},
		Seekable: true,
		Dialer:   true,
		Settle:   src.CloseIdleConnections,
	})
}

// TestCounting: a connection counts once, for who asked first.
func TestCounting(t *testing.T) {
	origin := farm.New()
	defer origin.Close()
	origin.Serve("/x", farm.Resource{Body: []byte("text")})
	origin.Serve("/ended", farm.Resource{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
	})})
	inner := httpsource.New(nil)
	defer inner.CloseIdleConnections()
	src := counting{source.Mux{"http": inner, "file": filesource.Source{}}}
	ctx, n := withConnects(t.Context())
	ask := func(s source.Source, url string) {
		t.Helper()
		res, err := s.Open(ctx, url, source.From(0))
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, res.Body)
		res.Body.Close()
	}
	want := func(what string, want int64) {
		t.Helper()
		if got := n.Load(); got != want {
			t.Errorf("%s: %d, want %d", what, got, want)
		}
	}
	ask(src, origin.URL("/x"))
	ask(src, origin.URL("/x"))
	want("one connection", 1)
	ask(src, origin.URL("/ended"))
	ask(src, origin.URL("/x"))
	want("a second one", 2)
	session, err := source.Dial(ctx, src, origin.URL("/x"))
	if err != nil {
		t.Fatal(err)
	}
	ask(session, origin.URL("/x"))
	ask(session, origin.URL("/x"))
	session.Close()
	want("a session", 3)
	if _, err := src.Open(ctx, farm.Dead()+"/x", source.From(0)); err == nil {
		t.Error("no error")
	}
	ask(src, filesource.URL("/dev/null"))
	want("no connections", 3)
	ctx = t.Context()
	ask(src, origin.URL("/x"))
}
