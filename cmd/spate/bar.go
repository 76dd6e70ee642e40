package main

import (
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"spate/event"
)

// startBar draws lines that follow the progress: of each download a bar where the length is known, or a map of what is
// there, the amount, the rate, and what else is told; of a batch one for all as well. They are removed in the end.
func startBar(w io.Writer, utf8 bool) *talk {
	b := &bars{w: w, utf8: utf8}
	container := mpb.New(mpb.WithOutput(w), mpb.WithAutoRefresh())
	// One bar draws all lines: the last is its own, the others are above it.
	bar := container.MustAdd(0, mpb.BarFillerFunc(func(io.Writer, decor.Statistics) error { return nil }),
		mpb.PrependDecorators(decor.Any(b.last)), mpb.BarExtender(mpb.BarFillerFunc(b.others), true), mpb.BarFillerTrim())
	sink := func(e event.Event) {
		b.observe(e)
		if line := lasting(e); line != "" {
			io.WriteString(container, line) // fails where all is over
		}
	}
	return &talk{sink: sink, above: &above{container, w}, drawn: true, close: sync.OnceFunc(func() {
		bar.Abort(true)
		container.Wait()
	})}
}

// bars are what is drawn. All drawing is done by one goroutine.
type bars struct {
	progress
	w     io.Writer
	utf8  bool
	lines []string // but for the last
}

// last draws all lines and returns the last.
func (b *bars) last(st decor.Statistics) string {
	c := canvas{width: st.AvailableWidth, rows: height(b.w) - 2, utf8: b.utf8}
	running, all := b.view(time.Now())
	lines := c.lines(running, all, b.isBatch())
	b.lines = lines[:len(lines)-1]
	return lines[len(lines)-1]
}

// others writes the other lines, from the lowest up.
func (b *bars) others(w io.Writer, _ decor.Statistics) error {
	var all strings.Builder
	for i := len(b.lines) - 1; i >= 0; i-- {
		all.WriteString(b.lines[i] + "\n")
	}
	_, err := io.WriteString(w, all.String())
	return err
}

// height is that of a terminal in lines; what is none has room.
func height(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if _, n, err := term.GetSize(int(f.Fd())); err == nil {
			return max(n, 3)
		}
	}
	return maxRows + 2
}

// above writes lines that last above what is drawn, and plainly where that is over. What is written has to end with a line.
type above struct {
	container *mpb.Progress
	w         io.Writer
}

func (a *above) Write(p []byte) (int, error) {
	n, err := a.container.Write(p)
	if errors.Is(err, mpb.ErrDone) {
		return a.w.Write(p)
	}
	return n, err
}
