package viewer_test

import (
	"bytes"
	"flag"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"spate/internal/demo"
	"spate/viewer"
)

var picture = flag.String("picture", "", "write the picture of the page that the documentation has to this `file`")

const screens = "screens" // which git ignores

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
	p.resize(1100, 1176)
	p.wait("parseInt(document.getElementById('frame').textContent) > 60")
	img := coarse(t, p.shot())
	var b bytes.Buffer
	enc := png.Encoder{CompressionLevel: png.BestCompression}
	if err := enc.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	if size := img.Bounds().Dx(); size != 1100 || b.Len() > 200_000 {
		t.Fatalf("it is %d wide, and has %d bytes", size, b.Len())
	}
	if err := os.WriteFile(*picture, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
}

// coarse is a PNG with fewer colours, so that it takes less room.
func coarse(t *testing.T, data []byte) image.Image {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	rgba := image.NewRGBA(img.Bounds())
	draw.Draw(rgba, rgba.Bounds(), img, image.Point{}, draw.Src)
	for i, v := range rgba.Pix {
		if i%4 != 3 {
			rgba.Pix[i] = uint8(min(255, (int(v)+2)/5*5))
		}
	}
	return rgba
}
