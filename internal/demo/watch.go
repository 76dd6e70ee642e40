package demo

import (
	"fmt"
	"io"
	"sync"

	"spate/event"
)

// watch counts what happens to a download and tells of what goes wrong.
type watch struct {
	mu      sync.Mutex // guards what follows, and writes to talk
	talk    io.Writer
	parts   int64
	failed  int64
	origins map[string]bool
}

// sink is an [event.Sink].
func (w *watch) sink(e event.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch e.Type {
	case event.Part:
		w.parts = max(w.parts, e.Part)
		if e.Origin != "" {
			w.origins[e.Origin] = true
		}
	case event.Failed:
		w.failed++
		fmt.Fprintf(w.talk, "  failed, going on: %s\n", e.Error)
	case event.Resumed:
		fmt.Fprintf(w.talk, "  resumed at byte %d: %s\n", e.Off, e.URL)
	case event.Unwound:
		fmt.Fprintf(w.talk, "  back to line %d of %s, for its next alternative\n", e.Line, e.Manifest)
	}
}

// fill puts the numbers into row.
func (w *watch) fill(row *Row) {
	w.mu.Lock()
	defer w.mu.Unlock()
	row.Parts, row.Failures, row.Origins = w.parts, w.failed, len(w.origins)
}
