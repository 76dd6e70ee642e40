package viewer_test

import (
	"bytes"
	"flag"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"spate/internal/demo"
	"spate/internal/farm"
	"spate/viewer"
)

var picture = flag.String("picture", "", "write the picture of the page that the documentation has to this `file`")

const (
	screens = "screens" // which git ignores
	tall    = 1240      // so that all is seen
)

// shot is what the tab shows, as a PNG.
func (p *tab) shot() []byte {
	p.t.Helper()
	data, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		p.t.Fatal(err)
	}
	return data
}

// keep writes what the tab shows into a folder where somebody can look at it.
func (p *tab) keep(name string) {
	p.t.Helper()
	if err := os.MkdirAll(screens, 0o777); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(screens, name+".png"), p.shot(), 0o666); err != nil {
		p.t.Fatal(err)
	}
}

// prefer has the page believe that its user prefers "dark" or "light".
func (p *tab) prefer(scheme string) {
	p.t.Helper()
	set := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
	if _, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, set); err != nil {
		p.t.Fatal(err)
	}
}

// resize makes the tab so many pixels wide and high.
func (p *tab) resize(width, height int64) {
	p.t.Helper()
	p.do(chromedp.EmulateViewport(width, height))
}

// exhibition is a stage with the demo as its samples.
func exhibition(t *testing.T) (*scene, map[string]string) {
	t.Helper()
	site, err := demo.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(site.Close)
	urls := map[string]string{}
	var samples []viewer.Sample
	for _, e := range site.Exhibits {
		urls[e.Name] = e.URL
		samples = append(samples, viewer.Sample{Title: e.Title(), URL: e.URL, MS: e.Delay})
	}
	return stage(t, func(o *viewer.Options) { o.Samples = samples }), urls
}

// What the page looks like in its main states, for somebody who looks.
func TestPictures(t *testing.T) {
	s, urls := exhibition(t)
	tale := strings.Repeat("What has arrived is shown at once, and what has not is waited for.\n", 400)
	s.Serve("/tale.txt", farm.Resource{Body: []byte(tale), StallAt: int64(len(tale) / 20)})
	whole := drawing(t, 640, 400)
	s.Serve("/half.png", farm.Resource{Body: whole, StallAt: int64(len(whole) / 2)})
	p := open(t, "about:blank")
	p.resize(1100, tall)
	for _, c := range append(states(s, urls), []struct{ name, address, ready string }{
		{"text", s.address("/tale.txt"), "document.querySelector('.text')?.innerText.includes('arrived')"},
		{"half", s.address("/half.png"), "document.querySelector('img.sized')"},
		{"mixture", s.addressOf(urls["mixture"], "ms", "30"), "parseInt(document.getElementById('frame').textContent) > 12"},
	}...) {
		p.visit(c.address)
		p.wait(c.ready)
		if c.name == "half" {
			p.waitDrawn(0.4, true)
		}
		p.settle()
		p.keep(c.name)
		p.prefer("dark")
		p.frame()
		p.keep(c.name + "-dark")
		p.prefer("light")
		p.resize(360, 740)
		p.frame()
		p.keep(c.name + "-narrow")
		p.resize(1100, tall)
	}
}

// visit shows another address in the tab, from the start.
func (p *tab) visit(address string) {
	p.t.Helper()
	p.visits++
	address = strings.Replace(address, "/#", fmt.Sprintf("/?%d#", p.visits), 1) // another fragment alone is not another page
	p.do(chromedp.Navigate(address))
}

// frame waits until the page has drawn what it knows.
func (p *tab) frame() {
	p.t.Helper()
	eval[bool](p, "new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(() => drawn(true))))")
}

// The picture of the documentation.
func TestPicture(t *testing.T) {
	if *picture == "" {
		t.Skip("-picture says where to")
	}
	s, urls := exhibition(t)
	p := open(t, s.addressOf(urls["loop"], "ms", "40"))
	p.wait("parseInt(document.getElementById('frame').textContent) > 60")
	p.frame()
	data := p.shot()
	config, err := png.DecodeConfig(bytes.NewReader(data))
	if err != nil || config.Width != 1100 {
		t.Fatal(config, err)
	}
	if err := os.WriteFile(*picture, data, 0o666); err != nil {
		t.Fatal(err)
	}
	fmt.Println(len(data))
}
