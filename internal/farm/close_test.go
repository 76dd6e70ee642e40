package farm

import (
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// TestCloseEndsEverything is about handlers that would never end, and clients that must not take what they got for
// whole.
func TestCloseEndsEverything(t *testing.T) {
	forever := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	cases := []struct {
		name  string
		res   Resource
		until Event
	}{
		{"delayed", Resource{Delay: time.Hour}, Arrived},
		{"hung", Resource{HangHeader: true}, Stuck},
		{"stalled", Resource{Body: letters(100), StallAt: 50}, Stuck},
		{"stalled in chunks", Resource{Body: letters(100), StallAt: 50, NoLength: true}, Stuck},
		{"stalled with a false length", Resource{Body: letters(100), StallAt: 50, LengthOff: 1}, Stuck},
		{"slow", Resource{Body: letters(1 << 20), Rate: 1}, Answered},
		{"endless", Resource{Gen: alphabet}, Answered},
		{"handler", Resource{Handler: forever}, Arrived},
	}
	for _, tls := range []bool{false, true} {
		for _, c := range cases {
			name := map[bool]string{false: "http ", true: "https "}[tls] + c.name
			t.Run(name, func(t *testing.T) { closeAmid(t, tls, c.res, c.until) })
		}
	}
}

func closeAmid(t *testing.T, tls bool, res Resource, until Event) {
	f := New()
	if tls {
		f.Close()
		f = NewTLS()
		if res.LengthOff != 0 {
			until = Ended // HTTP/2 has no connection to lie on
		}
	}
	defer f.Close()
	f.Serve("/x", res)
	c := client(t, f)
	done := make(chan answer)
	go func() { done <- ask(t.Context(), c, f.URL("/x")) }()
	if err := f.Wait(t.Context(), until, "/x", 1); err != nil {
		t.Fatal(err)
	}
	f.Close()
	if a := <-done; a.openErr == nil && a.bodyErr == nil {
		t.Errorf("a whole answer of %d bytes", len(a.body))
	}
	if f.Active() != 0 || f.Count(Ended, "/x") != f.Requests("/x") {
		t.Error("a handler is left")
	}
}

func TestCloseEndsIdleAndSilentConnections(t *testing.T) {
	f, c := grow(t, Resource{})
	ask(t.Context(), c, f.URL("/x")) // leaves an idle connection
	silent, err := net.Dial("tcp", f.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	if err := f.Wait(t.Context(), Connected, "", 2); err != nil {
		t.Fatal(err)
	}
	f.Close()
	f.Close()
	if _, err := silent.Read(make([]byte, 1)); err == nil {
		t.Error("still open")
	}
	if a := ask(t.Context(), c, f.URL("/x")); a.openErr == nil {
		t.Error("still there")
	}
}

func TestListen(t *testing.T) {
	f, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if taken, err := Listen(f.Addr()); err == nil {
		taken.Close()
		t.Error("two on one port")
	}
}

func TestPacer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p pacer
		if p.take(1<<30) != 0 {
			t.Error("the zero pacer waits")
		}
		p.set(1000)
		start := time.Now()
		for range 100 {
			time.Sleep(p.take(10))
		}
		if took := time.Since(start); took != time.Second-slack {
			t.Error("1000 bytes took", took)
		}
		time.Sleep(time.Hour) // an hour of rest is worth no more than slack
		if wait := p.take(1000); wait != time.Second-slack {
			t.Error("waits", wait)
		}
	})
}
