package viewer_test

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"spate/internal/farm"
)

// TestAnimate: every file is seen, in order, and the page needs no more memory at the thousandth than at the hundredth.
func TestAnimate(t *testing.T) {
	t.Parallel()
	const files, some, side = 1000, 100, 100 // of 40 KB each
	film := numberedAll(files, side)
	s := stage(t, nil)
	release := make(chan struct{})
	s.Serve("/film.png-seq", farm.Resource{Body: inSequence(film...), StallAt: int64(len(inSequence(film[:some]...))), Release: release})
	p := openWatching(t, s.address("/film.png-seq", "ms", "0"))
	p.waitFrame(some)
	before := p.heap()
	close(release)
	p.waitState("complete")
	p.waitFrame(files)
	after := p.heap()
	if got := p.seen(); !slices.Equal(got, numbers(1, files)) {
		t.Errorf("seen was %q", got)
	}
	t.Logf("memory of the page: %d KiB, then %d KiB", before>>10, after>>10)
	if after-before > 20<<20 {
		t.Errorf("it has grown from %d to %d bytes", before, after)
	}
}

// heap is what the page needs once the garbage is collected: objects, what these stand for outside the heap, and bytes.
func (p *tab) heap() int64 {
	p.t.Helper()
	for range 2 { // what was only held by garbage
		p.call(heapprofiler.CollectGarbage)
	}
	usage, err := chromedp.Call(p.ctx, runtime.GetHeapUsage, cdp.Empty{})
	if err != nil {
		p.t.Fatal(err)
	}
	return int64(usage.UsedSize + usage.EmbedderHeapUsedSize + usage.BackingStorageSize)
}

// call runs a command of the protocol.
func (p *tab) call(cmd cdp.Command[cdp.Empty, cdp.Empty]) {
	p.t.Helper()
	if _, err := chromedp.Call(p.ctx, cmd, cdp.Empty{}); err != nil {
		p.t.Fatal(err)
	}
}

// endless is a sequence without an end, of texts of the same size that say which they are; sent is how many bytes were asked of it.
type endless struct {
	size int
	sent atomic.Int64
}

func (e *endless) resource() farm.Resource {
	return farm.Resource{NoRange: true, Gen: func(off int64, p []byte) int {
		for i := range p {
			at := off + int64(i)
			p[i] = e.byteAt(at/int64(4+e.size), int(at%int64(4+e.size)))
		}
		e.sent.Store(off + int64(len(p)))
		return len(p)
	}}
}

// byteAt is that of file n, from 0, with its length before it.
func (e *endless) byteAt(n int64, i int) byte {
	const words = 16
	switch {
	case i < 4:
		return byte(e.size >> (8 * (3 - i)))
	case i < 4+words:
		return fmt.Sprintf("file %*d\n", words-6, n+1)[i-4]
	case i%64 == 63:
		return '\n'
	}
	return '.'
}

// TestPause: while nobody plays, nothing is read from the origin but what is read ahead; then it goes on.
func TestPause(t *testing.T) {
	t.Parallel()
	const ahead = 8 << 20
	e := &endless{size: 256 << 10}
	s := stage(t, nil)
	s.Serve("/film.txt-seq", e.resource())
	p := openWatching(t, s.address("/film.txt-seq", "ms", "0"))
	p.waitFrames(3)
	p.press(" ")
	p.waitState("paused")
	stopped := p.untilSilent(e)
	shown := eval[int64](p, "parseInt(document.getElementById('frame').textContent, 10)") * int64(4+e.size)
	sockets := inSockets(t, s.Addr(), s.server.Listener.Addr().String())
	t.Logf("%d KiB were shown, %d KiB more sent, of which %d KiB are in sockets", shown>>10, (stopped-shown)>>10, sockets>>10)
	if stopped-shown-sockets > ahead {
		t.Errorf("%d bytes were shown, and %d more sent, of which %d are in sockets", shown, stopped-shown, sockets)
	}
	p.press("s")
	p.waitFrame(int(shown)/(4+e.size) + 1)
	p.press(" ")
	p.waitFrames(int(stopped)/(4+e.size) + 1)
	p.press(" ")
	p.waitState("paused")
	if now := e.sent.Load(); now <= stopped {
		t.Errorf("when %d bytes were sent it paused, and at %d it still does", stopped, now)
	}
	got := p.seen()
	for i, text := range got {
		if want := fmt.Sprintf("file %10d\n", i+1); len(text) < len(want) || text[:len(want)] != want {
			t.Fatalf("as number %d %.20q was seen", i+1, text)
		}
	}
}

// untilSilent waits until an origin has sent nothing while the screen was drawn some times, and returns how much it has sent by then.
func (p *tab) untilSilent(e *endless) int64 {
	p.t.Helper()
	for {
		before := e.sent.Load()
		for range 3 {
			p.settle()
		}
		if e.sent.Load() == before {
			return before
		}
		if before > 1<<30 {
			p.t.Fatal("it goes on and on")
		}
	}
}
