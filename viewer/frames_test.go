package viewer_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"spate/format/sequence"
)

// inSequence are these files as a sequence.
func inSequence(files ...[]byte) []byte {
	var out bytes.Buffer
	w := sequence.NewWriter(&out)
	for _, file := range files {
		if err := w.WriteFile(uint32(len(file)), bytes.NewReader(file)); err != nil {
			panic(err) // a buffer takes all
		}
	}
	return out.Bytes()
}

// numbered is an image of so many pixels square whose first pixel is n, and whose others are of no use to who compresses it.
func numbered(n, side int) []byte {
	m := image.NewNRGBA(image.Rect(0, 0, side, side))
	noise := rand.NewChaCha8([32]byte{byte(n), byte(n >> 8)})
	_, _ = noise.Read(m.Pix) // which never fails
	for i := 3; i < len(m.Pix); i += 4 {
		m.Pix[i] = 0xff
	}
	m.SetNRGBA(0, 0, colourOf(n))
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.NoCompression}).Encode(&out, m); err != nil {
		panic(err) // a buffer takes all
	}
	return out.Bytes()
}

func colourOf(n int) color.NRGBA { return color.NRGBA{byte(n >> 8), byte(n), 77, 0xff} }

// numberedPPM is the same as one pixel in a PPM.
func numberedPPM(n int) []byte {
	c := colourOf(n)
	return append([]byte("P6\n# a pixel\n1 1\n255\n"), c.R, c.G, c.B)
}

// numberedAll are images from 1 to n.
func numberedAll(n, side int) [][]byte {
	var all [][]byte
	for i := range n {
		all = append(all, numbered(i+1, side))
	}
	return all
}

// watching has a page note what it shows each time that the screen is drawn: the number of an image, the text of a text, and "?" of what
// is shown as bytes.
const watching = `(() => {
	const seen = window.seen = [];
	const shown = () => {
		const canvas = document.querySelector('#stage canvas');
		if (canvas) {
			const [high, low, mark] = canvas.getContext('2d').getImageData(0, 0, 1, 1).data;
			return mark === 77 ? String(high * 256 + low) : 'no number';
		}
		if (document.querySelector('#stage .hex')) return '?';
		return document.querySelector('#stage .text pre')?.textContent;
	};
	const look = () => {
		const now = shown();
		if (now !== undefined && now !== seen.at(-1)) seen.push(now);
		requestAnimationFrame(look);
	};
	requestAnimationFrame(look);
})()`

// openWatching shows address, and what is seen is noted from the first.
func openWatching(t *testing.T, address string) *tab {
	t.Helper()
	p := open(t, "about:blank")
	p.watch()
	p.do(chromedp.Navigate(address))
	return p
}

// watch notes what the pages that come are seen with.
func (p *tab) watch() {
	p.t.Helper()
	script := page.AddScriptToEvaluateOnNewDocumentParams{Source: watching}
	if _, err := chromedp.Call(p.ctx, page.AddScriptToEvaluateOnNewDocument, script); err != nil {
		p.t.Fatal(err)
	}
}

// seen is what was shown, in order.
func (p *tab) seen() []string {
	p.t.Helper()
	return eval[[]string](p, "window.seen")
}

// waitSeen waits until so much was seen, and compares it.
func (p *tab) waitSeen(want ...string) {
	p.t.Helper()
	data, _ := json.Marshal(want) // strings can be
	p.wait(fmt.Sprintf("window.seen.length >= %d", len(want)))
	p.settle()
	if got := p.seen(); !slices.Equal(got, want) {
		p.t.Fatalf("seen was %q; want %s", got, data)
	}
}

// settle gives the page time to show more than it should: the screen is drawn some times.
func (p *tab) settle() {
	p.t.Helper()
	eval[bool](p, `new Promise((resolve) => {
		let left = 12;
		const look = () => (left-- > 0 ? requestAnimationFrame(look) : resolve(true));
		look();
	})`)
}

// waitFrame waits until the page says that it shows a file.
func (p *tab) waitFrame(n int) {
	p.t.Helper()
	p.wait(fmt.Sprintf("document.getElementById('frame').textContent.startsWith('%d,')", n))
}

// waitFrames waits until the page shows a file or one behind it: while it plays, who asks now and then misses most.
func (p *tab) waitFrames(n int) {
	p.t.Helper()
	p.wait(fmt.Sprintf("parseInt(document.getElementById('frame').textContent, 10) >= %d", n))
}

// numbers are those from first to last.
func numbers(first, last int) []string {
	var all []string
	for n := first; n <= last; n++ {
		all = append(all, fmt.Sprint(n))
	}
	return all
}
