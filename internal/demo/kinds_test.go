package demo

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"spate/format/sequence"
)

// TestKinds: there is something of each kind that the page shows, and its first bytes tell.
func TestKinds(t *testing.T) {
	s := open(t)
	for name, kind := range map[string]string{"text": "text/plain", "image": "image/png", "drawing": "text/xml", "sound": "audio/wave",
		"film": "video/webm", "data": "application/octet-stream"} {
		e := find(t, s, name)
		var head []byte
		if name == "text" {
			head = []byte(taleText()) // see TestTextIsWhatItPromises
		} else {
			head = witness(t, e)
		}
		if got := http.DetectContentType(head); !strings.HasPrefix(got, kind) {
			t.Errorf("%s is %s", name, got)
		}
	}
	if len(film) > 40_000 {
		t.Errorf("a film of %d bytes", len(film))
	}
}

func TestDrawingIsSVG(t *testing.T) {
	var svg struct {
		XMLName xml.Name `xml:"http://www.w3.org/2000/svg svg"`
		Paths   []struct {
			D string `xml:"d,attr"`
		} `xml:"path"`
	}
	err := xml.Unmarshal(witness(t, find(t, open(t), "drawing")), &svg)
	if err != nil || len(svg.Paths) != 4 {
		t.Fatal(len(svg.Paths), "paths:", err)
	}
	for i, p := range svg.Paths {
		if !strings.HasPrefix(p.D, "M85.0,0.0L") || strings.Count(p.D, "L") != 239 || !strings.HasSuffix(p.D, "Z") {
			t.Errorf("path %d: %s", i+1, p.D)
		}
	}
}

func TestPixelsAreWhatTheirHeaderSays(t *testing.T) {
	b := witness(t, find(t, open(t), "pixels"))
	var width, height, most int
	n, err := fmt.Sscanf(string(b), "P6\n# made by spate demo\n%d %d\n%d\n", &width, &height, &most)
	_, pixels, ok := bytes.Cut(b, []byte("\n255\n"))
	if n != 3 || err != nil || !ok || most != 255 || len(pixels) != 3*width*height {
		t.Errorf("%d by %d, %d bytes, %v", width, height, len(pixels), err)
	}
}

func TestSoundIsWhatItsHeaderSays(t *testing.T) {
	b := witness(t, find(t, open(t), "sound"))
	var h waveHeader
	if err := binary.Read(bytes.NewReader(b), binary.LittleEndian, &h); err != nil {
		t.Fatal(err)
	}
	if int(h.Size) != len(b)-8 || int(h.DataSize) != len(b)-binary.Size(h) || h.ByteRate != h.SampleRate*uint32(h.Align) {
		t.Errorf("%+v of %d bytes", h, len(b))
	}
	samples := round()
	if len(samples) != (beats+entry)*beat || samples[0] != 0 {
		t.Error(len(samples), "samples")
	}
	loud := slices.Max(samples)
	if loud < 10_000 || slices.Min(samples) > -10_000 {
		t.Error("it is not to be heard:", loud)
	}
	var left float64
	for _, note := range tune {
		left += note.beats
	}
	if left != beats {
		t.Error(left, "beats")
	}
}

// TestMixtureHasAllKinds goes through its files one by one.
func TestMixtureHasAllKinds(t *testing.T) {
	s := open(t)
	seen := map[string]int{}
	d := sequence.NewReader(bytes.NewReader(witness(t, find(t, s, "mixture"))))
	for {
		f, err := d.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(f)
		if err != nil {
			t.Fatal(err)
		}
		kind := http.DetectContentType(b)
		if bytes.HasPrefix(b, []byte("P6\n")) {
			kind = "pnm"
		}
		seen[kind]++
	}
	for kind, n := range map[string]int{"text/plain; charset=utf-8": 7, "image/png": 6, "text/xml; charset=utf-8": 1, "pnm": 1,
		"application/octet-stream": 1} {
		if seen[kind] != n {
			t.Errorf("%d of %s in %v", seen[kind], kind, seen)
		}
	}
}
