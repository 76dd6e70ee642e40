package driver

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"syscall"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"spate/source"
)

// A tape is a Stream of text, and then of err.
type tape struct {
	text     string
	err      error         // io.EOF where it is nil
	finish   error         // of Finish
	hold     chan struct{} // not nil: Read waits for it when the text is over
	finished int
	released []bool
}

func (s *tape) Read(p []byte) (int, error) {
	if s.text == "" && s.hold != nil {
		<-s.hold
	}
	n := copy(p, s.text)
	s.text = s.text[n:]
	switch {
	case n > 0:
		return n, nil
	case s.err != nil:
		return 0, s.err
	}
	return 0, io.EOF
}

func (s *tape) Finish() error { s.finished++; return s.finish }

func (s *tape) Release(idle bool) { s.released = append(s.released, idle) }

// Close ends a Read that waits.
func (s *tape) Close() error { close(s.hold); return nil }

// play is a body of s, which has an end to be looked after.
func play(t *testing.T, s *tape) *Body {
	_, w := NewWatch(t.Context())
	t.Cleanup(func() { w.End() })
	if s.hold != nil {
		w.Add(s)
	}
	return NewBody(s, w, "x://h/", time.Minute)
}

func TestBodyEnds(t *testing.T) {
	broken := Classed(source.KindChanged, errors.New("longer"))
	timeout := fmt.Errorf("read: %w", syscall.ETIMEDOUT)
	tests := []struct {
		name  string
		tape  tape
		left  int64
		sized bool
		want  string
		kind  source.Kind // of the error in the end
		is    error
	}{
		{"all of it", tape{text: "abc"}, 3, true, "abc", 0, io.EOF},
		{"no more than that", tape{text: "abcd"}, 3, true, "abc", 0, io.EOF},
		{"nothing", tape{}, 0, true, "", 0, io.EOF},
		{"one byte is missing", tape{text: "ab"}, 3, true, "ab", source.KindNetwork, io.ErrUnexpectedEOF},
		{"as much as there is", tape{text: "ab"}, 3, false, "ab", 0, io.EOF},
		{"no more than that, of any length", tape{text: "abcd"}, 3, false, "abc", 0, io.EOF},
		{"breaks", tape{text: "ab", err: syscall.ECONNRESET}, 3, true, "ab", source.KindNetwork, io.ErrUnexpectedEOF},
		{"breaks, of any length", tape{text: "ab", err: syscall.ECONNRESET}, 3, false, "ab", source.KindNetwork, syscall.ECONNRESET},
		{"the connection times out", tape{text: "ab", err: timeout}, 3, true, "ab", source.KindTimeout, syscall.ETIMEDOUT},
		{"the end is wrong", tape{text: "abc", finish: broken}, 3, true, "abc", source.KindChanged, nil},
		{"the end is wrong, of any length", tape{text: "ab", finish: broken}, 3, false, "ab", source.KindChanged, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := play(t, &tt.tape).Expect(tt.left, tt.sized)
			var got []byte
			var err error
			for err == nil {
				var one [1]byte
				var n int
				n, err = b.Read(one[:])
				got = append(got, one[:n]...)
			}
			if string(got) != tt.want || tt.is != nil && !errors.Is(err, tt.is) || err != io.EOF && errors.Is(err, io.EOF) {
				t.Errorf("got %q, %v", got, err)
			}
			e, ok := errors.AsType[*source.Error](err)
			if ok != (tt.is != io.EOF) || ok && (e.Kind != tt.kind || e.Op != "read" || e.URL != "x://h/") {
				t.Errorf("got %#v", err)
			}
			if _, again := b.Read(make([]byte, 1)); again != err {
				t.Errorf("then %v", again)
			}
			_, _ = b.Close(), b.Close()
			idle := err == io.EOF
			if tt.tape.finished > 1 || len(tt.tape.released) != 1 || tt.tape.released[0] != idle {
				t.Errorf("finished %d times, released %v", tt.tape.finished, tt.tape.released)
			}
		})
	}
}

func TestBodyIsAReader(t *testing.T) {
	if err := iotest.TestReader(play(t, &tape{text: "hello, world"}).Expect(12, true), []byte("hello, world")); err != nil {
		t.Error(err)
	}
}

// What the URL does not tell is told once, however often the error is.
func TestBodyExplains(t *testing.T) {
	b := play(t, &tape{}).Expect(1, true).Explain(func(err error) error {
		e, _ := errors.AsType[*source.Error](err)
		e.Err = fmt.Errorf("redirected: %w", e.Err)
		return err
	})
	_, _ = b.Read(make([]byte, 1))
	_, err := b.Read(make([]byte, 1))
	if want := "read x://h/: redirected: unexpected EOF: 1 bytes are missing"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestBodyIsClosedWhileItReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &tape{hold: make(chan struct{})}
		b := play(t, s).Expect(1, true)
		failed := make(chan error)
		go func() {
			_, err := b.Read(make([]byte, 1))
			failed <- err
		}()
		synctest.Wait()
		go func() { _ = b.Close() }()
		if err := <-failed; err != fs.ErrClosed {
			t.Errorf("Read = %v", err)
		}
		synctest.Wait()
		if len(s.released) != 1 || s.released[0] {
			t.Errorf("released %v", s.released)
		}
	})
}

// A Read costs no memory.
func TestBodyAllocatesNothing(t *testing.T) {
	_, w := NewWatch(t.Context())
	defer w.End()
	b := NewBody(endless{}, w, "x://h/", time.Minute).Expect(1<<60, true)
	p := make([]byte, 100)
	if n := testing.AllocsPerRun(100, func() { _, _ = b.Read(p) }); n > 0 {
		t.Errorf("%v allocations in a Read", n)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }
func (endless) Finish() error              { return nil }
func (endless) Release(bool)               {}
