package viewer_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"spate/internal/farm"
	"spate/viewer"
)

// fragment is what the page's address says.
func (p *tab) fragment() url.Values {
	p.t.Helper()
	v, err := url.ParseQuery(strings.TrimPrefix(eval[string](p, "location.hash"), "#"))
	if err != nil {
		p.t.Fatal(err)
	}
	return v
}

// waitFragment waits until a setting in the page's address is value; "" if it is not there.
func (p *tab) waitFragment(name, value string) {
	p.t.Helper()
	p.wait(fmt.Sprintf("(new URLSearchParams(location.hash.slice(1)).get(%s) ?? '') === %s", quoted(name), quoted(value)))
}

// TestSettings: the page's address holds what is viewed and how, so that whoever opens it again sees the same.
func TestSettings(t *testing.T) {
	t.Parallel()
	s := stage(t, nil)
	s.Serve("/film.png-seq", farm.Resource{Body: inSequence(numberedAll(10, 4)...)})
	s.Serve("/other.txt", farm.Resource{Body: []byte("something else")})
	p := openWatching(t, s.server.URL+"/#ms=1000&more=kept")
	p.waitState("idle")
	p.do(chromedp.SendKeys(chromedp.CSS("#url"), s.URL("/film.png-seq")+"\r"))
	p.waitFrames(1)
	if got := p.fragment(); got.Get("url") != s.URL("/film.png-seq") || got.Get("ms") != "1000" || got.Has("play") || got.Get("more") != "kept" {
		t.Errorf("the address has %v", got)
	}
	p.press(" ")
	p.waitState("paused")
	p.waitFragment("play", "0")
	p.press("+")
	p.waitFragment("ms", "799")
	p.press("-")
	p.waitFragment("ms", "1000")
	p.do(chromedp.Focus(chromedp.CSS("#ms")))
	p.press(kb.ArrowRight) // is the slider's, and not the next file
	p.waitFragment("ms", "1010")
	p.do(chromedp.Blur(chromedp.CSS("#ms")))
	p.wait("document.getElementById('ms-shown').textContent === '1010 ms'")
	p.do(chromedp.Reload())
	p.waitState("paused")
	p.waitSeen("1")
	if got := p.fragment(); got.Get("ms") != "1010" || got.Get("play") != "0" || got.Get("url") != s.URL("/film.png-seq") {
		t.Errorf("when it was loaded again, the address has %v", got)
	}
	eval[bool](p, "(document.getElementById('ms').value = '0', document.getElementById('ms').dispatchEvent(new Event('input')))")
	p.press(" ")
	p.waitState("complete")
	p.waitFragment("play", "")
	p.do(chromedp.Navigate(s.address("/other.txt"))) // by another fragment: the page stays
	p.wait("document.querySelector('.text')?.innerText.includes('something else')")
	p.do(chromedp.NavigateBack())
	p.waitFrame(10)
}

// TestDelayOutOfBounds: what the address says is kept within what the slider can.
func TestDelayOutOfBounds(t *testing.T) {
	t.Parallel()
	s := stage(t, nil)
	s.Serve("/film.png-seq", farm.Resource{Body: inSequence(numberedAll(3, 4)...)})
	for ms, want := range map[string]string{"-5": "0 ms", "99999": "10000 ms", "x": "100 ms", "33": "33 ms"} {
		p := open(t, s.address("/film.png-seq", "play", "0", "ms", ms))
		p.waitState("paused")
		if got := p.text("#ms-shown"); got != want {
			t.Errorf("%s: the delay is %s", ms, got)
		}
	}
}

