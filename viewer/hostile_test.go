package viewer_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"spate/internal/farm"
)

const (
	elsewhere = "http://elsewhere.invalid" // that nobody may be asked for
	executed  = "console.log('executed')"
	script    = "<script>" + executed + "</script>"
	onerror   = `"'><img src=x onerror="` + executed + `">`
)

// hostileSVG does all that an SVG can do to whoever takes it for a part of the page.
const hostileSVG = `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="64" height="48" onload="` + executed + `">
<style>@import url(` + elsewhere + `/a.css); rect { fill: url(` + elsewhere + `/p.svg#x) }</style>` + script + `
<rect width="64" height="24" style="fill: red"/><rect y="24" width="64" height="24" style="fill: blue"/>
<image href="` + elsewhere + `/i.png" width="9" height="9"/><use xlink:href="` + elsewhere + `/u.svg#u"/>
<foreignObject width="9" height="9"><iframe xmlns="http://www.w3.org/1999/xhtml" src="` + elsewhere + `/f" onload="` + executed + `"></iframe></foreignObject>
</svg>`

const hostileHTML = "<!doctype html>" + script + `<img src=x onerror="` + executed + `"><iframe srcdoc="` + script + `"></iframe>` +
	`<link rel=stylesheet href="` + elsewhere + `/s.css"><base href="` + elsewhere + `"><meta http-equiv=refresh content="0;url=` + elsewhere + `">`

// A witness notes whom a page asks.
type witness struct {
	mu    sync.Mutex
	asked []string
}

// openWatched opens an empty tab of which it is noted whom it asks.
func openWatched(t *testing.T) (*tab, *witness) {
	t.Helper()
	p, w := open(t, "about:blank"), &witness{}
	ctx, stop := context.WithCancel(p.ctx)
	requests, done := chromedp.Events(ctx, network.RequestWillBeSent), make(chan struct{})
	go func() {
		defer close(done)
		for e, err := range requests {
			if err != nil {
				return
			}
			w.mu.Lock()
			w.asked = append(w.asked, e.Request.URL)
			w.mu.Unlock()
		}
	}()
	t.Cleanup(func() {
		stop()
		<-done
	})
	if _, err := chromedp.Call(p.ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	return p, w
}

// others are those that it was not to ask.
func (w *witness) others(s *scene) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.asked) == 0 {
		s.t.Fatal("nobody has looked")
	}
	return slices.DeleteFunc(slices.Clone(w.asked), func(asked string) bool {
		return strings.HasPrefix(asked, s.server.URL+"/") || strings.HasPrefix(asked, "blob:"+s.server.URL+"/") || asked == "about:blank"
	})
}

// checkUnharmed finds out whether something has run, or somebody else was asked, or the page does not react.
func (p *tab) checkUnharmed(s *scene, w *witness) {
	p.t.Helper()
	p.checkReacts()
	for _, line := range p.console() {
		if strings.Contains(line, "executed") || strings.Contains(line, "Content Security Policy") {
			p.t.Errorf("the console says %s", line)
		}
	}
	if asked := w.others(s); len(asked) > 0 {
		p.t.Errorf("it has asked for %q", asked)
	}
	if n := eval[int](p, "document.querySelectorAll('script:not([src^=static]), iframe, object, embed, base, svg').length"); n > 0 {
		p.t.Errorf("%d elements are no part of the page", n)
	}
}

// checkReacts finds out whether the page answers a key and draws.
func (p *tab) checkReacts() {
	p.t.Helper()
	eval[bool](p, "(window.pressed = 0, addEventListener('keydown', () => window.pressed++, { once: true }), true)")
	p.press("x")
	p.wait("window.pressed === 1")
	p.frame()
}

func TestHostileContent(t *testing.T) {
	s := stage(t, nil)
	p, w := openWatched(t)
	texts := map[string]string{
		"page.html":    hostileHTML,
		"page.txt-seq": string(inSequence([]byte(hostileHTML), []byte(hostileHTML))),
		"terminal.txt": "\x1b]0;owned\x07\x1b[31mred\x1b[2J\x9b31m\b\b\n" + script,
	}
	shows := map[string]string{"terminal.txt": "␛]0;owned␇␛[31mred␛[2J"}
	for name, body := range texts {
		s.Serve("/"+name, farm.Resource{Body: []byte(body), MediaType: "text/html", Disposition: `inline; filename="` + onerror + `"`})
		p.visit(s.address("/"+name, "ms", "0"))
		p.waitState("complete")
		want := shows[name]
		if want == "" {
			want = hostileHTML
		}
		p.wait("document.querySelector('.text pre')?.textContent")
		if got := p.text(".text"); !strings.Contains(strings.ReplaceAll(got, "\n", ""), want) {
			t.Errorf("%s is shown as %q", name, got)
		}
		p.checkUnharmed(s, w)
	}
	for name, body := range map[string][]byte{"evil.svg": []byte(hostileSVG), "evil.svg-seq": inSequence([]byte(hostileSVG))} {
		s.Serve("/"+name, farm.Resource{Body: body, MediaType: "image/svg+xml"})
		p.visit(s.address("/"+name, "ms", "0"))
		p.waitState("complete")
		p.waitDrawn(0.25, true)
		p.waitDrawn(0.75, true)
		p.checkUnharmed(s, w)
	}
}

