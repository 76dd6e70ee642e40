package farm

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// Event is what can happen to a request, or to an origin.
type Event int

// The events of a request, in the order in which they can happen, and those of a connection, which has no path.
const (
	Arrived   Event = iota // its header has been read
	Answered               // the header of the answer is sent, or on its way (not for a Handler)
	Stuck                  // HangHeader or StallAt has been reached
	Broken                 // the connection dies now, as BreakAt or BreakAfter asked
	Ended                  // nothing is done for it any more: answered in full, broken, or the client has left
	Connected              // a connection was accepted
)

var eventNames = [...]string{"arrived", "answered", "stuck", "broken", "ended", "connected"}

// String is the name of the event in lower case.
func (e Event) String() string { return eventNames[e] }

// LogMax is how many requests [Farm.Log] keeps: the first ones.
const LogMax = 4096

// A Request is one that arrived, and what became of it.
type Request struct {
	Method string
	Path   string // with the query, as it was asked for
	Range  string // the header, "" for none
	Header http.Header
	Status int   // of the answer, 0 if there was none yet
	Bytes  int64 // of the body sent so far
}

type countKey struct {
	event Event
	path  string
}

// tally counts events, keeps the log and wakes those who wait.
type tally struct {
	mu      sync.Mutex // guards what follows; taken after Farm.mu, never before it
	counts  map[countKey]int
	log     []Request
	active  int
	peak    int
	changed chan struct{} // closed at the next event; nil while nobody waits
}

// note counts e.
func (t *tally) note(e Event, path string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.add(e, path)
}

func (t *tally) add(e Event, path string) {
	if t.counts == nil {
		t.counts = map[countKey]int{}
	}
	t.counts[countKey{e, path}]++
	if t.changed != nil {
		close(t.changed)
		t.changed = nil
	}
}

// arrive counts and logs a request. It returns its place in the log, -1 if that is full.
func (t *tally) arrive(r *http.Request) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.add(Arrived, r.URL.RequestURI())
	t.active++
	t.peak = max(t.peak, t.active)
	if len(t.log) == LogMax {
		return -1
	}
	t.log = append(t.log, Request{Method: r.Method, Path: r.URL.RequestURI(), Range: r.Header.Get("Range"),
		Header: r.Header.Clone()})
	return len(t.log) - 1
}

func (t *tally) end(path string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.active--
	t.add(Ended, path)
}

// update changes entry i of the log, if there is one.
func (t *tally) update(i int, change func(*Request)) {
	if i < 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	change(&t.log[i])
}

// count is the number of events e for path, or below it if it ends in a slash, and a channel that tells of changes.
func (t *tally) count(e Event, path string) (int, <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.counts[countKey{e, path}]
	if strings.HasSuffix(path, "/") {
		n = t.countBelow(e, path)
	}
	if t.changed == nil {
		t.changed = make(chan struct{})
	}
	return n, t.changed
}

func (t *tally) countBelow(e Event, prefix string) int {
	n := 0
	for k, v := range t.counts {
		if k.event == e && strings.HasPrefix(k.path, prefix) {
			n += v
		}
	}
	return n
}

// Count is how often e has happened so far to requests for path (with the query, as asked for; no path for
// Connected). A path that ends in a slash stands for all below it: "/" for every request.
func (f *Farm) Count(e Event, path string) int {
	n, _ := f.tally.count(e, path)
	return n
}

// Requests is how many requests for path have arrived: Count(Arrived, path).
func (f *Farm) Requests(path string) int { return f.Count(Arrived, path) }

// Wait waits until e has happened n times, counted as [Farm.Count] does. It fails with ctx only.
func (f *Farm) Wait(ctx context.Context, e Event, path string, n int) error {
	for {
		have, changed := f.tally.count(e, path)
		if have >= n {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("wait for %s of %q: %d of %d: %w", e, path, have, n, ctx.Err())
		}
	}
}

// Log is the first [LogMax] requests in the order of their arrival, as far as they have come.
func (f *Farm) Log() []Request {
	f.tally.mu.Lock()
	defer f.tally.mu.Unlock()
	return slices.Clone(f.tally.log)
}

// Active is how many requests are being answered now.
func (f *Farm) Active() int {
	f.tally.mu.Lock()
	defer f.tally.mu.Unlock()
	return f.tally.active
}

// Peak is the most requests that were ever being answered at the same time.
func (f *Farm) Peak() int {
	f.tally.mu.Lock()
	defer f.tally.mu.Unlock()
	return f.tally.peak
}
