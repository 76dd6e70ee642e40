package gateway_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
)

func freshness() []proxyRule {
	return []proxyRule{
		{name: "s-maxage, which goes first", check: again(false, strong, "Cache-Control: max-age=0, s-maxage=60", "Expires: 0")},
		{name: "s-maxage of 0", check: again(true, strong, "Cache-Control: max-age=60, s-maxage=0")},
		{name: "max-age before Expires", check: again(false, strong, long, "Expires: 0")},
		{name: "max-age beyond all numbers", check: again(false, strong, "Cache-Control: max-age=99999999999999999999")},
		{name: "Expires", check: again(false, strong, "Date: 0s", "Expires: 1m")},
		{name: "Expires, which counts from Date", check: again(true, strong, "Date: 1m", "Expires: 30s")},
		{name: "Expires, past", check: again(true, strong, "Expires: -1m")},
		{name: "Expires, malformed", check: again(true, strong, "Expires: 0", "Last-Modified: -1000h")},
		{name: "Expires, two", check: again(true, strong, "Expires: 1m", "Expires: 1m")},
		{name: "Age", check: again(true, strong, long, "Age: 60")},
		{name: "Age, not too high", check: again(false, strong, long, "Age: 10")},
		{name: "Age beyond all numbers", check: again(true, strong, "Cache-Control: max-age=2147483000", "Age: 99999999999999999999")},
		{name: "Date", check: again(true, strong, long, "Date: -61s")},
		{name: "a tenth of Last-Modified", check: again(false, strong, "Last-Modified: -100h")},
		{name: "a tenth of Last-Modified, past", check: again(true, strong, "Last-Modified: -10h", "Age: 3601")},
		{name: "a tenth of Last-Modified, a day at most", check: again(true, strong, "Last-Modified: -10000h", "Age: 86401")},
		{name: "nothing said", check: again(true, strong)},
		{name: "no-cache", check: again(true, strong, "Cache-Control: no-cache, max-age=60")},
		{name: "no-cache of fields", check: again(true, strong, `Cache-Control: no-cache="x-a", max-age=60`)},
		{name: "Pragma alone", check: again(true, strong, "Pragma: no-cache", "Last-Modified: -1000h")},
		{name: "stale", check: revalidated},
		{name: "stale, and changed", check: changedAtOrigin},
		{name: "stale, and not to be stored any more", check: storedNoMore},
		{name: "stale, no validator", check: unvalidated},
		{name: "stale, no origin", check: staleAlone(502)},
		{name: "stale, no origin, must-revalidate", check: staleAlone(504, "Cache-Control: must-revalidate")},
		{name: "stale, no origin, proxy-revalidate", check: staleAlone(504, "Cache-Control: proxy-revalidate, max-age=0")},
		{name: "stale, no origin, s-maxage", check: staleAlone(504, "Cache-Control: s-maxage=0")},
		{name: "fresh, no origin, must-revalidate", check: freshAlone},
		{name: "stale-if-error", check: ifError(true, nil, "Cache-Control: max-age=0, stale-if-error=60")},
		{name: "stale-if-error, what cannot be answered", check: unanswered},
		{name: "stale-if-error, an answer", check: answeredOtherwise},
		{name: "stale-if-error, over", check: ifError(false, nil, "Cache-Control: max-age=0, stale-if-error=60", "Age: 61")},
		{name: "stale-if-error, but must-revalidate", check: ifError(false, nil, "Cache-Control: max-age=0, stale-if-error=60, must-revalidate")},
		{name: "stale-if-error, but proxy-revalidate", check: ifError(false, nil, "Cache-Control: max-age=0, stale-if-error=60, proxy-revalidate")},
		{name: "stale-if-error, but s-maxage", check: ifError(false, nil, "Cache-Control: s-maxage=0, stale-if-error=60")},
		{name: "stale-if-error, but no-cache", check: ifError(false, nil, "Cache-Control: no-cache, stale-if-error=60")},
		{name: "stale-if-error, a part of it is there", check: staleInPart},
		{name: "stale-if-error, no validator", check: staleUntold},
		{name: "stale-if-error, and the origin is back", check: staleAndBack},
	}
}

// counted is a file of each request: its header has the request's number.
func counted(body string, lines func(n int) []string) http.HandlerFunc {
	n := 0
	return func(w http.ResponseWriter, r *http.Request) {
		n++
		file(body, append(lines(n), "X-Answer: "+strconv.Itoa(n))...)(w, r)
	}
}

