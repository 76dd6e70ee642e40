package spate

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"spate/event"
	"spate/internal/farm"
)

func TestStreamIsAReader(t *testing.T) {
	origin := newFarm(t)
	text := strings.Repeat("all of it, ", 3000)
	origin.Serve("/text", farm.Resource{Body: []byte(text)})
	origin.Serve("/chunked", farm.Resource{Body: []byte(text), NoLength: true})
	origin.Serve("/empty", farm.Resource{})
	origin.Serve("/text.parts", farm.Resource{Body: []byte("text\n--\n--\nempty\n--\nchunked\n")})
	c := newClient(t)
	for path, want := range map[string]string{"/text": text, "/chunked": text, "/empty": "", "/text.parts": text + text} {
		s, err := c.Open(t.Context(), origin.URL(path))
		must(t, err)
		if err := iotest.TestReader(s, []byte(want)); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		must(t, s.Close())
	}
}

func TestStreamWriteTo(t *testing.T) {
	c := &Client{Source: shelf{"x:text": "one two three"}}
	s, err := c.Open(t.Context(), "x:text")
	must(t, err)
	defer s.Close()
	if _, err := io.ReadFull(s, make([]byte, 4)); err != nil {
		t.Fatal(err)
	}
	var rest strings.Builder
	n, err := s.WriteTo(&rest)
	if n != 9 || err != nil || rest.String() != "two three" {
		t.Errorf("WriteTo = %d, %v, %q", n, err, &rest)
	}
	if n, err := s.WriteTo(&rest); n != 0 || err != nil {
		t.Errorf("WriteTo at the end = %d, %v", n, err)
	}
	if n, err := s.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("Read at the end = %d, %v", n, err)
	}
}

func TestStreamWriteToAWriterThatFails(t *testing.T) {
	c := &Client{Source: shelf{"x:text": "text"}}
	s, err := c.Open(t.Context(), "x:text")
	must(t, err)
	defer s.Close()
	errFull := errors.New("full")
	if _, err := s.WriteTo(failingWriter{errFull}); !errors.Is(err, errFull) {
		t.Errorf("WriteTo: %v, want %v", err, errFull)
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

func TestStreamAfterClose(t *testing.T) {
	c := &Client{Source: shelf{"x:text": "text"}}
	s, err := c.Open(t.Context(), "x:text")
	must(t, err)
	must(t, s.Close())
	must(t, s.Close())
	if _, err := s.Read(make([]byte, 1)); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Read: %v, want fs.ErrClosed", err)
	}
	if _, err := s.WriteTo(io.Discard); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("WriteTo: %v, want fs.ErrClosed", err)
	}
	if info := s.Info(); info.Size != 4 {
		t.Errorf("Info: %+v", info)
	}
	if stats := s.Stats(); stats.Opens != 1 {
		t.Errorf("Stats: %+v", stats)
	}
}

func TestCloseEndsARead(t *testing.T) {
	opened := make(chan *silentBody, 1)
	c := &Client{Source: bodies(func(ctx context.Context) io.ReadCloser {
		b := newSilentBody(ctx, "half")
		opened <- b
		return b
	})}
	s, err := c.Open(t.Context(), "x:silent")
	must(t, err)
	var wg sync.WaitGroup
	half := make(chan string, 1)
	wg.Go(func() {
		n, err := s.WriteTo(telling{half})
		if n != 4 || !errors.Is(err, fs.ErrClosed) {
			t.Errorf("WriteTo = %d, %v, want 4, fs.ErrClosed", n, err)
		}
	})
	body := <-opened
	<-body.waits
	if got := <-half; got != "half" {
		t.Errorf("written %q", got)
	}
	must(t, s.Close())
	wg.Wait()
	<-body.closed
}

// telling is a writer that tells what was written.
type telling struct{ told chan<- string }

func (w telling) Write(p []byte) (int, error) {
	w.told <- string(p)
	return len(p), nil
}

// What is cut short is an error, however the origin cuts it.
func TestStreamCutShort(t *testing.T) {
	origin := newFarm(t)
	origin.Serve("/cut", farm.Resource{Body: []byte("half of it"), BreakAt: 4})
	s, err := newClient(t).Open(t.Context(), origin.URL("/cut"))
	must(t, err)
	defer s.Close()
	got, err := io.ReadAll(s)
	if string(got) != "half" || err == nil {
		t.Errorf("read %q, %v", got, err)
	}
}

// recorder keeps the events of some types.
type recorder struct {
	mu     sync.Mutex
	events []event.Event
}

func (r *recorder) sink(e event.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch e.Type {
	case event.Begin, event.Progress, event.File, event.Done:
		r.events = append(r.events, e)
	}
}

// of are the events of one type.
func (r *recorder) of(typ event.Type) []event.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []event.Event
	for _, e := range r.events {
		if e.Type == typ {
			found = append(found, e)
		}
	}
	return found
}

func TestStreamEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var rec recorder
		text := strings.Repeat("0123456789", 10)
		c := &Client{Source: shelf{"x:text": text}, Options: Options{Events: rec.sink}}
		s, err := c.Open(t.Context(), "x:text")
		must(t, err)
		defer s.Close()
		for range 10 {
			_, err := io.ReadFull(s, make([]byte, 10))
			must(t, err)
			time.Sleep(meterPeriod / 2) // on the clock of the bubble
		}
		if n := len(rec.of(event.Progress)); n != 5 {
			t.Errorf("%d events of progress, want 5: one in two reads", n)
		}
		if n := len(rec.of(event.Done)); n != 0 {
			t.Errorf("%d events of the end before it was read", n)
		}
		for range 2 {
			if _, err := s.Read(make([]byte, 1)); err != io.EOF {
				t.Fatal(err)
			}
		}
		progress, done := rec.of(event.Progress), rec.of(event.Done)
		last := progress[len(progress)-1]
		if len(progress) != 6 || last.Bytes != 100 || last.Size != 100 {
			t.Errorf("last progress: %+v of %d", last, len(progress))
		}
		if len(done) != 1 || done[0].Bytes != 100 || done[0].Time.IsZero() {
			t.Errorf("done: %+v", done)
		}
	})
}
