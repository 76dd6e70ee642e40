// Command viewer measures the page of spate view in a real browser: how soon the first file of a sequence is seen, and how many a second.
//
//	go run ./bench/viewer [-rounds 3] [-quick] [-o FILE]
//
// spate is a process of its own, and so is the browser (Debian: chromium), which shows nothing on a screen. The origin is this program.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"spate/bench/record"
	"spate/format/sequence"
)

type options struct {
	rounds, files int
	spate, record string
	limit         time.Duration
}

const width, height = 480, 320 // of an image

func main() {
	o := parse(os.Args[1:])
	record.Run("viewer", o.limit, func(ctx context.Context) error { return o.run(ctx, os.Stdout) })
}

func parse(args []string) *options {
	o := options{}
	fs := flag.NewFlagSet("viewer", flag.ExitOnError)
	fs.IntVar(&o.rounds, "rounds", 3, "how often each is measured")
	fs.IntVar(&o.files, "files", 1000, "of the sequence")
	fs.StringVar(&o.spate, "spate", "", "the `program` to measure; empty: built from this module")
	fs.StringVar(&o.record, "o", "", "`file` for what is printed, besides")
	fs.DurationVar(&o.limit, "limit", 15*time.Minute, "the longest that all may take")
	quick := fs.Bool("quick", false, "50 files, one round: does it work at all?")
	_ = fs.Parse(args)
	if *quick {
		o.rounds, o.files = 1, 50
	}
	return &o
}

func (o *options) run(ctx context.Context, out io.Writer) (err error) {
	out, closing, err := record.To(o.record, out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closing()) }()
	dir, err := os.MkdirTemp("", "spate-viewer-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if o.spate == "" {
		o.spate = filepath.Join(dir, "spate")
		if text, err := exec.CommandContext(ctx, "go", "build", "-o", o.spate, "spate/cmd/spate").CombinedOutput(); err != nil {
			return fmt.Errorf("go build: %w: %s", err, text)
		}
	}
	film, err := animation(o.files)
	if err != nil {
		return err
	}
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(film))
	}))
	defer origin.Close()
	page, end, err := serve(ctx, o.spate)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	title(out, o, len(film))
	return o.measure(ctx, out, page, origin.URL+"/film.png-seq")
}

// measure shows the film at some delays, and prints how that went.
func (o *options) measure(ctx context.Context, out io.Writer, page, film string) error {
	browser, end, err := browse(ctx)
	if err != nil {
		return err
	}
	defer end()
	for _, d := range []struct {
		ms     int
		target float64
	}{{50, 15}, {0, 0}} {
		var rates, firsts []float64
		for range o.rounds {
			s, err := show(browser, page, film, d.ms, o.files)
			if err != nil {
				return err
			}
			rates, firsts = append(rates, s.rate(o.files)), append(firsts, s.First)
		}
		row(out, fmt.Sprintf("%d ms per file: files/s", d.ms), rates, "%.1f", d.target)
		row(out, "  from Start to the first file: ms", firsts, "%.0f", 0)
	}
	return nil
}

// animation is a sequence of so many images in which something moves.
func animation(files int) ([]byte, error) {
	var film bytes.Buffer
	w := sequence.NewWriter(&film)
	for n := range files {
		var file bytes.Buffer
		if err := png.Encode(&file, frame(n)); err != nil {
			return nil, err
		}
		if err := w.WriteFile(uint32(file.Len()), &file); err != nil {
			return nil, err
		}
	}
	return film.Bytes(), nil
}

// frame is one image: waves, which compress as drawings do.
func frame(n int) image.Image {
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			wave := math.Sin(float64(x+4*n)/30) + math.Cos(float64(y-2*n)/20)
			m.SetRGBA(x, y, color.RGBA{byte(int(60*wave+128) &^ 7), byte(x / 2), byte(n), 255})
		}
	}
	return m
}
