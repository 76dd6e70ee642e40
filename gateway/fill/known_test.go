package fill

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"spate/internal/farm"
)

func TestKnown(t *testing.T) {
	f := origin(t)
	body := content(3 << 20)
	f.Serve("/x", farm.Resource{Body: body, ETag: `"1"`, Header: http.Header{"X-Told": {"first"}, "X-Once": {"a"}}})
	p := pool(t, Options{})
	mirrors := []string{f.URL("/x")}
	if p.Known(t.Context(), mirrors) != nil {
		t.Fatal("known, and nobody was asked")
	}
	begun := time.Now()
	wants(t, open(t, p, 0, mirrors[0]), 0, 10, body[:10])
	known := p.Known(t.Context(), mirrors)
	if known == nil {
		t.Fatal("not known")
	}
	defer known.Close()
	at := known.Confirmed()
	if told := known.Info().Header["X-Told"]; at.Before(begun) || at.After(time.Now()) || len(told) != 1 || told[0] != "first" || known.Has() {
		t.Errorf("confirmed at %v, told %q, all of it: %v", at, told, known.Has())
	}

	f.Serve("/x", farm.Resource{Body: body, ETag: `"1"`, Header: http.Header{"X-Told": {"then"}}})
	again, err := p.Open(within(t), What{Mirrors: mirrors, Fresh: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	h := known.Info().Header
	if !known.Confirmed().After(at) || strings.Join(h["X-Told"], "")+strings.Join(h["X-Once"], "") != "thena" {
		t.Errorf("confirmed at %v and %v, the header is %v", at, known.Confirmed(), h)
	}
	wants(t, known, 0, -1, body)
	if !known.Has() {
		t.Error("not all of it is there")
	}
}

func TestForget(t *testing.T) {
	f := origin(t)
	f.Serve("/x", farm.Resource{Body: []byte("one")})
	p := pool(t, Options{Fresh: -1})
	mirrors := []string{f.URL("/x")}
	p.Forget(mirrors) // nobody knows it
	was := open(t, p, 0, mirrors[0])
	wants(t, was, 0, -1, []byte("one"))
	f.Serve("/x", farm.Resource{Body: []byte("two")})
	p.Forget(mirrors)
	if p.Known(t.Context(), mirrors) != nil {
		t.Error("it is still known")
	}
	wants(t, open(t, p, 0, mirrors[0]), 0, -1, []byte("two"))
	wants(t, was, 0, -1, []byte("one"))

	unused, err := p.Open(within(t), What{Mirrors: mirrors})
	if err != nil {
		t.Fatal(err)
	}
	unused.Close()
	was.Close()
	p.Forget(mirrors)
	if files := p.Stats().Files; files > 1 { // the test itself has one open
		t.Errorf("%d files are left", files)
	}
}