func revalidated(t *testing.T, p *proxied) {
	body := strings.Repeat("body", 100_000)
	p.plays(counted(body, func(n int) []string {
		if n < 2 {
			return []string{strong, "Cache-Control: max-age=0"}
		}
		return []string{strong, long}
	}))
	p.get(t, body).checks(t, "X-Answer: 1", "Age")
	before := len(p.requests())
	p.get(t, body).checks(t, long, "Age")
	if p.wasAsked(t, before+1); p.last().Header.Get("Range") != "bytes=0-0" {
		t.Errorf("asked for %q", p.last().Header.Get("Range"))
	}
	p.get(t, body).checks(t, long)
	p.wasAsked(t, before+1)
}

func changedAtOrigin(t *testing.T, p *proxied) {
	p.has("one", strong)
	p.get(t, "one")
	p.has("another", `ETag: "v2"`)
	p.get(t, "another").checks(t, `ETag: "v2"`)
}

func storedNoMore(t *testing.T, p *proxied) {
	p.has("one", strong)
	p.get(t, "one")
	p.has("one", strong, "Cache-Control: no-store")
	p.get(t, "one").checks(t, "Cache-Control: no-store")
	if p.pool.Known(t.Context(), []string{p.origin.URL + "/x"}) != nil {
		t.Error("it is kept")
	}
}

func unvalidated(t *testing.T, p *proxied) {
	p.has("one", long, "Age: 61")
	p.get(t, "one")
	p.has("two", long, "Age: 1")
	p.get(t, "two")
	p.get(t, "two")
	p.wasAsked(t, 2)
}

func staleAlone(want int, lines ...string) func(*testing.T, *proxied) {
	return func(t *testing.T, p *proxied) {
		p.has("one", append(lines, strong)...)
		p.get(t, "one")
		p.origin.Close()
		for range 2 {
			if a := p.ask(t, "GET", "/x"); a.StatusCode != want {
				t.Error(a.Status)
			}
		}
	}
}

func freshAlone(t *testing.T, p *proxied) {
	p.has("one", strong, "Cache-Control: must-revalidate, max-age=60")
	p.get(t, "one")
	p.origin.Close()
	p.get(t, "one")
	if a := p.ask(t, "GET", "/x", "Cache-Control: no-cache"); a.StatusCode != 502 {
		t.Error(a.Status)
	}
}

const ifErrorMinute = "Cache-Control: max-age=0, stale-if-error=60"

// ifError checks whether what is stored, with those lines, is used where the origin is gone, by a client that sends others.
func ifError(used bool, client []string, lines ...string) func(*testing.T, *proxied) {
	return func(t *testing.T, p *proxied) {
		p.has("body", append(lines, strong)...)
		p.get(t, "body")
		p.origin.Close()
		a := p.ask(t, "GET", "/x", client...)
		want := 502
		if said := strings.Join(lines, ","); strings.Contains(said, "-revalidate") || strings.Contains(said, "s-maxage") {
			want = 504 // it has to be confirmed
		}
		if isUsed := a.StatusCode == 200 && a.body == "body"; isUsed != used || !used && a.StatusCode != want {
			t.Error(a.Status, a.body)
		}
		if used && a.Header.Get("Age") == "" {
			t.Error("nothing says that it is stored")
		}
		if b := p.ask(t, "GET", "/x", append(client, "Range: bytes=1-2")...); used && (b.StatusCode != 206 || b.body != "od") {
			t.Error(b.Status, b.body)
		}
	}
}

func unanswered(t *testing.T, p *proxied) {
	p.has("body", strong, ifErrorMinute)
	p.get(t, "body")
	for _, status := range []int{500, 502, 503, 504} {
		p.says(status, "sorry")
		p.get(t, "body")
	}
}

func answeredOtherwise(t *testing.T, p *proxied) {
	for _, status := range []int{404, 410, 403, 501} {
		p.has("body", strong, ifErrorMinute, "X-Status: "+strconv.Itoa(status))
		p.ask(t, "PUT", "/x") // what was said of it before holds no longer
		p.get(t, "body")
		p.says(status, "sorry")
		if a := p.ask(t, "GET", "/x"); a.StatusCode != status || a.body != "sorry" {
			t.Error(a.Status, a.body)
		}
	}
}

func staleInPart(t *testing.T, p *proxied) {
	p.has(strings.Repeat("body", 1<<20), strong, ifErrorMinute)
	if a := p.ask(t, "GET", "/x", "Range: bytes=0-3"); a.body != "body" {
		t.Fatal(a.Status, a.body)
	}
	p.origin.Close()
	if a := p.ask(t, "GET", "/x"); a.StatusCode != 502 {
		t.Error(a.Status)
	}
}

func staleUntold(t *testing.T, p *proxied) {
	p.has("body", "Cache-Control: max-age=60, stale-if-error=600", "Age: 61")
	p.get(t, "body")
	p.origin.Close()
	if a := p.ask(t, "GET", "/x"); a.StatusCode != 502 {
		t.Error(a.Status)
	}
}

