package gateway_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

const login, cookie = "Authorization: Bearer s3cret", "Cookie: s=s3cret"

func identities() []proxyRule {
	return []proxyRule{
		{name: "credentials stay here", check: kept},
		{name: "login", check: sharedBy(false, login, long), setup: credentials},
		{name: "login, public", check: sharedBy(true, login, "Cache-Control: max-age=60, public"), setup: credentials},
		{name: "login, s-maxage", check: sharedBy(true, login, "Cache-Control: s-maxage=60"), setup: credentials},
		{name: "login, must-revalidate", check: sharedBy(true, login, "Cache-Control: max-age=60, must-revalidate"), setup: credentials},
		{name: "login, public but stale", check: sharedBy(false, login, "Cache-Control: max-age=0, public"), setup: credentials},
		{name: "login, nothing stored", check: loginFirst, setup: credentials},
		{name: "cookie", check: sharedBy(false, cookie, long), setup: credentials},
		{name: "cookie, public", check: sharedBy(true, cookie, "Cache-Control: max-age=60, public"), setup: credentials},
		{name: "cookie, must-revalidate", check: sharedBy(false, cookie, "Cache-Control: max-age=60, must-revalidate"), setup: credentials},
		{name: "the token is ours", check: ownToken, setup: withToken},
	}
}

func kept(t *testing.T, p *proxied) {
	p.has("body", strong, long)
	p.get(t, "body", login, cookie)
	p.ask(t, "POST", "/x", login, cookie)
	for _, r := range p.requests() {
		if r.Header["Authorization"] != nil || r.Header["Cookie"] != nil {
			t.Errorf("%s had %v", r.Method, r.Header)
		}
	}
}

// sharedBy checks whether a client with that line is given what is stored of an answer with the other one.
func sharedBy(isShared bool, line, answer string) func(*testing.T, *proxied) {
	return func(t *testing.T, p *proxied) {
		p.plays(func(w http.ResponseWriter, r *http.Request) {
			file(r.Header.Get("Authorization")+r.Header.Get("Cookie"), strong, answer)(w, r)
		})
		p.get(t, "")
		_, own, _ := strings.Cut(line, ": ")
		if isShared {
			own = ""
		}
		p.get(t, own, line)
		before := len(p.requests())
		p.get(t, "")
		if strings.Contains(answer, "=60") {
			p.wasAsked(t, before)
		}
	}
}

func loginFirst(t *testing.T, p *proxied) {
	p.plays(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "" {
			http.Error(w, "who?", http.StatusUnauthorized)
			return
		}
		file("for you", strong, "Cache-Control: public, max-age=60")(w, r)
	})
	p.get(t, "for you", login)
	if a := p.ask(t, "GET", "/x"); a.StatusCode != 401 || a.body != "who?\n" {
		t.Error(a.Status, a.body)
	}
}

func ownToken(t *testing.T, p *proxied) {
	p.has("body", strong, long)
	if a := p.ask(t, "GET", "/x"); a.StatusCode != 401 {
		t.Error(a.Status)
	}
	p.wasAsked(t, 0)
	for _, method := range []string{"GET", "GET", "POST"} {
		p.ask(t, method, "/x", "Authorization: Bearer secret", cookie)
	}
	for _, r := range p.requests() {
		if r.Header["Authorization"] != nil {
			t.Errorf("%s had the token", r.Method)
		}
	}
	if p.last().Header.Get("Cookie") == "" {
		t.Error("the cookie has not come")
	}
}

func passes() []proxyRule {
	return []proxyRule{
		{name: "other methods", check: otherMethods},
		{name: "a body that breaks", check: brokenBody},
		{name: "TRACE", check: traced},
		{name: "Max-Forwards", check: forwards},
		{name: "path and query", check: targets},
		{name: "path below a path", check: belowPath},
		{name: "Host", check: hostOfOrigin},
		{name: "fields of one connection", check: hopByHop},
		{name: "Via", check: via},
		{name: "a loop", check: loop},
		{name: "X-Forwarded-For", check: forwarded},
		{name: "Location", check: locations},
		{name: "Upgrade", check: upgraded},
		{name: "our own pages", check: ownPages},
	}
}

func otherMethods(t *testing.T, p *proxied) {
	p.plays(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(202)
		fmt.Fprintf(w, "%s %s %s", r.Method, body, r.Header.Get("X-Own"))
	})
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"} {
		if a := p.send(t, method, "/x", "sent", "X-Own: a"); a.StatusCode != 202 || a.body != method+" sent a" {
			t.Error(a.Status, a.body)
		}
	}
}

