package gateway_test

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"spate/gateway"
)

const strong, long = `ETag: "v1"`, "Cache-Control: max-age=60"

func storing() []proxyRule {
	return []proxyRule{
		{name: "fresh", check: again(false, strong, long)},
		{name: "no-store", check: passing(strong, "Cache-Control: no-store")},
		{name: "no-store in a second line", check: passing(strong, long, "Cache-Control: no-store")},
		{name: "private", check: passing(strong, long, "Cache-Control: private")},
		{name: "private fields", check: passing(strong, `Cache-Control: max-age=60, private="x-a"`)},
		{name: "Cache-Control, malformed", check: passing(strong, "Cache-Control: max-age=soon")},
		{name: "Set-Cookie", check: passing(strong, long, "Set-Cookie: a=b")},
		{name: "no validator, not fresh", check: passing()},
		{name: "Vary", check: passing(strong, long, "Vary: Accept-Language")},
		{name: "Vary *", check: passing(strong, long, "Vary: *")},
		{name: "Vary: Accept-Encoding", check: again(false, strong, long, "Vary: accept-encoding")},
		{name: "Vary: Cookie", check: again(false, strong, long, "Vary: Cookie, Authorization")},
		{name: "Vary: Cookie, which is forwarded", check: passing(strong, long, "Vary: Cookie"), setup: credentials},
		{name: "too long a header", check: passing(strong, long, "X-Long: "+strings.Repeat("x", 17<<10))},
		{name: "length not known", check: unsized},
		{name: "many clients at once", check: manyClients},
		{name: "another status", check: otherStatus},
		{name: "a status that passes later", check: laterStored},
		{name: "redirect", check: redirected},
		{name: "content coding", check: coded},
		{name: "no origin", check: noOrigin},
		{name: "the header", check: repeated},
		{name: "the header of 304", check: notModified},
	}
}

func otherStatus(t *testing.T, p *proxied) {
	for _, status := range []int{404, 410, 401, 403, 418, 503} {
		p.says(status, "the origin's page", "X-Own: a", "Retry-After: 0")
		for range 2 {
			a := p.ask(t, "GET", "/"+strconv.Itoa(status))
			if a.StatusCode != status || a.body != "the origin's page" {
				t.Errorf("%s %q, want %d", a.Status, a.body, status)
			}
			a.checks(t, "X-Own: a")
		}
	}
}

func unsized(t *testing.T, p *proxied) {
	p.plays(func(w http.ResponseWriter, _ *http.Request) {
		setLines(w.Header(), []string{strong, long})
		for range 3 {
			_, _ = io.WriteString(w, "body")
			_ = http.NewResponseController(w).Flush()
		}
	})
	for range 3 {
		p.get(t, "bodybodybody")
	}
	p.wasAsked(t, 1)
}

func manyClients(t *testing.T, p *proxied) {
	body := strings.Repeat("body", 10_000)
	p.has(body, strong, long)
	var clients sync.WaitGroup
	for range 30 {
		clients.Go(func() {
			resp, err := p.gateway.Client().Get(p.gateway.URL + "/x")
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			if all, err := io.ReadAll(resp.Body); string(all) != body {
				t.Errorf("%s, %d bytes, %v", resp.Status, len(all), err)
			}
		})
	}
	clients.Wait()
	p.wasAsked(t, 1)
}

func laterStored(t *testing.T, p *proxied) {
	p.says(404, "")
	p.ask(t, "GET", "/x")
	p.has("body", strong, long)
	p.get(t, "body") // passes, and is seen to be one to be stored
	p.get(t, "body")
	before := len(p.requests())
	p.get(t, "body")
	p.wasAsked(t, before)
}

func redirected(t *testing.T, p *proxied) {
	p.says(302, "", "Location: /y")
	for range 2 {
		a := p.ask(t, "GET", "/x")
		if a.StatusCode != 302 {
			t.Error(a.Status)
		}
		a.checks(t, "Location: /y")
	}
	for _, r := range p.requests() {
		if r.URL.Path != "/x" {
			t.Errorf("%s was asked for", r.URL)
		}
	}
}

func coded(t *testing.T, p *proxied) {
	p.has("coded", strong, long, "Content-Encoding: br", "Content-Length: 5")
	for range 2 {
		a := p.get(t, "coded", "Accept-Encoding: br")
		a.checks(t, "Content-Encoding: br")
	}
	if p.last().Header.Get("Accept-Encoding") != "br" {
		t.Error("the client's Accept-Encoding has not come")
	}
}

func noOrigin(t *testing.T, p *proxied) {
	p.origin.Close()
	for _, method := range []string{"GET", "POST"} {
		if a := p.ask(t, method, "/x"); a.StatusCode != 502 {
			t.Errorf("%s: %s", method, a.Status)
		}
	}
}

func repeated(t *testing.T, p *proxied) {
	p.has("0123456789", strong, "Cache-Control: max-age=600, public", "Date: -10s", "Last-Modified: -100h", "Content-Language: en",
		"X-Own: a", "X-Own: b", `Content-Disposition: attachment; filename="a"`, "Content-MD5: of-the-message", "Alt-Svc: h3",
		"Via: 1.0 other", "Connection: x-hop", "X-Hop: a")
	from := p.ask(t, "GET", "/x").Header
	for _, lines := range [][]string{nil, {"Range: bytes=1-2"}} {
		a := p.ask(t, "GET", "/x", lines...)
		a.checks(t, strong, "Cache-Control: max-age=600, public", "Content-Language: en", "Content-Type: text/plain; charset=x",
			`Content-Disposition: attachment; filename="a"`, "Content-MD5", "Alt-Svc", "X-Hop", "X-Content-Type-Options", "Via: 1.0 other, 1.1 me",
			"Date: "+from.Get("Date"), "Last-Modified: "+from.Get("Last-Modified"), "Accept-Ranges: bytes")
		age, err := strconv.Atoi(a.Header.Get("Age"))
		if own := a.Header["X-Own"]; len(own) != 2 || err != nil || age < 10 {
			t.Errorf("X-Own is %q, Age %d, %v", own, age, err)
		}
	}
	p.wasAsked(t, 1)
}

func notModified(t *testing.T, p *proxied) {
	p.has("body", strong, long, "Content-Language: en", "Vary: Accept-Encoding")
	p.get(t, "body")
	a := p.ask(t, "GET", "/x", `If-None-Match: "v1"`)
	if a.StatusCode != 304 || a.Header.Get("Date") == "" {
		t.Error(a.Status, a.Header)
	}
	a.checks(t, strong, long, "Vary: Accept-Encoding", "Via: 1.1 me", "Content-Language", "Content-Type", "X-Content-Type-Options")
	p.wasAsked(t, 1)
}

func withToken(o *gateway.Options) { o.Token, o.Origin.Credentials = "secret", true }
