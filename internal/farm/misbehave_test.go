package farm

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
)

func TestBreaks(t *testing.T) {
	body := letters(1000)
	cases := []struct {
		name, header string
		res          Resource
		want         []byte // of a body that ends in an error
	}{
		{"at once", "", Resource{BreakAt: AtOnce}, nil},
		{"after a byte", "", Resource{BreakAt: 1}, body[:1]},
		{"before the last byte", "", Resource{BreakAt: 999}, body[:999]},
		{"before the end of chunks", "", Resource{BreakAt: 1000, NoLength: true}, body},
		{"within a range", "bytes=100-", Resource{BreakAt: 500}, body[100:500]},
		{"where a range starts", "bytes=500-", Resource{BreakAt: 500}, nil},
		{"in each answer", "bytes=100-", Resource{BreakAfter: 300}, body[100:400]},
		{"with a false length", "", Resource{BreakAt: 10, LengthOff: 5}, body[:10]},
		{"generated", "", Resource{BreakAt: 100, Gen: alphabet}, body[:100]},
		{"length too long", "", Resource{LengthOff: 1}, body},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			c.res.Body = body
			f, client := grow(t, c.res)
			var header []string
			if c.header != "" {
				header = []string{"Range", c.header}
			}
			a := ask(t.Context(), client, f.URL("/x"), header...)
			if a.openErr != nil || !errors.Is(a.bodyErr, io.ErrUnexpectedEOF) || !bytes.Equal(a.body, c.want) {
				t.Errorf("%v, %v with %d bytes, want %d", a.openErr, a.bodyErr, len(a.body), len(c.want))
			}
		})
	}
}

func TestNoBreakElsewhere(t *testing.T) {
	f, c := grow(t, Resource{Body: letters(100), BreakAt: 50, BreakAfter: 101})
	ask(t.Context(), c, f.URL("/x"), "Range", "bytes=51-").want(t, 206, letters(100)[51:])
	ask(t.Context(), c, f.URL("/x"), "Range", "bytes=0-48").want(t, 206, letters(49))
	if f.Count(Broken, "/x") != 0 {
		t.Error("broke")
	}
}

func TestBreakTimes(t *testing.T) {
	f, c := grow(t, Resource{Body: letters(100), BreakAt: 50, BreakTimes: 2})
	for range 2 {
		if a := ask(t.Context(), c, f.URL("/x")); a.bodyErr == nil {
			t.Error("did not break")
		}
	}
	ask(t.Context(), c, f.URL("/x")).want(t, 200, letters(100))
	if n := f.Count(Broken, "/x"); n != 2 {
		t.Error("broke", n, "times")
	}
}

func TestReset(t *testing.T) {
	f, c := grow(t, Resource{Body: letters(100), BreakAt: 50, Reset: true})
	a := ask(t.Context(), c, f.URL("/x"))
	if err := errors.Join(a.openErr, a.bodyErr); !errors.Is(err, syscall.ECONNRESET) {
		t.Error(err)
	}
	if !bytes.HasPrefix(letters(50), a.body) {
		t.Errorf("%q", a.body)
	}
}

func TestShortLength(t *testing.T) {
	f, c := grow(t, Resource{Body: letters(100), LengthOff: -10})
	ask(t.Context(), c, f.URL("/x")).want(t, 200, letters(90))
}

func TestNoLength(t *testing.T) {
	f, c := grow(t, Resource{Body: letters(100), NoLength: true})
	a := ask(t.Context(), c, f.URL("/x"))
	a.want(t, 200, letters(100))
	if a.length != -1 {
		t.Error("length", a.length)
	}
}

func TestRangeMax(t *testing.T) {
	for _, most := range []int64{1, 9, 10, 11} {
		f, c := grow(t, Resource{Body: letters(100), RangeMax: most})
		n := int(min(most, 10))
		a := ask(t.Context(), c, f.URL("/x"), "Range", "bytes=20-29")
		a.want(t, 206, letters(100)[20:20+n])
		if got, want := a.header.Get("Content-Range"), fmt.Sprintf("bytes 20-%d/100", 19+n); got != want {
			t.Errorf("Content-Range %q, want %q", got, want)
		}
		ask(t.Context(), c, f.URL("/x")).want(t, 200, letters(100))
	}
}

func TestRangeShift(t *testing.T) {
	for shift, want := range map[int64]string{1: "bytes 11-20/100", -1: "bytes 9-18/100", -50: "bytes 0-0/100",
		200: "bytes 99-99/100"} {
		f, c := grow(t, Resource{Body: letters(100), RangeShift: shift})
		a := ask(t.Context(), c, f.URL("/x"), "Range", "bytes=10-19")
		if got := a.header.Get("Content-Range"); a.status != 206 || got != want {
			t.Errorf("%d: %d %q, want %q", shift, a.status, got, want)
		}
	}
}

