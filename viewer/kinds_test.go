package viewer_test

import (
	"bytes"
	"fmt"
	"image/png"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"spate/internal/farm"
)

// colours counts those of a picture on the page that are far from each other.
const colours = `(() => {
	const picture = document.querySelector('#stage img, #stage canvas, #stage video');
	const canvas = document.createElement('canvas');
	canvas.width = canvas.height = 16;
	const c = canvas.getContext('2d');
	c.drawImage(picture, 0, 0, 16, 16);
	const seen = new Set();
	const { data } = c.getImageData(0, 0, 16, 16);
	for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 250) seen.add((data[i] >> 6) * 16 + (data[i + 1] >> 6) * 4 + (data[i + 2] >> 6));
	return seen.size;
})()`

func TestImages(t *testing.T) {
	s := stage(t, nil)
	p := open(t, s.server.URL+"/")
	for _, c := range []struct {
		name, kind string
		body       []byte
	}{
		{"picture.png", "image/png", drawing(t, 64, 48)},
		{"picture.jpg", "image/jpeg", embedded(t, "picture.jpg")},
		{"picture.gif", "image/gif", embedded(t, "picture.gif")},
		{"picture.webp", "image/webp", embedded(t, "picture.webp")},
		{"picture.bmp", "image/bmp", embedded(t, "picture.bmp")},
		{"picture.avif", "image/avif", embedded(t, "picture.avif")},
		{"picture.svg", "image/svg+xml", []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="64" height="48"><rect width="30" height="48" fill="red"/>` +
			`<rect x="30" width="34" height="48" fill="#00f"/></svg>`)},
		{"picture.ppm", "image/x-portable-anymap", netpbm("P6 64 48 255\n", 64*48*3)},
		{"picture.pgm", "image/x-portable-anymap", netpbm("P5 64 48 255\n", 64*48)},
		{"nameless", "image/jpeg", embedded(t, "picture.jpg")},
		{"wrong.txt", "image/gif", embedded(t, "picture.gif")},
	} {
		s.Serve("/"+c.name, farm.Resource{Body: c.body, MediaType: "text/html"})
		p.visit(s.address("/" + c.name))
		p.waitState("complete")
		if kind := p.text("#kind"); kind != c.kind {
			t.Errorf("%s is said to be %s", c.name, kind)
		}
		if n := eval[int](p, colours); n < 2 {
			t.Errorf("%s: there are %d colours", c.name, n)
		}
		if size := eval[string](p, `(() => { const e = document.querySelector('#stage .sized');
			return [e.naturalWidth || e.width, e.naturalHeight || e.height].join('×'); })()`); size != "64×48" {
			t.Errorf("%s is of %s pixels", c.name, size)
		}
	}
}

func TestImageIsSeenWhileItArrives(t *testing.T) {
	s := stage(t, nil)
	whole, release := drawing(t, 640, 400), make(chan struct{})
	s.Serve("/slow.png", farm.Resource{Body: whole, StallAt: int64(len(whole)) * 3 / 4, Release: release})
	p := open(t, s.address("/slow.png"))
	p.wait("document.querySelector('#stage .sized')")
	p.waitDrawn(0.1, true)
	p.waitDrawn(0.5, true)
	if p.isDrawn(0.98) {
		t.Error("the last rows are seen before they were sent")
	}
	p.waitState("arriving")
	close(release)
	p.waitState("complete")
	p.waitDrawn(0.98, true)
}

// isDrawn reports whether there is something of the drawing at so much of the stage's height.
func (p *tab) isDrawn(share float64) bool {
	p.t.Helper()
	type point struct{ X, Y int }
	at := eval[point](p, fmt.Sprintf(`(() => { const b = document.querySelector('#stage .sized')?.getBoundingClientRect();
		return b ? { X: Math.round(b.x + b.width / 2), Y: Math.round(b.y + b.height * %f) } : { X: 0, Y: 0 }; })()`, share))
	img, err := png.Decode(bytes.NewReader(p.shot()))
	if err != nil {
		p.t.Fatal(err)
	}
	r, g, b, _ := img.At(at.X, at.Y).RGBA()
	return max(r, g, b)-min(r, g, b) > 0x2000 // what is behind it is grey
}

func (p *tab) waitDrawn(share float64, want bool) {
	p.t.Helper()
	for deadline := time.Now().Add(patience); p.isDrawn(share) != want; {
		if time.Now().After(deadline) {
			p.t.Fatalf("at %.2f of the height: want %v", share, want)
		}
	}
}

// An audio file of parts plays, and what is sought is asked for.
func TestAudioPlaysAndSeeks(t *testing.T) {
	s := stage(t, nil)
	const parts = 8
	sound := tone{seconds: 1200}
	size := sound.size() / parts
	var list []string
	for i := range int64(parts) {
		off, n := i*size, size
		if i == parts-1 {
			n = sound.size() - off
		}
		path := fmt.Sprintf("/tone/%d", i)
		s.Serve(path, farm.Resource{ETag: `"tone"`, Size: n, Gen: func(at int64, b []byte) int {
			return sound.at(off+at, b[:min(int64(len(b)), n-at)])
		}})
		list = append(list, fmt.Sprintf("%s#size=%d", s.URL(path), n))
	}
	s.Serve("/tone.wav.parts", farm.Resource{Body: []byte(strings.Join(list, "\n--\n") + "\n")})
	p := open(t, s.address("/tone.wav.parts"))
	p.wait("document.querySelector('audio')?.duration > 1199")
	if kind := p.text("#kind"); kind != "audio/wav" {
		t.Error("it is", kind)
	}
	eval[bool](p, "document.querySelector('audio').play().then(() => true)")
	p.wait("document.querySelector('audio').currentTime > 0.3")
	p.waitState("playing")
	before := s.Requests("/tone/6") // the page looked whether it is there, before it knew that it would be played
	eval[bool](p, "(document.querySelector('audio').currentTime = 1000, true)")
	p.wait("document.querySelector('audio').currentTime > 1000.3")
	if s.Requests("/tone/6") == before {
		t.Error("what was sought was not asked for")
	}
	p.wait("document.getElementById('parts-title').textContent === 'Ranges'")
	if words := p.text("#parts-words"); !strings.Contains(words, "there") || !strings.Contains(words, "waiting") {
		t.Errorf("underneath there is %q", words)
	}
	p.press(" ") // it is not in the URL field
	p.waitState("paused")
	p.click("#stop")
	p.waitState("stopped")
	p.wait("!document.querySelector('audio')")
}

func TestVideoPlays(t *testing.T) {
	s, urls := exhibition(t)
	p := open(t, s.addressOf(urls["film"]))
	p.wait("document.querySelector('video')?.readyState >= 2")
	if kind := p.text("#kind"); kind != "video/webm" {
		t.Error("it is", kind)
	}
	eval[bool](p, "document.querySelector('video').play().then(() => true)")
	p.wait("document.querySelector('video').currentTime > 0.3")
	if n := eval[int](p, colours); n < 3 {
		t.Errorf("there are %d colours", n)
	}
}

// Of what nobody can show only the first bytes are fetched.
func TestDataIsShownAsBytes(t *testing.T) {
	s := stage(t, nil)
	const size = 1 << 30
	s.Serve("/unknown", farm.Resource{Size: size, Gen: func(off int64, p []byte) int {
		for i := range p {
			p[i] = byte((off + int64(i)) * 7)
		}
		return len(p)
	}})
	p := open(t, s.address("/unknown"))
	p.waitState("the first bytes are shown, and no more is fetched")
	for selector, want := range map[string]string{
		".hex": "00000010  70 77 7e 85 8c 93 9a a1  a8 af b6 bd c4 cb d2 d9  pw~.............", "#size": "1.0 GiB", "#kind": "data",
	} {
		if got := p.text(selector); !strings.Contains(got, want) {
			t.Errorf("%s has %.200q", selector, got)
		}
	}
	if err := s.Wait(p.ctx, farm.Ended, "/unknown", 1); err != nil {
		t.Fatal(err)
	}
	if sent := s.Log()[0].Bytes; sent > 64<<20 {
		t.Errorf("%d bytes were sent", sent)
	}
	if save := eval[string](p, "document.getElementById('save').href"); !strings.Contains(save, "/s/") {
		t.Errorf("it is saved from %q", save)
	}
}

func TestTexts(t *testing.T) {
	s := stage(t, nil)
	p := open(t, s.server.URL+"/")
	sixteen := func(order func(uint16) []byte) []byte {
		var b []byte
		for _, unit := range utf16.Encode([]rune("\ufeffüber 世界 🌍\n")) {
			b = append(b, order(unit)...)
		}
		return b
	}
	for _, c := range []struct {
		name, want string
		body       []byte
	}{
		{"utf8", "über 世界 🌍", []byte("über 世界 🌍\n")},
		{"utf16le", "über 世界 🌍", sixteen(func(u uint16) []byte { return []byte{byte(u), byte(u >> 8)} })},
		{"utf16be", "über 世界 🌍", sixteen(func(u uint16) []byte { return []byte{byte(u >> 8), byte(u)} })},
		{"latin1.txt", "grün und größer", []byte("gr\xfcn und gr\xf6\xdfer\n")},
		{"empty", "", nil},
	} {
		s.Serve("/"+c.name, farm.Resource{Body: c.body, MediaType: "image/png"})
		p.visit(s.address("/" + c.name))
		p.waitState("complete")
		p.wait("document.querySelector('.text pre')")
		p.frame()
		if got := p.text(".text"); strings.TrimSpace(got) != c.want {
			t.Errorf("%s is shown as %q", c.name, got)
		}
	}
}
