package viewer_test

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"testing"
)

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