func brokenBody(t *testing.T, p *proxied) {
	p.plays(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	for _, body := range []string{"-1\r\n", "2;\nxx\r\n", "zz\r\n", "2\r\nxxx\r\n0\r\n\r\n", "ffffffffffffffffff\r\n"} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(p.gateway.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n%s", body)
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || resp.StatusCode != 400 || !resp.Close {
			t.Errorf("%q: %v, %v", body, resp, err)
		}
	}
}

func traced(t *testing.T, p *proxied) {
	p.plays(func(w http.ResponseWriter, r *http.Request) { _ = r.Header.Write(w) })
	if a := p.ask(t, "TRACE", "/x"); a.StatusCode != 405 || a.Header.Get("Allow") == "" {
		t.Error(a.Status, a.Header, a.body)
	}
	p.wasAsked(t, 0)
}

func forwards(t *testing.T, p *proxied) {
	p.says(200, "the origin's")
	if a := p.ask(t, "OPTIONS", "/x", "Max-Forwards: 0"); a.StatusCode != 204 || a.body != "" {
		t.Error(a.Status, a.body)
	}
	p.wasAsked(t, 0)
	for sent, want := range map[string]string{"1": "0", "10": "9", "-1": "-1", "soon": "soon", "": ""} {
		p.ask(t, "OPTIONS", "/x", "Max-Forwards: "+sent)
		if got := p.last().Header.Get("Max-Forwards"); got != want {
			t.Errorf("%q passes as %q, want %q", sent, got, want)
		}
	}
	if p.ask(t, "POST", "/x", "Max-Forwards: 0"); p.last().Method != "POST" {
		t.Error("POST does not pass")
	}
}

func targets(t *testing.T, p *proxied) {
	p.has("body", strong, long)
	for _, target := range []string{"/", "//a//b", "/a%2Fb", "/a?b=%zz;c", "/a?", "/a?b?c", "/s/http://h/", "/metrics", "/%C3%A9", "/..%2f"} {
		for _, method := range []string{"GET", "DELETE"} {
			p.ask(t, method, target)
			if got := p.last(); got.RequestURI != target || got.Method != method {
				t.Errorf("%s %s: asked for %s %s", method, target, got.Method, got.RequestURI)
			}
		}
	}
}

func belowPath(t *testing.T, _ *proxied) {
	for _, base := range []string{"/base", "/base/"} {
		p := before(t, base, nil)
		p.has("body", strong, long)
		p.ask(t, "GET", "/x?q")
		if got := p.last().RequestURI; got != "/base/x?q" {
			t.Error(got)
		}
		for _, target := range []string{"/../x", "/a/%2e%2e/x", "/..%2fx", "/..%5cx"} {
			if a := p.ask(t, "GET", target); a.StatusCode != 400 {
				t.Errorf("%s: %s", target, a.Status)
			}
		}
		p.wasAsked(t, 1)
		p.says(303, "", "Location: /base/y")
		p.ask(t, "POST", "/x").checks(t, "Location: /y")
		p.says(303, "", "Location: /other")
		p.ask(t, "POST", "/x").checks(t, "Location: "+p.origin.URL+"/other")
	}
}

func hostOfOrigin(t *testing.T, p *proxied) {
	p.has("body", strong, long)
	for _, method := range []string{"GET", "POST"} {
		p.ask(t, method, "/x")
		if host := p.last().Host; "http://"+host != p.origin.URL {
			t.Errorf("%s: %s", method, host)
		}
	}
}

func hopByHop(t *testing.T, p *proxied) {
	p.says(201, "", "Connection: x-hop", "X-Hop: a", "Keep-Alive: a", "X-End: a", "Alt-Svc: h3")
	a := p.ask(t, "POST", "/x", "Connection: x-hop", "X-Hop: a", "Keep-Alive: a", "Proxy-Authorization: a", "X-End: a")
	a.checks(t, "X-Hop", "Keep-Alive", "X-End: a", "Alt-Svc")
	got{&http.Response{Header: p.last().Header}, ""}.checks(t, "X-Hop", "Keep-Alive", "Proxy-Authorization", "X-End: a")
}

func via(t *testing.T, p *proxied) {
	p.has("body", strong, long)
	p.ask(t, "GET", "/x", "Via: 1.0 client").checks(t, "Via: 1.1 me")
	if via := p.last().Header.Get("Via"); via != "1.1 me" {
		t.Error(via)
	}
	p.ask(t, "POST", "/x", "Via: 1.0 client").checks(t, "Via: 1.1 me")
	if via := p.last().Header.Get("Via"); via != "1.0 client, 1.1 me" {
		t.Error(via)
	}
}

func loop(t *testing.T, p *proxied) {
	for _, method := range []string{"GET", "POST"} {
		if a := p.ask(t, method, "/x", "Via: 1.1 other, 1.1 me"); a.StatusCode != 508 {
			t.Error(a.Status)
		}
	}
	p.wasAsked(t, 0)
}

func forwarded(t *testing.T, p *proxied) {
	p.has("body")
	p.ask(t, "POST", "/x", "X-Forwarded-For: 1.2.3.4", "Forwarded: for=1.2.3.4")
	host := strings.TrimPrefix(p.gateway.URL, "http://")
	got{&http.Response{Header: p.last().Header}, ""}.checks(t, "X-Forwarded-For: 127.0.0.1", "X-Forwarded-Proto: http",
		"X-Forwarded-Host: "+host, "Forwarded")
}

func locations(t *testing.T, p *proxied) {
	for location, want := range map[string]string{
		p.origin.URL + "/y?q#f":       "/y?q#f",
		p.origin.URL:                  "/",
		p.origin.URL + "?q":           "/?q",
		p.origin.URL + "//evil/":      "/.//evil/",
		p.origin.URL + "0/y":          p.origin.URL + "0/y",
		"y":                           "/a/y",
		"http://elsewhere.example//y": "http://elsewhere.example//y",
		"//elsewhere.example/y":       "http://elsewhere.example/y",
	} {
		p.says(307, "", "Location: "+location)
		p.ask(t, "GET", "/a/x").checks(t, "Location: "+want)
	}
}

func upgraded(t *testing.T, p *proxied) {
	p.plays(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "upgrade")
		w.Header().Set("Upgrade", "echo")
		w.WriteHeader(101)
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		line, _ := rw.ReadString('\n')
		fmt.Fprintf(conn, "echo %s", line)
	})
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.gateway.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET /x HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n")
	from := bufio.NewReader(conn)
	resp, err := http.ReadResponse(from, nil)
	if err != nil || resp.StatusCode != 101 {
		t.Fatal(resp, err)
	}
	fmt.Fprintf(conn, "hello\n")
	if line, err := from.ReadString('\n'); line != "echo hello\n" {
		t.Error(line, err)
	}
}

