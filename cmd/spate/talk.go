package main

import (
	"io"
	"os"
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
	fs.Var(choice{&f.progress, []string{"auto", "on", "off"}}, "progress",
		"progress on stderr: a bar on a terminal, else a line every 10 s; on draws the bar anywhere")
}

// A talk is what tells of events. Its sink may be nil. close ends it and its goroutine; events after that are
// ignored.
type talk struct {
	sink  event.Sink
	close func()
}

// start begins to talk on stderr. noisy tells that stdout is a terminal too, where a bar would be drawn over the data.
func (f *talkFlags) start(stderr io.Writer, noisy bool) *talk {
	switch {
	case f.quiet:
		return &talk{close: func() {}}
	case f.json:
		return &talk{sink: jsonSink(stderr), close: func() {}}
	case f.progress == "on", f.progress == "auto" && canDraw(stderr) && !noisy:
		return startBar(stderr)
	case f.progress == "off" || noisy:
		return &talk{close: func() {}}
	}
	return startLines(stderr, linePeriod)
}

// tells whether things may be said beside errors and events.
func (f *talkFlags) chatty() bool { return !f.quiet && !f.json }

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
