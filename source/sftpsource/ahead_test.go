package sftpsource

import (
	"bytes"
	"errors"
	"io"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"spate/source/sourcetest"
)

// far is a file behind a latency.
type far struct {
	content []byte
	latency time.Duration
	broken  error // behind the content

	mu        sync.Mutex
	now, most int
	asked     int64
}

func (f *far) ReadAt(p []byte, off int64) (int, error) {
	f.mu.Lock()
	f.now++
	f.most = max(f.most, f.now)
	f.asked += int64(len(p))
	f.mu.Unlock()
	time.Sleep(f.latency)
	f.mu.Lock()
	f.now--
	f.mu.Unlock()
	n, err := bytes.NewReader(f.content).ReadAt(p, off)
	if err == io.EOF && f.broken != nil {
		err = f.broken
	}
	return n, err
}

func TestAheadReads(t *testing.T) {
	for _, n := range []int{0, 1, pieceSize - 1, pieceSize, pieceSize + 1, 100*pieceSize + 7} {
		content := sourcetest.Content(n, 1)
		a := newAhead(&far{content: content}, 0, int64(n))
		if err := iotest.TestReader(a, content); err != nil {
			t.Errorf("%d bytes: %v", n, err)
		}
		a.wait()
	}
	content := sourcetest.Content(1000, 2)
	if got, err := io.ReadAll(newAhead(&far{content: content}, 10, 990)); err != nil || !bytes.Equal(got, content[10:990]) {
		t.Errorf("a range: %d bytes, %v", len(got), err)
	}
}

// TestAheadHidesLatency: 1,024 pieces, each a second away, take about as many seconds as there are windows in them, and a few
// to open the window; in order one by one they would take 1,024.
func TestAheadHidesLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		content := sourcetest.Content(1024*pieceSize, 3)
		f := &far{content: content, latency: time.Second}
		start := time.Now()
		a := newAhead(f, 0, int64(len(content)))
		got, err := io.ReadAll(a)
		if err != nil || !bytes.Equal(got, content) {
			t.Fatalf("%d bytes, %v", len(got), err)
		}
		if took := time.Since(start); took > 25*time.Second {
			t.Errorf("it took %v", took)
		}
		a.wait()
		if f.most > maxWindow || f.asked != int64(len(content)) {
			t.Errorf("%d requests at once, %d bytes asked for", f.most, f.asked)
		}
		a.wait()
	})
}

// TestAheadDoesNotAskForMoreThanItNeeds: who reads slowly from somebody near has few requests under way.
func TestAheadDoesNotAskForMoreThanItNeeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &far{content: sourcetest.Content(100*pieceSize, 4)}
		a := newAhead(f, 0, int64(len(f.content)))
		for range 50 {
			if _, err := io.ReadFull(a, make([]byte, pieceSize)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		a.wait()
		if f.asked > (50+2*firstWindow)*pieceSize {
			t.Errorf("%d pieces were asked for to read 50", f.asked/pieceSize)
		}
	})
}

func TestAheadEndsEarly(t *testing.T) {
	broken := errors.New("broken")
	for _, tt := range []struct {
		name   string
		broken error
		want   error
	}{{"shrunk", nil, io.EOF}, {"broken", broken, broken}} {
		for _, n := range []int{0, 1, pieceSize, 3*pieceSize + 5} {
			content := sourcetest.Content(n, 5)
			a := newAhead(&far{content: content, broken: tt.broken}, 0, 10*pieceSize)
			var got bytes.Buffer
			var err error
			for err == nil {
				buf := make([]byte, 1000)
				var m int
				m, err = a.Read(buf)
				got.Write(buf[:m])
			}
			a.wait()
			if err != tt.want || !bytes.Equal(got.Bytes(), content) {
				t.Errorf("%s after %d: %d bytes, %v", tt.name, n, got.Len(), err)
			}
		}
	}
}
