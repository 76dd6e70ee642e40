package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestParseWrk(t *testing.T) {
	const good = "Running 2s test @ http://x\n  2 threads and 8 connections\n  6914 requests in 2.10s, 6.75GB read\nRequests/sec: 3292.25\n"
	if n, s, err := parseWrk(good); n != 6914 || s != 2.1 || err != nil {
		t.Error(n, s, err)
	}
	for _, bad := range []string{"", "Requests/sec: 1", good + "  Non-2xx or 3xx responses: 3\n", good + "  Socket errors: connect 0, read 1\n"} {
		if _, _, err := parseWrk(bad); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

func TestParseStat(t *testing.T) {
	parent, took, err := parseStat([]byte("17 (a) (b) S 4 17 17 0 -1 4194560 1 0 0 0 30 12 5 5 20 0 1 0"))
	if parent != "4" || took != 420*time.Millisecond || err != nil {
		t.Error(parent, took, err)
	}
	for _, bad := range []string{"", "17 (a) S 4", "17 (a) S 4 17 17 0 -1 4194560 1 0 0 0 x 12 5"} {
		if _, _, err := parseStat([]byte(bad)); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

func TestReport(t *testing.T) {
	var out bytes.Buffer
	r := &report{&out}
	r.against("a", []float64{3, 1, 2}, []float64{4, 4, 4}, "%.0f", 0.5)
	r.against("b", []float64{1}, []float64{4}, "%.0f", 0.5)
	r.below("c", []float64{2}, nil, "%.1f", 1)
	r.below("d", []float64{1}, nil, "%.1f", 0)
	for i, want := range []string{"2 (1–3) 4 (4–4) 0.50 (0.25–0.75) >= 0.5: met", ">= 0.5: missed", "<= 1: missed", "1.0 (1.0–1.0)"} {
		line := strings.Join(strings.Fields(strings.Split(out.String(), "\n")[i]), " ")
		if !strings.HasSuffix(line, want) {
			t.Errorf("%q does not end with %q", line, want)
		}
	}
}

func TestClients(t *testing.T) {
	const size = 8 << 20
	l := &lab{options: options{sizes: sizes{file: size, turn: 10 * time.Millisecond}}}
	content := make([]byte, size)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/f" || r.Header.Get("Range") == "" {
			http.NotFound(w, r)
			return
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	}))
	defer web.Close()
	s := &server{addr: strings.TrimPrefix(web.URL, "http://"), path: "/f"}
	waits, err := l.askAll(t.Context(), s, 3, rangeSize, 0)
	if err != nil || len(waits) < 3 {
		t.Errorf("%d answers to 3 clients: %v", len(waits), err)
	}
	if err := readSlowly(t.Context(), s, size-slowBuffer, slowBuffer, time.Hour); err != nil { // to the end, which comes first
		t.Error(err)
	}
	s.path = "/g"
	if _, err := l.askAll(t.Context(), s, 3, rangeSize, 0); err == nil {
		t.Error("404: no error")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := readSlowly(ended, s, 0, slowBuffer, time.Hour); err == nil {
		t.Error("it goes on though it is over")
	}
}
