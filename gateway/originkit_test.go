package gateway_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"spate"
	"spate/gateway"
	"spate/gateway/fill"
	"spate/source/httpsource"
)

// A proxyRule is one line of the tables of "Reverse proxy" in docs/spec/gateway.md.
type proxyRule struct {
	name  string
	check func(t *testing.T, p *proxied)
	setup func(*gateway.Options) // nil: nothing
}

// A proxied is an origin, and a gateway before it.
type proxied struct {
	origin, gateway *httptest.Server
	pool            *fill.Pool

	mu     sync.Mutex
	answer http.HandlerFunc
	asked  []*http.Request
}

// before starts an origin and a gateway; the path of URL, where there is one, is that below which the origin is.
func before(t *testing.T, path string, setup func(*gateway.Options)) *proxied {
	p := new(proxied)
	p.origin = httptest.NewServer(p)
	t.Cleanup(p.origin.Close)
	base, err := url.Parse(p.origin.URL + path)
	if err != nil {
		t.Fatal(err)
	}
	src := httpsource.New(&httpsource.Options{MaxRedirects: -1, Header: http.Header{"Via": {gateway.Via("me")}}})
	relay := httpsource.NewRelay(nil)
	t.Cleanup(src.CloseIdleConnections)
	t.Cleanup(relay.CloseIdleConnections)
	p.pool = fill.New(&fill.Options{Source: src, BlockSize: 4 << 10})
	others := fill.New(&fill.Options{Source: src})
	g := &gateway.Options{Client: &spate.Client{Source: src}, Source: src, Pool: others,
		Origin: &gateway.Origin{URL: base, Pool: p.pool, Transport: relay, Name: "me"}}
	if setup != nil {
		setup(g)
	}
	p.gateway = httptest.NewServer(gateway.New(g))
	t.Cleanup(func() {
		p.gateway.Close()
		p.pool.Close()
		others.Close()
	})
	return p
}

func credentials(o *gateway.Options) { o.Origin.Credentials = true }

func (p *proxied) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.asked = append(p.asked, r)
	answer := p.answer
	p.mu.Unlock()
	if answer == nil {
		http.NotFound(w, r)
		return
	}
	answer(w, r)
}

// plays has the origin answer so from now on.
func (p *proxied) plays(answer http.HandlerFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = answer
}

// has gives the origin a file of those bytes, with those lines of header. A time is relative to now: "Date: -1m".
func (p *proxied) has(body string, lines ...string) { p.plays(file(body, lines...)) }

func file(body string, lines ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=x")
		setLines(w.Header(), lines)
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(body))
	}
}

// says has the origin answer with a status and nothing else.
func (p *proxied) says(status int, body string, lines ...string) {
	p.plays(func(w http.ResponseWriter, _ *http.Request) {
		setLines(w.Header(), lines)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

func setLines(h http.Header, lines []string) {
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		if d, err := time.ParseDuration(value); err == nil && value != "0" {
			value = time.Now().Add(d).UTC().Format(http.TimeFormat)
		}
		h.Add(name, value)
	}
}

// got is an answer of the gateway.
type got struct {
	*http.Response
	body string
}

// ask sends a request to the gateway.
func (p *proxied) ask(t *testing.T, method, target string, lines ...string) got {
	t.Helper()
	return p.send(t, method, target, "", lines...)
}

func (p *proxied) send(t *testing.T, method, target, body string, lines ...string) got {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, p.gateway.URL, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if req.URL.Opaque = target; strings.HasPrefix(target, "//") {
		req.URL.Opaque, req.URL.Path = "", target
	}
	setLines(req.Header, lines)
	resp, err := p.gateway.Client().Transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	all, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return got{resp, string(all)}
}

// get asks for /x, which has to be a 200 of that body.
func (p *proxied) get(t *testing.T, want string, lines ...string) got {
	t.Helper()
	a := p.ask(t, "GET", "/x", lines...)
	if a.StatusCode != 200 || a.body != want {
		t.Fatalf("%s %q, want %q", a.Status, a.body, want)
	}
	return a
}

// requests are those that the origin has seen.
func (p *proxied) requests() []*http.Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.asked)
}

func (p *proxied) last() *http.Request { all := p.requests(); return all[len(all)-1] }

// wasAsked checks how often the origin was.
func (p *proxied) wasAsked(t *testing.T, want int) {
	t.Helper()
	var all []string
	for _, r := range p.requests() {
		all = append(all, r.Method+" "+r.RequestURI+" "+r.Header.Get("Range"))
	}
	if len(all) != want {
		t.Errorf("the origin was asked %d times, want %d: %q", len(all), want, all)
	}
}

// again checks that a second GET has the origin asked anew, or not.
func again(asked bool, lines ...string) func(*testing.T, *proxied) {
	return func(t *testing.T, p *proxied) {
		p.has("body", lines...)
		p.get(t, "body")
		before := len(p.requests())
		p.get(t, "body")
		if after := len(p.requests()); (after > before) != asked || before != 1 {
			t.Errorf("the origin was asked %d times, then %d", before, after-before)
		}
	}
}

// passing checks that the origin answers each client itself, and that nothing is kept.
func passing(lines ...string) func(*testing.T, *proxied) {
	return func(t *testing.T, p *proxied) {
		p.has("body", lines...)
		p.get(t, "body")
		if p.pool.Known(t.Context(), []string{p.origin.URL + "/x"}) != nil {
			t.Error("it is kept")
		}
		before := len(p.requests())
		p.get(t, "body", "X-Client: second")
		if p.wasAsked(t, before+1); p.last().Header.Get("X-Client") != "second" {
			t.Error("the second client's request has not come")
		}
	}
}

// checks has an answer's header hold those lines; one without a value is not there.
func (a got) checks(t *testing.T, lines ...string) {
	t.Helper()
	for _, line := range lines {
		name, want, isThere := strings.Cut(line, ": ")
		if values := a.Header.Values(name); isThere && !slices.Equal(values, []string{want}) || !isThere && len(values) > 0 {
			t.Errorf("%s is %q, want %q", name, values, want)
		}
	}
}

func proxyRules() []proxyRule {
	return slices.Concat(storing(), freshness(), wishes(), identities(), passes(), changes())
}

// TestReverseProxy: each line of the tables, on sockets.
func TestReverseProxy(t *testing.T) {
	for _, r := range proxyRules() {
		t.Run(r.name, func(t *testing.T) { r.check(t, before(t, "", r.setup)) })
	}
}

func TestReverseProxyIsWrittenDown(t *testing.T) {
	page, err := os.ReadFile("../docs/spec/gateway.md")
	if err != nil {
		t.Fatal(err)
	}
	_, behind, _ := strings.Cut(string(page), "\n## Reverse proxy\n")
	section, _, _ := strings.Cut(behind, "\n## ")
	var written, tested []string
	for line := range strings.Lines(section) {
		if cells := strings.Split(line, "|"); len(cells) > 3 && !strings.HasPrefix(line, "|---") && strings.TrimSpace(cells[1]) != "case" {
			written = append(written, strings.TrimSpace(cells[1]))
		}
	}
	for _, r := range proxyRules() {
		tested = append(tested, r.name)
	}
	if diff := cmp.Diff(tested, written); diff != "" {
		t.Errorf("tested, and written:\n%s", diff)
	}
}
