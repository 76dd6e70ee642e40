package demo

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"image"
	"math"
	"strings"

	"spate/format/manifest"
)

// roseSVG draws roses (r = cos(k·φ)) in the form of SVG.
func roseSVG() string {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>
<!-- drawn by spate demo -->
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 400" width="600" height="400">
<title>Four roses</title>
<rect width="600" height="400" fill="#f6f1e7"/>
`)
	for i, r := range []struct {
		k      float64
		colour string
		x, y   int
	}{{3, "#b3001b", 150, 110}, {4, "#255f85", 450, 110}, {5, "#6a994e", 150, 290}, {1.5, "#7b2d8e", 450, 290}} {
		fmt.Fprintf(&b, `<path transform="translate(%d %d)" fill="%s" fill-opacity="0.25" stroke="%[3]s" stroke-width="1.5" d="`, r.x, r.y, r.colour)
		const steps = 240
		for n := range steps {
			phi := 4 * math.Pi * float64(n) / steps // 1.5 needs two turns
			radius := 85 * math.Cos(r.k*phi)
			fmt.Fprintf(&b, "%c%.1f,%.1f", "ML"[min(n, 1)], radius*math.Cos(phi), radius*math.Sin(phi))
		}
		fmt.Fprintf(&b, "Z\"><title>rose %d</title></path>\n", i+1)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// drawing is an SVG in three parts.
func (s *Site) drawing() Exhibit {
	whole := roseSVG()
	var parts []manifest.Part
	for i, piece := range cut([]byte(whole), 3) {
		parts = append(parts, part(s.text(1+i, fmt.Sprintf("/roses/%d", i), string(piece))))
	}
	return s.exhibit("/roses.svg.parts", encode(parts), Exhibit{
		Name:   "drawing",
		About:  "four roses as an SVG in three parts",
		Mode:   File,
		Bytes:  int64(len(whole)),
		SHA256: sha256.Sum256([]byte(whole)),
	})
}

// encodePPM is img as a binary portable pixmap.
func encodePPM(img *image.Paletted) []byte {
	size := img.Bounds().Size()
	b := fmt.Appendf(nil, "P6\n# made by spate demo\n%d %d\n255\n", size.X, size.Y)
	for y := range size.Y {
		for x := range size.X {
			r, g, blue, _ := img.At(x, y).RGBA()
			b = append(b, byte(r>>8), byte(g>>8), byte(blue>>8))
		}
	}
	return b
}

// pixels is a picture that browsers do not show.
func (s *Site) pixels() Exhibit {
	return s.inParts("/plasma.ppm.parts", encodePPM(plasma(2*frameW, 2*frameH, 0.3)), Exhibit{
		Name:  "pixels",
		About: "a picture as a PPM, which a browser by itself does not show",
	})
}

// chaos is data that is neither text nor anything that has a name: digests of numbers, and the numbers.
func chaos() []byte {
	var b bytes.Buffer
	b.WriteString("\x00neither text, nor a picture, nor sound\x00\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8")
	for i := range uint64(512) {
		number := binary.BigEndian.AppendUint64(nil, i)
		sum := sha256.Sum256(number)
		b.Write(number)
		b.Write(sum[:])
	}
	return b.Bytes()
}

// data is shown as bytes.
func (s *Site) data() Exhibit {
	return s.inParts("/data.bin.parts", chaos(), Exhibit{Name: "data", About: "bytes that are nothing in particular"})
}

// verses is the tale verse by verse, as a sequence in parts that end in the middle of verses.
func (s *Site) verses() Exhibit {
	files := verseTexts()
	whole := sequenceOf(files)
	var parts []manifest.Part
	for i, piece := range cut(whole, 4) {
		parts = append(parts, part(s.put(1+i, fmt.Sprintf("/verses/%d", i), piece, octets())))
	}
	return s.exhibit("/tale.txt-seq.parts", encode(parts), Exhibit{
		Name:   "verses",
		About:  "the text verse by verse: a sequence of texts in four parts",
		Mode:   Frames,
		Bytes:  int64(len(whole)),
		Files:  len(files),
		SHA256: sha256.Sum256(whole),
		Delay:  1000,
	})
}

func verseTexts() (files [][]byte) {
	for verse := range strings.SplitAfterSeq(taleText(), "\n\n") {
		if verse != "" {
			files = append(files, []byte(verse))
		}
	}
	return files
}

// mixture is a sequence of everything that a file of a sequence may be.
func (s *Site) mixture(frames [][]byte) Exhibit {
	const path = "/mixture-seq"
	var files [][]byte
	for i, verse := range verseTexts()[:6] {
		files = append(files, verse, frames[i*len(frames)/6])
	}
	files = append(files, []byte(roseSVG()), encodePPM(plasma(frameW, frameH, 0.5)), chaos()[:1000], []byte("the end\n"))
	whole := sequenceOf(files)
	return Exhibit{
		Name:   "mixture",
		About:  "texts and pictures of several kinds in one sequence",
		URL:    s.put(0, path, whole, octets()),
		Path:   path,
		Mode:   Frames,
		Bytes:  int64(len(whole)),
		Files:  len(files),
		SHA256: sha256.Sum256(whole),
		Delay:  700,
	}
}
