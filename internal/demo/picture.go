package demo

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
)

const (
	frameCount    = 24
	imageW        = 640
	imageH        = 400
	frameW        = 160
	frameH        = 100
	paletteColors = 256

	animationDelay = 50 // ms
)

// palette goes once around the colours, without a seam.
func palette() color.Palette {
	p := make(color.Palette, paletteColors)
	for i := range p {
		t := 2 * math.Pi * float64(i) / paletteColors
		p[i] = color.RGBA{wave(t), wave(t + 2), wave(t + 4), 255}
	}
	return p
}

func wave(t float64) uint8 { return uint8(127.5 + 127.5*math.Sin(t)) }

// plasma draws the sum of four waves at a time from 0 to 1. Time 1 looks like time 0: what is played in a circle has
// no seam.
func plasma(width, height int, time float64) *image.Paletted {
	img := image.NewPaletted(image.Rect(0, 0, width, height), palette())
	phase := 2 * math.Pi * time
	for y := range height {
		for x := range width {
			u, v := 8*float64(x)/float64(height), 8*float64(y)/float64(height)
			sum := math.Sin(u+phase) + math.Sin(v-phase) + math.Sin((u+v)/2+phase) +
				math.Sin(math.Hypot(u-6, v-4)-phase)
			img.Pix[y*img.Stride+x] = uint8(int(32*(sum+4)) % paletteColors)
		}
	}
	return img
}

// julia draws a Julia set.
func julia(width, height int) *image.Paletted {
	img := image.NewPaletted(image.Rect(0, 0, width, height), palette())
	for y := range height {
		for x := range width {
			z := complex(3.2*(float64(x)/float64(width)-0.5), 2.1*(float64(y)/float64(height)-0.5))
			img.Pix[y*img.Stride+x] = escape(z)
		}
	}
	return img
}

// escape is how soon z leaves under z² + c, as a colour.
func escape(z complex128) uint8 {
	const c = complex(-0.8, 0.156)
	n := 0
	for ; n < 120 && real(z)*real(z)+imag(z)*imag(z) < 4; n++ {
		z = z*z + c
	}
	return uint8(5 * n % paletteColors)
}

func encodePNG(img image.Image) ([]byte, error) {
	var b bytes.Buffer
	enc := png.Encoder{CompressionLevel: png.BestSpeed}
	err := enc.Encode(&b, img)
	return b.Bytes(), err
}

// draw draws the picture and the pictures of the animation, as PNG.
func draw() (picture []byte, frames [][]byte, err error) {
	picture, err = encodePNG(julia(imageW, imageH))
	for i := 0; i < frameCount && err == nil; i++ {
		var f []byte
		f, err = encodePNG(plasma(frameW, frameH, float64(i)/frameCount))
		frames = append(frames, f)
	}
	return picture, frames, err
}
