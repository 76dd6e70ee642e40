package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"spate/gateway"
	"spate/gateway/fill"
	"spate/source/limit"
)

// answers is an origin in memory: all requests have the same body.
type answers struct{ body []byte }

func (a answers) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, ContentLength: int64(len(a.body)),
		Body: io.NopCloser(bytes.NewReader(a.body)), Request: r}, nil
}

// TestLimitOfWhatPasses: --limit-rate is for all that comes from the origin, also what is not stored.
func TestLimitOfWhatPasses(t *testing.T) {
	const limited, length = 1 << 20, 8 << 20
	synctest.Test(t, func(t *testing.T) {
		f := originFlags{url: "http://o/"}
		if err := f.check(); err != nil {
			t.Fatal(err)
		}
		o, end := f.open(new(streamFlags), limit.NewRate(limit.Always(limited)), new(fill.Options))
		defer end()
		relay, ok := o.Transport.(*pacedRelay)
		if !ok {
			t.Fatalf("what passes goes through a %T", o.Transport)
		}
		relay.RoundTripper = answers{make([]byte, length)}
		g := gateway.New(&gateway.Options{Pool: o.Pool, Origin: o})
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/x", nil)
		r.Host = "localhost"
		w, begin := httptest.NewRecorder(), time.Now()
		g.ServeHTTP(w, r)
		took, least := time.Since(begin), (length-limited)*time.Second/limited
		if w.Code != http.StatusOK || w.Body.Len() != length || took < least || took > 2*least {
			t.Errorf("%d, %d bytes in %v; want at least %v", w.Code, w.Body.Len(), took, least)
		}
	})
}

// TestUpgradeIsNotLimited: what a connection becomes has to be the proxy's to write to.
func TestUpgradeIsNotLimited(t *testing.T) {
	p := &pacedRelay{upgrades{}, limit.NewRate(limit.Always(1))}
	resp, err := p.RoundTrip(httptest.NewRequest(http.MethodGet, "/", nil))
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := resp.Body.(io.ReadWriteCloser); !ok {
		t.Errorf("the body is a %T", resp.Body)
	}
}

type upgrades struct{}

func (upgrades) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusSwitchingProtocols, Body: new(duplex)}, nil
}

type duplex struct{ bytes.Buffer }

func (*duplex) Close() error { return nil }
