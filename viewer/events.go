package viewer

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

const (
	remembered      = 1000                  // events; who comes later has missed those before
	rememberedBytes = 4 << 20               // of them: a URL may be long
	breath          = 50 * time.Millisecond // between two writes of events: many come at once
	ping            = 15 * time.Second      // without an event, to see whether anybody is there
)

// A record is what has happened, numbered from 1. Its zero value is empty. It is safe for concurrent use.
type record struct {
	mu      sync.Mutex
	last    [][]byte
	size    int           // of last, in bytes
	next    int           // how many there were
	over    []byte        // how it ended; nil: it has not
	changed chan struct{} // closed with the next change; nil: nobody waits
}

// add appends value, unless the record is over.
func (r *record) add(value any) {
	data, err := json.Marshal(value)
	if err != nil {
		return // a time beyond the year 9999, and that tells nobody anything
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over == nil {
		r.append(data)
	}
}

// finish appends value, which says how it ended, and has nothing more come; nil, which says that it was ended, is not appended. What
// comes second changes nothing.
func (r *record) finish(value any) {
	data, err := json.Marshal(value)
	if err != nil {
		data = []byte("null")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over != nil {
		return
	}
	r.over = data
	if value == nil {
		r.wake()
		return
	}
	r.append(data)
}

func (r *record) append(data []byte) {
	r.last = append(r.last, data)
	r.size += len(data)
	r.next++
	for len(r.last) > remembered || r.size > rememberedBytes && len(r.last) > 1 {
		r.forget(len(r.last) / 2)
	}
	r.wake()
}

// forget drops the oldest n.
func (r *record) forget(n int) {
	for _, data := range r.last[:n] {
		r.size -= len(data)
	}
	r.last = slices.Delete(r.last, 0, n)
}

func (r *record) wake() {
	if r.changed != nil {
		close(r.changed)
		r.changed = nil
	}
}

// since returns what came after the first n, as far as it is remembered, the number of the first of them, and what is closed when there
// is more; over: there will not be.
func (r *record) since(n int) (some [][]byte, first int, changed <-chan struct{}, over bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.changed == nil {
		r.changed = make(chan struct{})
	}
	forgotten := r.next - len(r.last)
	n = min(max(n, forgotten), r.next)
	return append([][]byte(nil), r.last[n-forgotten:]...), n + 1, r.changed, r.over != nil
}

// serveEvents sends what has happened, and what happens, as server-sent events (HTML, section 9.2).
func (v *view) serveEvents(w http.ResponseWriter, r *http.Request) {
	seen, _ := strconv.Atoi(r.Header.Get("Last-Event-ID")) // none: 0
	if some, _, _, over := v.events.since(seen); over && len(some) == 0 {
		w.WriteHeader(http.StatusNoContent) // so that nobody asks again
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	control := http.NewResponseController(w)
	for {
		some, first, changed, over := v.events.since(seen)
		seen = first + len(some) - 1
		if err := send(w, control, first, some); err != nil || over {
			return
		}
		if !v.wait(r, changed) {
			return
		}
	}
}

// wait waits for more, or for so long that a word should be said; false: nobody listens.
func (v *view) wait(r *http.Request, changed <-chan struct{}) bool {
	silence := time.NewTimer(ping)
	defer silence.Stop()
	select {
	case <-changed:
	case <-silence.C:
	case <-r.Context().Done():
		return false
	}
	breathe := time.NewTimer(breath)
	defer breathe.Stop()
	select {
	case <-breathe.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

// send writes some, which are numbered from first on, and something in any case.
func send(w http.ResponseWriter, control *http.ResponseController, first int, some [][]byte) error {
	text := []byte(":\n\n")
	for i, data := range some {
		text = fmt.Appendf(text, "id: %d\ndata: %s\n\n", first+i, data)
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	return control.Flush()
}

// serveOutcome waits until nothing more comes, and says how it ended; null: the page itself has ended it.
func (v *view) serveOutcome(w http.ResponseWriter, r *http.Request) {
	for {
		_, _, changed, over := v.events.since(math.MaxInt)
		if over {
			answer(w, http.StatusOK, json.RawMessage(v.events.outcome()))
			return
		}
		select {
		case <-changed:
		case <-r.Context().Done():
			return
		}
	}
}

func (r *record) outcome() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.over
}
