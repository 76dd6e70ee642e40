package viewer_test

import (
	"strings"
	"testing"
)

// drawnColours is how many of the colours of the legend are in the map of parts.
const drawnColours = `(() => {
	const canvas = document.getElementById('parts');
	const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
	const has = new Set();
	for (let i = 0; i < data.length; i += 4) if (data[i + 3] === 255) has.add('#' + [0, 1, 2].map((k) => data[i + k].toString(16).padStart(2, '0')).join(''));
	const legend = [...document.querySelectorAll('#legend li')].map((e) => e.style.getPropertyValue('--swatch'));
	return legend.filter((colour) => has.has(colour)).length;
})()`

// Parts that fail over between origins are drawn in the colours of who gave them, with what failed and what was done about it.
func TestUnderneathMirrors(t *testing.T) {
	s, urls := exhibition(t)
	p := open(t, s.addressOf(urls["text"]))
	p.waitState("complete")
	p.wait("document.getElementById('parts-words').textContent === 'done: 2,076 bytes: 6 from another place'")
	if n := eval[int](p, "document.querySelectorAll('#legend li').length"); n != 5 {
		t.Errorf("there are %d origins", n)
	}
	if n := eval[int](p, drawnColours); n != 5 {
		t.Errorf("%d of them are drawn", n)
	}
	if strings.Contains(p.text("#legend"), "127.0.0.1:1\n") {
		t.Error("a dead origin is one of them")
	}
	for _, want := range []string{"connection refused", "404 Not Found", "503 Service Unavailable", "unexpected EOF", "malformed", "→ asked again, from byte 173 on", "→ taken from "} {
		if got := p.text("#failures"); !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if words := p.text("#rate-words"); !strings.HasPrefix(words, "2.0 KiB in ") {
		t.Errorf("the rate is %q", words)
	}
}

// Manifests are a tree, with those that were given up.
func TestUnderneathManifests(t *testing.T) {
	s, urls := exhibition(t)
	p := open(t, s.addressOf(urls["manifests"]))
	p.waitState("complete")
	p.wait("document.getElementById('parts-words').textContent.startsWith('done: ')")
	tree := eval[[]string](p, "[...document.querySelectorAll('#tree li')].map((e) => e.querySelector('.name').textContent + e.querySelector('.about').textContent)")
	want := "book 0 parts;1 line 1, 3 parts;2 line 3, 3 parts;three line 5, 3 parts;torn line 7, 1 part, given up;4 line 7, 2 parts"
	if got := strings.Join(tree, ";"); got != want {
		t.Errorf("the tree is %s", got)
	}
	if n := eval[int](p, "document.querySelectorAll('#tree > li > ul > li').length"); n != 5 {
		t.Errorf("%d manifests are below the first", n)
	}
}

// Laps of what ends in itself are counted, and what is kept from the first lap is told.
func TestUnderneathLaps(t *testing.T) {
	s, urls := exhibition(t)
	p := open(t, s.addressOf(urls["loop"], "ms", "10"))
	p.wait("/\\d+ laps/.test(document.querySelector('#tree .about')?.textContent)")
	p.wait("/3 there, \\d+ cached/.test(document.getElementById('parts-words').textContent)")
	p.click("#stop")
	p.waitState("stopped")
	p.wait("document.getElementById('parts-words').textContent.startsWith('not fetched any more')")
}
