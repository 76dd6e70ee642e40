package viewer_test

import (
	"bytes"
	"embed"
	"encoding/binary"
	"image"
	"image/color"
	"image/png"
	"math"
	"testing"
)

// Pictures of kinds that Go does not write, made once:
//
//	ffmpeg -f lavfi -i testsrc2=size=64x48:rate=1 -frames:v 1 picture.EXTENSION
//
//go:embed testdata
var pictures embed.FS

func embedded(t *testing.T, name string) []byte {
	t.Helper()
	data, err := pictures.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// drawing is a PNG that is nowhere of one colour, and has no compression: half of it is half of the bytes.
func drawing(t *testing.T, width, height int) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			img.Set(x, y, color.RGBA{uint8(255 * x / width), uint8(255 * y / height), 160, 255})
		}
	}
	var b bytes.Buffer
	enc := png.Encoder{CompressionLevel: png.NoCompression}
	if err := enc.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// netpbm is a picture with this header, of three colours.
func netpbm(header string, size int) []byte {
	data := []byte(header)
	for i := range size {
		data = append(data, byte(i*85))
	}
	return data
}

const (
	toneRate = 48000 // samples a second, of two bytes
	waveHead = 44
)

// A tone is a WAV file of so many seconds, made as it is asked for.
type tone struct{ seconds int64 }

func (w tone) size() int64 { return waveHead + w.seconds*toneRate*2 }

// at fills p with what is at off: a farm's Gen.
func (w tone) at(off int64, p []byte) int {
	n := int(min(int64(len(p)), w.size()-off))
	header := w.header()
	for i := range n {
		at := off + int64(i)
		if at < waveHead {
			p[i] = header[at]
			continue
		}
		sample := uint16(8000 * math.Sin(2*math.Pi*440*float64((at-waveHead)/2%toneRate)/toneRate))
		p[i] = byte(sample >> (8 * (at % 2)))
	}
	return max(0, n)
}

func (w tone) header() []byte {
	le := binary.LittleEndian
	h := append([]byte("RIFF"), le.AppendUint32(nil, uint32(w.size()-8))...)
	h = append(h, "WAVEfmt "...)
	h = le.AppendUint32(h, 16)
	h = le.AppendUint16(h, 1) // PCM
	h = le.AppendUint16(h, 1) // channel
	h = le.AppendUint32(h, toneRate)
	h = le.AppendUint32(h, toneRate*2)
	h = le.AppendUint16(h, 2)
	h = le.AppendUint16(h, 16)
	h = append(h, "data"...)
	return le.AppendUint32(h, uint32(w.seconds*toneRate*2))
}