func TestContentRange(t *testing.T) {
	for want, res := range map[string]Resource{"bytes 10-99/100": {RangeOpen: true}, "bytes 10-19/101": {TotalOff: 1},
		"bytes 10-19/99": {TotalOff: -1}, "bytes 10-19/*": {NoTotal: true}, "bytes 10-14/100": {RangeOpen: true, RangeMax: 5}} {
		res.Body = letters(100)
		f, c := grow(t, res)
		a := ask(t.Context(), c, f.URL("/x"), "Range", "bytes=10-19")
		if got := a.header.Get("Content-Range"); a.status != 206 || got != want {
			t.Errorf("%d %q, want %q", a.status, got, want)
		}
	}
}

func TestMost(t *testing.T) {
	release := make(chan struct{})
	f, c := grow(t, Resource{Body: letters(10), Most: 1, RetryAfter: "3", StallAt: 5, Release: release})
	first := make(chan answer)
	go func() { first <- ask(t.Context(), c, f.URL("/x")) }()
	if err := f.Wait(t.Context(), Stuck, "/x", 1); err != nil {
		t.Fatal(err)
	}
	if a := ask(t.Context(), c, f.URL("/x")); a.status != 429 || a.header.Get("Retry-After") != "3" {
		t.Errorf("%d, %v", a.status, a.header)
	}
	close(release)
	a := <-first
	a.want(t, 200, letters(10))
	if err := f.Wait(t.Context(), Ended, "/x", 2); err != nil {
		t.Fatal(err)
	}
	ask(t.Context(), c, f.URL("/x")).want(t, 200, letters(10))
	f.Serve("/y", Resource{Body: letters(10), Most: 1, Status: 403})
	ask(t.Context(), c, f.URL("/y")).want(t, 200, letters(10))
}

func TestGarbage(t *testing.T) {
	f, c := grow(t, Resource{Garbage: true})
	if a := ask(t.Context(), c, f.URL("/x")); a.openErr == nil || !strings.Contains(a.openErr.Error(), "malformed") {
		t.Error(a.openErr)
	}
}

func TestStatus(t *testing.T) {
	f, c := grow(t, Resource{Status: 503, Body: []byte("no"), RetryAfter: "1"})
	a := ask(t.Context(), c, f.URL("/x"), "Range", "bytes=1-")
	a.want(t, 503, []byte("no"))
}

func TestRedirect(t *testing.T) {
	for status, want := range map[int]int{0: 302, 301: 301, 308: 308} {
		f, c := grow(t, Resource{Redirect: "../y?z", Status: status})
		if a := ask(t.Context(), c, f.URL("/x")); a.status != want || a.header.Get("Location") != "../y?z" {
			t.Error(a.status, a.header)
		}
	}
}

func TestThen(t *testing.T) {
	f, c := grow(t, Then(Resource{Status: 503}, Resource{Body: []byte("a")}, Resource{Body: []byte("b")}))
	for _, want := range []string{"503", "200a", "200b", "200b"} {
		a := ask(t.Context(), c, f.URL("/x"))
		if got := http.StatusText(a.status) + string(a.body); !strings.HasSuffix(got, want[3:]) || a.status/100 != int(want[0]-'0') {
			t.Errorf("%d %q, want %s", a.status, a.body, want)
		}
	}
}

func TestHandler(t *testing.T) {
	f, c := grow(t, Resource{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusTeapot)
	})})
	ask(t.Context(), c, f.URL("/x")).want(t, http.StatusTeapot, nil)
	if f.Requests("/x") != 1 {
		t.Error("not counted")
	}
}

func TestTLS(t *testing.T) {
	f := NewTLS()
	defer f.Close()
	f.Serve("/x", Resource{Body: letters(100)})
	f.Serve("/broken", Resource{Body: letters(100), BreakAt: 50})
	f.Serve("/garbage", Resource{Garbage: true})
	c := client(t, f)
	ask(t.Context(), c, f.URL("/x"), "Range", "bytes=7-").want(t, 206, letters(100)[7:])
	if a := ask(t.Context(), c, f.URL("/broken")); a.bodyErr == nil || len(a.body) != 50 {
		t.Error(a.openErr, a.bodyErr, len(a.body))
	}
	if a := ask(t.Context(), c, f.URL("/garbage")); a.openErr == nil {
		t.Error("no error")
	}
}

func TestTLSIsTrustedByItsClientsOnly(t *testing.T) {
	f, plain := NewTLS(), New()
	defer f.Close()
	defer plain.Close()
	a := ask(t.Context(), client(t, plain), f.URL("/x"))
	if _, ok := errors.AsType[x509.UnknownAuthorityError](a.openErr); !ok {
		t.Error(a.openErr)
	}
}

func TestDead(t *testing.T) {
	f, c := grow(t, Resource{})
	_ = f
	if a := ask(t.Context(), c, Dead()+"/x"); !errors.Is(a.openErr, syscall.ECONNREFUSED) {
		t.Error(a.openErr)
	}
}

func TestMachines(t *testing.T) {
	f, c := grow(t, Resource{Machines: []Resource{{Body: []byte("one")}, {Body: []byte("two")}}})
	for _, want := range []string{"one", "one", "two", "one"} {
		if want == "two" {
			c.CloseIdleConnections()
		}
		ask(t.Context(), c, f.URL("/x")).want(t, 200, []byte(want))
		if want == "two" {
			c.CloseIdleConnections()
		}
	}
}