// Names, addresses and words of others are text.
func TestHostileNames(t *testing.T) {
	s := stage(t, nil)
	p, w := openWatched(t)
	name := "/" + url.PathEscape(`">`+script+`<b x='`) + ".txt"
	s.Serve(name, farm.Resource{Body: []byte("it"), Disposition: `attachment; filename="` + onerror + `.exe"`})
	s.Serve("/leads", farm.Resource{Redirect: name + "?" + script})
	s.Serve("/rude", farm.Resource{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		c, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		fmt.Fprintf(c, "HTTP/1.1 404 %s\r\nContent-Length: 0\r\n\r\n", onerror)
		_ = c.Close()
	})})
	s.Serve("/"+url.PathEscape(script)+".parts", farm.Resource{Body: fmt.Appendf(nil, "http://%s/\n%s\n%s%s\n--\n%s\njavascript:%s\n",
		script, s.URL("/rude"), elsewhere, onerror, s.URL("/rude"), executed)})
	for _, c := range []struct{ viewed, want string }{
		{s.URL(name), ""},
		{s.URL("/leads"), ""},
		{s.URL("/rude"), "404"},
		{"javascript:" + executed, "javascript"},
		{script, "no URL"},
		{s.URL("/" + url.PathEscape(script) + ".parts"), "line 1"},
	} {
		p.visit(s.addressOf(c.viewed))
		if c.want != "" {
			p.waitTrouble(c.want)
		} else {
			p.waitState("complete")
		}
		p.checkUnharmed(s, w)
	}
	if got := p.text("#failures"); !strings.Contains(got, script) {
		t.Errorf("what failed is shown as %q", got)
	}
}

// Controls of direction do not reach beyond their row, nor beyond the words that they are in.
func TestDirectionsAreConfined(t *testing.T) {
	s := stage(t, nil)
	s.Serve("/bidi.txt", farm.Resource{Body: []byte("\u2067\u202b\u202eabc\ndef\n")})
	p := open(t, s.address("/bidi.txt"))
	p.waitState("complete")
	p.wait("document.querySelector('.text pre')?.textContent")
	isLeft := func(element, first, last string) bool {
		return eval[bool](p, fmt.Sprintf(`(() => {
			const { firstChild: text } = document.querySelector('%s');
			const x = (c) => { const r = new Range(); const at = text.data.indexOf(c); r.setStart(text, at); r.setEnd(text, at + 1);
				return r.getBoundingClientRect().x; };
			return x('%s') < x('%s');
		})()`, element, first, last))
	}
	if isLeft(".text pre", "a", "c") {
		t.Error("what is to be read from the right is not")
	}
	if !isLeft(".text pre", "d", "f") {
		t.Error("the next row is read from the right, too")
	}
	p.visit(s.addressOf(farm.Dead() + "/\u202exyz"))
	p.waitState("failed")
	p.wait("document.querySelector('#failures .then')")
	if !isLeft("#failures .then", "→", "t") {
		t.Error("what was done is read from the right")
	}
}

func TestHugeTexts(t *testing.T) {
	s := stage(t, nil)
	p, w := openWatched(t)
	const size = 10 << 20
	for name, piece := range map[string]string{"line": "<b>0123456789</b> ", "empty": "\n", "marks": "a\u0301\u0301\u0301", "tabs": "\t", "lines": "\n<i>x</i>"} {
		body := bytes.Repeat([]byte(piece), size/len(piece))
		release := make(chan struct{})
		s.Serve("/"+name, farm.Resource{Body: body, StallAt: size / 2, Release: release})
		p.visit(s.address("/" + name))
		p.wait("parseFloat(document.getElementById('bytes').textContent) >= 4 && document.getElementById('bytes').textContent.includes('MiB')")
		p.checkReacts()
		close(release)
		p.waitState("complete")
		p.do(scrollTo("1e9"))
		p.wait("document.querySelector('.text').scrollTop > 1e4 && document.querySelector('.text pre').textContent")
		if n := eval[int](p, "document.body.textContent.length"); n > 100_000 {
			t.Errorf("%s: %d characters are in the page", name, n)
		}
		if piece[0] == '<' {
			p.wait("document.querySelector('.text').innerText.includes('<b>0123')")
		}
		p.checkUnharmed(s, w)
	}
}

// A picture that would need more memory than there is shows nothing, and does no harm.
func TestHugePictures(t *testing.T) {
	s := stage(t, nil)
	p, w := openWatched(t)
	bomb := drawing(t, 8, 8)
	copy(bomb[16:], []byte{0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60}) // 60,000 by 60,000; the checksum is wrong, too
	for _, c := range []struct {
		name string
		body []byte
		want string
	}{
		{"bomb.png", bomb, "The browser cannot show this image."},
		{"bomb.png-seq", inSequence(bomb), "The browser cannot show this file as image/png."},
		{"bomb.ppm", []byte("P6 60000 60000 255\n"), "60000 times 60000 pixels are too many"},
		{"wide.ppm", []byte("P6 99999999999999999999 1 255\n"), "width"},
		{"none.ppm", []byte("P6 0 0 255\n"), "the width is 0"},
		{"cut.ppm", []byte("P6 10"), "the image ends before its height"},
		{"bomb.ppm-seq", inSequence([]byte("P6 60000 60000 255\n")), "60000 times 60000 pixels are too many"},
	} {
		s.Serve("/"+c.name, farm.Resource{Body: c.body})
		p.visit(s.address("/"+c.name, "ms", "0"))
		p.wait("!document.getElementById('trouble').hidden")
		if got := p.text("#trouble"); !strings.Contains(got, c.want) {
			t.Errorf("%s: %q", c.name, got)
		}
		p.checkUnharmed(s, w)
	}
}