func ownPages(t *testing.T, p *proxied) {
	p.has("the origin's", strong, long)
	if a := p.ask(t, "GET", "/healthz"); a.body != "the origin's" {
		t.Error(a.body)
	}
	if a := p.ask(t, "GET", "/.spate/healthz"); a.body != "ok\n" {
		t.Error(a.Status, a.body)
	}
	if a := p.ask(t, "GET", "/.spate/metrics"); !strings.Contains(a.body, `spate_gateway_origin_requests_total{pool="origin"} 1`) {
		t.Error(a.Status, a.body)
	}
	if a := p.ask(t, "GET", "/.spate/s/"+p.origin.URL+"/y"); a.StatusCode != 200 || a.Header.Get("Via") != "" {
		t.Error(a.Status, a.Header)
	}
	if a := p.ask(t, "GET", "/.spate/no-such-page"); a.StatusCode != 404 {
		t.Error(a.Status)
	}
	p.wasAsked(t, 2)
}

func changes() []proxyRule {
	return []proxyRule{
		{name: "a change", check: changedBy(true, "POST", "/x", 200)},
		{name: "a change that redirects", check: changedBy(true, "POST", "/x", 303)},
		{name: "a change by an unknown method", check: changedBy(true, "FROB", "/x", 204)},
		{name: "a change that failed", check: changedBy(false, "PUT", "/x", 409)},
		{name: "no change", check: changedBy(false, "OPTIONS", "/x", 200)},
		{name: "a change of something else", check: changedBy(false, "POST", "/x?q", 200)},
		{name: "a change of Location", check: changedBy(true, "POST", "/all", 201, "Location: /x#f")},
		{name: "a change of Content-Location", check: changedBy(true, "POST", "/all", 200, "Content-Location: x")},
		{name: "a change of Location at another host", check: changedBy(false, "POST", "/all", 201, "Location: http://elsewhere.example/x")},
		{name: "a change without an answer", check: changedUnseen},
	}
}

// changedBy checks whether /x, which is stored and fresh, is asked for anew behind a request that was answered so.
func changedBy(isChanged bool, method, target string, status int, lines ...string) func(*testing.T, *proxied) {
	return func(t *testing.T, p *proxied) {
		p.has("body", strong, long)
		p.get(t, "body")
		p.says(status, "", lines...)
		if a := p.ask(t, method, target); a.StatusCode != status {
			t.Fatal(a.Status)
		}
		p.has("new", `ETag: "v2"`, long)
		if isChanged {
			p.get(t, "new")
			return
		}
		p.get(t, "body")
		p.wasAsked(t, 2)
	}
}

func changedUnseen(t *testing.T, p *proxied) {
	p.has("body", strong, long)
	p.get(t, "body")
	p.plays(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	if a := p.send(t, "POST", "/x", "sent"); a.StatusCode != 502 {
		t.Error(a.Status)
	}
	p.has("new", `ETag: "v2"`, long)
	p.get(t, "new")
}
