package viewer_test

import (
	"fmt"
	"html"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"spate/internal/farm"
)

// shifted is how far things have moved by themselves since the page was loaded.
const shifted = `new Promise((resolve) => {
	let sum = 0;
	const note = (list) => { for (const e of list.getEntries()) if (!e.hadRecentInput) sum += e.value; };
	const watch = new PerformanceObserver(note);
	watch.observe({ type: 'layout-shift', buffered: true });
	requestAnimationFrame(() => setTimeout(() => { note({ getEntries: () => watch.takeRecords() }); resolve(sum); }));
})`

// unread are texts that do not stand out from what is behind them: less than 4.5 to 1 (WCAG 2.2, 1.4.3).
const unread = `(() => {
	const light = (c) => {
		const [r, g, b] = c.match(/[\d.]+/g).slice(0, 3).map((n) => n / 255).map((n) => (n <= 0.04045 ? n / 12.92 : ((n + 0.055) / 1.055) ** 2.4));
		return 0.2126 * r + 0.7152 * g + 0.0722 * b;
	};
	const behind = (e) => {
		for (; e; e = e.parentElement) {
			const c = getComputedStyle(e).backgroundColor;
			if (!/, 0\)$/.test(c)) return c;
		}
		return 'rgb(255, 255, 255)';
	};
	const found = [];
	for (const e of document.body.querySelectorAll('*')) {
		const has = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) || e.localName === 'input';
		if (!has || !e.checkVisibility({ visibilityProperty: true }) || e.disabled || e.ariaDisabled === 'true') continue;
		const [a, b] = [light(getComputedStyle(e).color), light(behind(e))];
		const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
		if (contrast < 4.5) found.push((e.id || e.className || e.localName) + ' ' + contrast.toFixed(2));
	}
	return found;
})()`

// unreached are controls that one does not get at with a finger: beyond the edge, or below something else.
const unreached = `(() => {
	const found = [];
	for (const e of document.querySelectorAll('button, input, a[href], summary, audio, .text, .hex')) {
		if (!e.checkVisibility({ visibilityProperty: true })) continue;
		e.scrollIntoView({ block: 'center' });
		const { left, right, top, width, height } = e.getBoundingClientRect();
		const at = document.elementFromPoint(left + width / 2, top + Math.min(height / 2, innerHeight - top - 1));
		const isTop = at === e || e.contains(at) || at?.contains(e) && e.disabled;
		if (left < 0 || right > document.documentElement.clientWidth || width < 20 || height < 18 || !isTop) found.push((e.id || e.className || e.textContent) + ' ' +
			[left, right, width, height, at?.id || at?.localName].join(' '));
	}
	scrollTo(0, 0);
	return found;
})()`

// states are what the page may be found in: what is viewed, and what is true then.
func states(s *scene, urls map[string]string) []struct{ name, address, ready string } {
	const is = "document.getElementById('state').textContent === "
	return []struct{ name, address, ready string }{
		{"idle", s.server.URL + "/", "document.querySelectorAll('#samples a').length > 5"},
		{"mirrors", s.addressOf(urls["text"]), is + "'complete'"},
		{"manifests", s.addressOf(urls["manifests"]), is + "'complete'"},
		{"animation", s.addressOf(urls["loop"], "ms", "40"), "parseInt(document.getElementById('frame').textContent) > 30"},
		{"paused", s.addressOf(urls["verses"], "play", "0"), "document.querySelector('.text')?.innerText.includes('byte')"},
		{"sound", s.addressOf(urls["sound"]), "document.querySelector('audio')?.duration > 9 && document.getElementById('parts-title').textContent === 'Ranges'"},
		{"film", s.addressOf(urls["film"]), "document.querySelector('video')?.readyState > 1"},
		{"data", s.addressOf(urls["data"]), "document.querySelector('.hex')"},
		{"broken", s.addressOf(urls["broken"]), is + "'failed'"},
		{"missing", s.addressOf(urls["missing"]), is + "'failed'"},
		{"text", s.address("/tale.txt"), "document.querySelector('.text')?.innerText.includes('arrived')"},
		{"half", s.address("/half.png"), "parseFloat(document.getElementById('bytes').textContent) > 300"},
		{"mixture", s.addressOf(urls["mixture"], "ms", "30"), "parseInt(document.getElementById('frame').textContent) > 12"},
	}
}

