package farm

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
)

func TestCountsAndLog(t *testing.T) {
	f, c := grow(t, Resource{Body: letters(10)})
	const n = 20
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() { ask(t.Context(), c, f.URL("/x"), "Range", "bytes=3-") })
	}
	wg.Wait()
	ask(t.Context(), c, f.URL("/d/y?z"))
	if err := f.Wait(t.Context(), Ended, "/", n+1); err != nil {
		t.Fatal(err)
	}
	if f.Requests("/x") != n || f.Requests("/d/") != 1 || f.Requests("/d/y?z") != 1 || f.Count(Answered, "/") != n+1 {
		t.Error("miscounted")
	}
	if p := f.Peak(); f.Active() != 0 || p < 1 || p > n || f.Count(Connected, "") > n+1 {
		t.Error("active", f.Active(), "peak", p, "connections", f.Count(Connected, ""))
	}
	log := f.Log()
	if len(log) != n+1 {
		t.Fatal(len(log), "entries")
	}
	first := fmt.Sprint(log[0].Method, log[0].Path, log[0].Range, log[0].Status, log[0].Bytes, log[0].Header["Range"])
	if first != "GET/xbytes=3-206 7 [bytes=3-]" {
		t.Error(first)
	}
}

func TestLogIsBounded(t *testing.T) {
	var tl tally
	req, _ := http.NewRequest(http.MethodGet, "/x", nil)
	for range LogMax + 1 {
		tl.update(tl.arrive(req), func(r *Request) { r.Status = 1 })
	}
	if n, _ := tl.count(Arrived, "/x"); n != LogMax+1 || len(tl.log) != LogMax {
		t.Error(n, len(tl.log))
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	f, _ := grow(t, Resource{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.Wait(ctx, Stuck, "/x", 1); err == nil {
		t.Error("no error")
	}
}
