package main

import (
	"bytes"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/spf13/pflag"
	"golang.org/x/term"

	"spate/event"
)

// talkFlags say what is told on stderr while a command works.
type talkFlags struct {
	quiet, json bool
	progress    string
}

func (f *talkFlags) register(fs *pflag.FlagSet) {
	f.progress = "auto"
	fs.BoolVarP(&f.quiet, "quiet", "q", false, "nothing on stderr but errors")
	fs.BoolVar(&f.json, "json", false, "events and errors as JSON lines on stderr")
	fs.Var(choice{&f.progress, []string{"auto", "plain", "json", "none", "on", "off"}}, "progress",
		"progress on stderr: auto is bars on a terminal, else plain, a line every 10 s; json is --json; on is bars anywhere, off is none")
}

// A talk is what tells of events. Its sink may be nil. What is written to above is told on lines that last; it
// has to be whole lines. close ends the talk and its goroutines; events after that are
// ignored, lines are not.
type talk struct {
	sink  event.Sink
	above io.Writer
	drawn bool // lines are redrawn, which wipes out what is written to the same terminal otherwise
	close func()
}

// stdout is that of p, such that what is drawn does not wipe it out: on a terminal, it has whole lines.
func (t *talk) stdout(p *process) io.Writer {
	if t.drawn && isTerminal(p.stdout) && isTerminal(p.stderr) {
		return endingLines{t.above}
	}
	return p.stdout
}

// endingLines ends the line that a write does not.
type endingLines struct{ w io.Writer }

func (e endingLines) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if p[len(p)-1] != '\n' {
		p = append(bytes.Clone(p), '\n')
		n, err := e.w.Write(p)
		return min(n, len(p)-1), err
	}
	return e.w.Write(p)
}

// start begins to talk on stderr. noisy tells that stdout is a terminal too, where a bar would be drawn over the data.
func (f *talkFlags) start(p *process, noisy bool) *talk {
	silent := &talk{above: p.stderr, close: func() {}}
	switch {
	case f.quiet:
		return silent
	case f.isJSON():
		return &talk{sink: jsonSink(p.stderr), above: p.stderr, close: func() {}}
	case f.progress == "on", f.progress == "auto" && canDraw(p.stderr) && !noisy:
		return startBar(p.stderr, isUTF8(p.env))
	case f.progress == "plain", f.progress == "auto" && !noisy:
		return startLines(p.stderr, linePeriod)
	}
	return silent
}

func (f *talkFlags) isJSON() bool { return f.json || f.progress == "json" }

// tells whether things may be said beside errors and events.
func (f *talkFlags) chatty() bool { return !f.quiet && !f.isJSON() }

// isUTF8 tells whether the locale has characters beyond ASCII, by POSIX, XBD 8.2.
func isUTF8(env func(string) (string, bool)) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if value, _ := env(name); value != "" {
			value = strings.ToUpper(value)
			return strings.Contains(value, "UTF-8") || strings.Contains(value, "UTF8")
		}
	}
	return false
}

// jsonSink writes each event as a line of JSON.
func jsonSink(w io.Writer) event.Sink {
	var mu sync.Mutex
	return func(e event.Event) {
		mu.Lock()
		defer mu.Unlock()
		encodeLine(w, e)
	}
}

// encodeLine writes v as a line of JSON. Errors are dropped: there is nowhere to tell that stderr is gone.
func encodeLine(w io.Writer, v any) {
	newEncoder(w).Encode(v)
}

// isTerminal tells whether w is one.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// canDraw tells whether w is a terminal that knows its size.
func canDraw(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	width, height, err := term.GetSize(int(f.Fd()))
	return err == nil && width > 0 && height > 0
}