// TestLooks: in the dark and in the light all can be read; on a telephone all is there, and can be reached; nothing moves by itself. What it
// looks like is kept for somebody who looks.
func TestLooks(t *testing.T) {
	s, urls := exhibition(t)
	tale, whole := strings.Repeat("What has arrived is shown at once, and what has not is waited for.\n", 400), drawing(t, 640, 400)
	s.Serve("/tale.txt", farm.Resource{Body: []byte(tale), StallAt: int64(len(tale) / 20)})
	s.Serve("/half.png", farm.Resource{Body: whole, StallAt: int64(len(whole) / 2)})
	p := open(t, "about:blank")
	const tall = 1240 // so that all is seen
	p.resize(1100, tall)
	for _, c := range states(s, urls) {
		p.visit(c.address)
		p.wait(c.ready)
		p.settle() // what is drawn four times a second is drawn
		if sum := eval[float64](p, shifted); sum >= 0.01 {
			t.Errorf("%s: things have moved by %.3f", c.name, sum)
		}
		for _, scheme := range []string{"dark", "light"} {
			p.prefer(scheme)
			p.frame()
			p.keep(c.name + "-" + scheme)
			if found := eval[[]string](p, unread); len(found) > 0 {
				t.Errorf("%s, %s: hard to read: %q", c.name, scheme, found)
			}
		}
		p.resize(360, 740)
		p.settle() // text is wrapped anew
		p.keep(c.name + "-narrow")
		if width := eval[int](p, "document.documentElement.scrollWidth"); width > 360 {
			t.Errorf("%s: on a telephone it is %d wide", c.name, width)
		}
		if found := eval[[]string](p, unreached); len(found) > 0 {
			t.Errorf("%s: out of reach on a telephone: %q", c.name, found)
		}
		p.resize(1100, tall)
	}
}

// Nothing moves while a text grows, and while mirrors fail.
func TestNothingMoves(t *testing.T) {
	s := stage(t, nil)
	release := make(chan struct{})
	text := []byte(strings.Repeat("It grows.\n", 1000))
	s.Serve("/slow", farm.Resource{Body: text, StallAt: 3000, Release: release})
	s.Serve("/busy", farm.Resource{Status: 503})
	s.Serve("/all.parts", farm.Resource{Body: fmt.Appendf(nil, "%s\n%s\n--\n%s\n%[1]s\n--\n%[1]s\n", s.URL("/busy"), s.URL("/slow"), farm.Dead())})
	p := open(t, s.address("/all.parts"))
	p.wait("document.querySelector('.text')?.innerText.includes('grows') && document.querySelectorAll('#failures li').length > 1")
	close(release)
	p.waitState("failed")
	p.settle()
	if sum := eval[float64](p, shifted); sum >= 0.01 {
		t.Errorf("things have moved by %.3f", sum)
	}
}

// Samples are offered first, and below what is viewed or asked about from then on.
func TestSamplesStay(t *testing.T) {
	s, urls := exhibition(t)
	p := open(t, s.server.URL+"/")
	p.wait("document.querySelectorAll('#stage #samples a').length > 5")
	other := farm.New()
	defer other.Close()
	link := `<a id="link" href="` + html.EscapeString(s.addressOf(urls["text"])) + `">here</a>`
	other.Serve("/", farm.Resource{Body: []byte(link), MediaType: "text/html"})
	p.do(chromedp.Navigate(other.URL("/")))
	p.click("#link")
	p.waitAcross("document.getElementById('stage')?.innerText.includes('Press Start')")
	p.wait("document.querySelectorAll('#page > #samples a').length > 5")
	p.click("#start")
	p.waitState("complete")
	p.wait("document.querySelectorAll('#page > #samples a').length > 5")
}