// TestAnotherSite: another site can lead to the page, and that is all. Nothing is fetched before somebody presses Start; no request of its
// own is answered, and the page is in no frame of it.
func TestAnotherSite(t *testing.T) {
	t.Parallel()
	s := stage(t, nil)
	s.Serve("/film.png-seq", farm.Resource{Body: inSequence(numberedAll(3, 4)...)})
	evil := farm.New()
	t.Cleanup(evil.Close)
	address := s.address("/film.png-seq", "ms", "0")
	post := fmt.Sprintf("fetch(%s, {method: 'POST', body: %s, mode: MODE, credentials: 'include', headers: HEADERS})", quoted(s.server.URL+"/view/"),
		quoted(`{"url": "`+s.URL("/film.png-seq")+`"}`))
	serve := func(path, html string) {
		evil.Serve(path, farm.Resource{MediaType: "text/html", Body: []byte("<!doctype html><title>evil</title>" + html)})
	}
	serve("/link", `<a id="link" href="`+strings.ReplaceAll(address, "&", "&amp;")+`">look</a>`)
	serve("/form", `<form method="post" enctype="text/plain" action="`+s.server.URL+`/view/"><input name='{"url": "`+
		strings.ReplaceAll(s.URL("/film.png-seq"), "&", "&amp;")+`", "x": "' value='"}'><button id="go">go</button></form>`)
	serve("/frame", `<iframe id="frame" src="`+strings.ReplaceAll(address, "&", "&amp;")+`"></iframe>`)

	p := open(t, evil.URL("/link"))
	p.click("#link")
	p.wait("document.getElementById('url')?.value !== ''")
	p.settle()
	if n := s.Requests("/film.png-seq"); n != 0 || p.text("#state") != "idle" || !strings.Contains(p.text("#idle"), "Press Start") {
		t.Fatalf("a link: %d requests; the page has %s", n, p.text("body"))
	}
	p.do(chromedp.Navigate(s.address("/film.png-seq", "ms", "1"))) // as a page that has opened it could have it do
	p.wait("document.getElementById('ms-shown').textContent === '1 ms'")
	p.settle()
	if n := s.Requests("/film.png-seq"); n != 0 {
		t.Errorf("another fragment: %d requests", n)
	}
	p.click("#start")
	p.waitState("complete")

	asked := s.Requests("/film.png-seq")
	p = open(t, evil.URL("/link"))
	for _, headers := range []string{"{}", "{'X-Spate-Token': 'x'}", "{'Content-Type': 'application/json'}"} {
		for _, mode := range []string{"'no-cors'", "'cors'"} {
			js := strings.NewReplacer("MODE", mode, "HEADERS", headers).Replace(post)
			if got := eval[string](p, js+".then((r) => r.type + ' ' + r.status, (e) => 'failed')"); got != "failed" && got != "opaque 0" {
				t.Errorf("fetch with %s and %s: %s", headers, mode, got)
			}
		}
	}
	for _, path := range []string{"/", "/static/main.js", "/view/samples", "/s/" + s.URL("/film.png-seq")} {
		if got := eval[string](p, "fetch("+quoted(s.server.URL+path)+").then((r) => r.text(), () => 'failed')"); got != "failed" {
			t.Errorf("another site reads %s: %.100s", path, got)
		}
	}
	p = open(t, evil.URL("/form"))
	p.click("#go")
	p.waitAcross("document.body.innerText.includes('another web site asks')")
	p = open(t, evil.URL("/frame"))
	p.wait("document.readyState === 'complete'")
	if !eval[bool](p, "document.getElementById('frame').contentDocument === null && frames[0].length === 0") {
		t.Error("a frame shows what it is not to")
	}
	p.settle()
	if n := s.Requests("/film.png-seq") - asked; n != 0 {
		t.Errorf("another site had %d requests made", n)
	}
}

// TestRedirectToThePage: a redirect of another site, to which a link has led, starts nothing either.
func TestRedirectToThePage(t *testing.T) {
	t.Parallel()
	s := stage(t, nil)
	s.Serve("/a.txt", farm.Resource{Body: []byte("a")})
	evil := farm.New()
	t.Cleanup(evil.Close)
	evil.Serve("/away", farm.Resource{Redirect: s.address("/a.txt")})
	evil.Serve("/page", farm.Resource{MediaType: "text/html", Body: []byte(`<!doctype html><a id="link" href="/away">look</a>`)})
	p := open(t, evil.URL("/page"))
	p.click("#link")
	p.wait("document.getElementById('url')?.value !== ''")
	p.settle()
	if n := s.Requests("/a.txt"); n != 0 {
		t.Errorf("%d requests; the page has %s", n, p.text("body"))
	}
}

// TestSamples: what is offered is viewed by a click.
func TestSamples(t *testing.T) {
	t.Parallel()
	origin := farm.New()
	t.Cleanup(origin.Close)
	origin.Serve("/film.png-seq", farm.Resource{Body: inSequence(numberedAll(3, 4)...)})
	s := stage(t, func(o *viewer.Options) {
		o.Samples = []viewer.Sample{{Title: "<b>A film</b>", URL: origin.URL("/film.png-seq"), MS: 7}}
	})
	p := open(t, s.server.URL+"/")
	p.wait("!document.getElementById('samples').hidden")
	if got := p.text("#samples li"); got != "<b>A film</b>" {
		t.Errorf("it offers %q", got)
	}
	p.click("#samples a")
	p.waitState("complete")
	p.waitFragment("ms", "7")
	p.waitFrame(3)
}

// TestTooManyViews: the page says so in words.
func TestTooManyViews(t *testing.T) {
	t.Parallel()
	s := stage(t, func(o *viewer.Options) { o.MaxViews = 1 })
	s.Serve("/stalls.txt", farm.Resource{Body: []byte("a beginning, which is long enough, and no more"), StallAt: 40})
	p := open(t, s.address("/stalls.txt"))
	p.waitState("arriving")
	other := open(t, s.address("/stalls.txt"))
	other.waitState("failed")
	if says := other.text("#trouble"); !strings.Contains(says, "there is no room for another stream: 1") {
		t.Errorf("it says %q", says)
	}
	p.click("#stop") // which frees the place
	p.waitState("stopped")
	for isThere := false; !isThere; {
		other.click("#start")
		other.wait("document.getElementById('state').textContent === 'arriving' || !document.getElementById('trouble').hidden")
		isThere = eval[bool](other, "document.getElementById('trouble').hidden")
	}
}