func staleAndBack(t *testing.T, p *proxied) {
	p.has("body", strong, ifErrorMinute)
	p.get(t, "body")
	p.says(503, "sorry")
	p.get(t, "body")
	p.has("another", `ETag: "v2"`)
	p.get(t, "another")
}

func wishes() []proxyRule {
	return []proxyRule{
		{name: "client: no-cache", check: wished(true, "Cache-Control: no-cache")},
		{name: "client: Pragma", check: wished(true, "Pragma: no-cache")},
		{name: "client: Pragma beside Cache-Control", check: wished(false, "Pragma: no-cache", "Cache-Control: max-age=1000")},
		{name: "client: max-age", check: wished(true, "Cache-Control: max-age=9")},
		{name: "client: max-age of more", check: wished(false, "Cache-Control: max-age=100")},
		{name: "client: min-fresh", check: wished(true, "Cache-Control: min-fresh=51")},
		{name: "client: min-fresh of less", check: wished(false, "Cache-Control: min-fresh=10")},
		{name: "client: max-stale", check: maxStale},
		{name: "client: what is stale, where the origin is gone", check: wishedOfStale},
		{name: "client: Cache-Control, malformed", check: wished(true, "Cache-Control: max-age=soon")},
		{name: "client: no-store", check: noStoreWished},
		{name: "client: only-if-cached", check: onlyIfCached},
		{name: "client: only-if-cached, a part of it is there", check: onlyPartly},
		{name: "client: a range", check: rangeOfStored},
		{name: "client: HEAD", check: headFirst},
	}
}

// wished checks whether a request of those lines has the origin asked for what is stored and 10 s old, of 60.
func wished(asked bool, lines ...string) func(*testing.T, *proxied) {
	return func(t *testing.T, p *proxied) {
		p.has("body", strong, long, "Age: 10")
		p.get(t, "body")
		p.get(t, "body", lines...)
		want := 1
		if asked {
			want = 2
		}
		p.wasAsked(t, want)
	}
}

func maxStale(t *testing.T, p *proxied) {
	p.has("body", strong)
	p.get(t, "body")
	p.get(t, "body", "Cache-Control: max-stale")
	p.wasAsked(t, 2)
}

func wishedOfStale(t *testing.T, p *proxied) {
	for _, line := range []string{"no-cache", "max-age=1000", "min-fresh=0"} {
		ifError(false, []string{"Cache-Control: " + line}, ifErrorMinute)(t, before(t, "", nil))
	}
	ifError(true, []string{"Cache-Control: no-transform"}, ifErrorMinute)(t, p)
}

func noStoreWished(t *testing.T, p *proxied) {
	p.has("body", strong, long)
	p.get(t, "body", "Cache-Control: no-store")
	if p.wasAsked(t, 1); p.pool.Known(t.Context(), []string{p.origin.URL + "/x"}) != nil {
		t.Error("it is kept")
	}
}

const onlyCached = "Cache-Control: only-if-cached"

func onlyIfCached(t *testing.T, p *proxied) {
	p.has("body", strong, long)
	if a := p.ask(t, "GET", "/x", onlyCached); a.StatusCode != 504 {
		t.Error(a.Status)
	}
	p.wasAsked(t, 0)
	p.get(t, "body")
	p.get(t, "body", onlyCached)
	p.wasAsked(t, 1)
	if a := p.ask(t, "GET", "/x", onlyCached+", max-age=0"); a.StatusCode != 504 {
		t.Error(a.Status)
	}
	p.wasAsked(t, 1)
}

func onlyPartly(t *testing.T, p *proxied) {
	p.has(strings.Repeat("body", 1<<20), strong, long)
	if a := p.ask(t, "GET", "/x", "Range: bytes=0-3"); a.body != "body" {
		t.Fatal(a.Status, a.body)
	}
	if a := p.ask(t, "GET", "/x", onlyCached); a.StatusCode != 504 {
		t.Error(a.Status)
	}
	p.wasAsked(t, 1)
}

func rangeOfStored(t *testing.T, p *proxied) {
	p.has("0123456789", strong, long)
	p.get(t, "0123456789")
	if a := p.ask(t, "GET", "/x", "Range: bytes=2-4"); a.StatusCode != 206 || a.body != "234" {
		t.Error(a.Status, a.body)
	}
	if a := p.ask(t, "GET", "/x", "Range: bytes=10-"); a.StatusCode != 416 {
		t.Error(a.Status)
	}
	p.wasAsked(t, 1)
}

func headFirst(t *testing.T, p *proxied) {
	p.has("0123456789", strong, long)
	if a := p.ask(t, "HEAD", "/x"); a.StatusCode != 200 || a.ContentLength != 10 {
		t.Error(a.Status, a.Header)
	}
	p.get(t, "0123456789")
	if p.wasAsked(t, 1); p.last().Method != "GET" {
		t.Error(p.last().Method)
	}
}
