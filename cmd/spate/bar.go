package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// barCells is how wide the bar itself is.
const barCells = 20

// startBar draws one line that follows the progress: a bar where the length is known, the part, its origin, amount and
// rate. The line is removed in the end.
func startBar(w io.Writer) *talk {
	p := newProgress()
	container := mpb.New(mpb.WithOutput(w), mpb.WithAutoRefresh())
	line := container.MustAdd(0, mpb.BarFillerFunc(func(io.Writer, decor.Statistics) error { return nil }),
		mpb.PrependDecorators(decor.Any(lineOf(p))))
	return &talk{sink: p.observe, close: sync.OnceFunc(func() {
		line.Abort(true)
		container.Wait()
	})}
}

// lineOf returns what draws the line, as wide as the terminal allows.
func lineOf(p *progress) decor.DecorFunc {
	var m meter // decorators run in one goroutine
	return func(st decor.Statistics) string {
		s := p.status()
		text := drawBar(s) + s.String() + ", " + formatBytes(int64(m.sample(time.Now(), s.bytes))) + "/s"
		if runes := []rune(text); st.AvailableWidth > 1 && len(runes) >= st.AvailableWidth {
			text = string(runes[:st.AvailableWidth-1])
		}
		return text
	}
}

// drawBar is "[=====>    ] " where the size is known, else "".
func drawBar(s status) string {
	if s.size <= 0 {
		return ""
	}
	full := int(s.percent()) * barCells / 100
	bar := strings.Repeat("=", full)
	if full < barCells {
		bar += ">"
	}
	return fmt.Sprintf("[%-*s] ", barCells, bar)
}
