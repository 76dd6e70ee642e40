package fetch

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"spate/format/checksum"
	"spate/sched"
	"spate/source"
)

// isGiven reports whether whoever has p need not wait, or not any more.
func isGiven(p *pass) bool {
	if p == nil {
		return true
	}
	select {
	case <-p.given:
		return true
	default:
		return false
	}
}

// As long as the digest has something to do, who is far ahead of it waits, and who is not does not.
func TestGateFollowsTheDigest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		if !isGiven(g.ask(minAhead - 1)) {
			t.Error("one byte before the bound has to wait")
		}
		p, far := g.ask(minAhead), g.ask(1<<40)
		time.Sleep(time.Hour)
		if isGiven(p) || isGiven(far) {
			t.Fatal("nobody waits, though the digest has enough to do")
		}
		g.moves(minAhead/2+1, 0, time.Hour, true)
		if !isGiven(p) || isGiven(far) {
			t.Error("who is near enough now still waits, or who is not does not")
		}
		g.end()
		if !isGiven(far) || !isGiven(g.ask(1<<50)) {
			t.Error("somebody waits after the end")
		}
	})
}

// Where the digest has nothing to do nobody waits for long, however far ahead.
func TestGateOpensForAHungryDigest(t *testing.T) {
	for _, first := range []string{"the digest", "who waits"} {
		t.Run(first+" is first", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGate()
				if first == "the digest" {
					g.idles()
				}
				p := g.ask(1 << 50)
				if first != "the digest" {
					g.idles()
				}
				<-p.given // or this is a deadlock
			})
		})
	}
}

// That it has nothing to do for a moment now and then, as little compared with the time that it hashes, changes nothing; that it
// often has nothing does, however short the times are.
func TestGateForgivesShortWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		p := g.ask(1 << 40)
		turn := func(nothing time.Duration) {
			g.idles()
			time.Sleep(nothing)
			g.works()
			g.moves(0, 0, time.Millisecond, true)
		}
		for range 1000 {
			turn(time.Millisecond / 5)
		}
		if isGiven(p) || g.ahead != minAhead {
			t.Error("it is opened though the digest hardly ever waits")
		}
		for range 1000 {
			turn(time.Millisecond / 2)
		}
		if !isGiven(p) {
			t.Error("it is shut though the digest waits for a third of the time")
		}
	})
}

// Once the digest has enough to do again, in memory, the gate narrows to what it was.
func TestGateNarrows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		g.idles()
		<-g.ask(16 * minAhead).given
		g.works()
		wide := g.ahead
		for i := range int64(1000) {
			g.moves(i<<20, i<<19, calm/10, false)
		}
		if g.ahead != wide {
			t.Error("it has narrowed while the digest read back, and little came")
		}
		for range 1000 {
			g.moves(0, 0, calm/10, true)
		}
		if g.ahead != minAhead {
			t.Errorf("it lets through %d bytes ahead, want %d", g.ahead, minAhead)
		}
	})
}

// It narrows also while the digest reads back, if as much comes meanwhile: all of that would have to be read back, too.
func TestGateNarrowsForWhatComesFast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		g.idles()
		<-g.ask(16 * minAhead).given
		g.works()
		for i := range int64(1000) {
			g.moves(i<<20, i<<20, calm/10, false)
		}
		if g.ahead != minAhead {
			t.Errorf("it lets through %d bytes ahead, want %d", g.ahead, minAhead)
		}
	})
}

// While the digest goes through what an earlier download has left, nobody waits for it.
func TestGateIsOpenForWhatWasLeft(t *testing.T) {
	g := newGate()
	g.from = 1 << 40
	if !isGiven(g.ask(1 << 50)) {
		t.Error("a resumed download waits")
	}
	g.moves(1<<40, 1<<40, time.Second, false)
	if isGiven(g.ask(1 << 50)) {
		t.Error("nobody waits behind what was left")
	}
}

// heldUp is a connection that has come to 20 MiB of 64, and waits there for a digest that never moves.
func heldUp(t *testing.T, do func(d *driver, c *conn, cancel context.CancelCauseFunc, ended <-chan error)) {
	synctest.Test(t, func(t *testing.T) {
		const size, there = 64 << 20, 20 << 20
		silent := source.Func(func(ctx context.Context, url string, _ source.Range) (*source.Resource, error) {
			<-ctx.Done()
			return nil, &source.Error{Op: "open", URL: url, Err: ctx.Err()}
		})
		d := newDriver(t.Context(), silent, []Mirror{{URL: "mem:x"}}, &ObjectOptions{Connections: 1})
		defer d.end()
		defer d.finish(errOver)
		d.digest = newDigester(new(checksum.Set))
		d.start()
		c := d.conns[1]
		d.tell(sched.Event{Type: sched.Opened, Conn: 1, Size: size, End: size, Setup: time.Millisecond, Seekable: true})
		ctx, cancel := context.WithCancelCause(t.Context())
		r := &reading{ctx: ctx, c: c, off: int64(c.claim(there))}
		ended := make(chan error, 1)
		go func() { ended <- r.keepPace() }()
		synctest.Wait()
		if len(ended) > 0 {
			t.Fatal("it does not wait")
		}
		do(d, c, cancel, ended)
		d.digest.gate.end()
		synctest.Wait()
	})
}

// That a connection is held up is no silence: it is not replaced.
func TestHeldUpIsNoSilence(t *testing.T) {
	heldUp(t, func(d *driver, c *conn, _ context.CancelCauseFunc, ended <-chan error) {
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.aborted || len(ended) > 0 {
			t.Error("it was given up")
		}
	})
}

// Who is held up at the end of its range, as it was cut meanwhile, has come to the end.
func TestHeldUpNoticesACut(t *testing.T) {
	heldUp(t, func(_ *driver, c *conn, _ context.CancelCauseFunc, ended <-chan error) {
		c.cut(40 << 20)
		synctest.Wait()
		if len(ended) > 0 {
			t.Error("there is more to read, and it does not wait for it")
		}
		c.cut(0)
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestHeldUpNoticesAnAbort(t *testing.T) {
	heldUp(t, func(_ *driver, _ *conn, cancel context.CancelCauseFunc, ended <-chan error) {
		cancel(errAborted)
		if err := <-ended; !errors.Is(err, errAborted) {
			t.Errorf("%v, want %v", err, errAborted)
		}
	})
}

// ahead is a body at off. The first bytes of the object do not come before one beyond far was read.
type ahead struct {
	io.ReadCloser
	off    int64
	beyond *sync.Once
	seen   chan struct{}
}

const far = 4 * maxHeld

func (a *ahead) Read(p []byte) (int, error) {
	if a.off < minAhead {
		<-a.seen
	}
	n, err := a.ReadCloser.Read(p)
	if a.off += int64(n); a.off > far {
		a.beyond.Do(func() { close(a.seen) })
	}
	return n, err
}

// Where the connection that has the bytes whose turn it is stalls, the others go on.
func TestNobodyWaitsForWhoStalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		data := content(far + 8*MiB)
		seen, beyond := make(chan struct{}), new(sync.Once)
		src := source.Func(func(ctx context.Context, url string, rng source.Range) (*source.Resource, error) {
			res, err := inMemory(data)(ctx, url, rng)
			if err == nil {
				res.Body = &ahead{res.Body, rng.Off, beyond, seen}
			}
			return res, err
		})
		begin := time.Now()
		o, err := OpenObject(t.Context(), src, []Mirror{{URL: "mem:x"}}, &ObjectOptions{Hashes: sha256Only, Connections: 4})
		must(t, err)
		defer o.Close()
		path := filepath.Join(t.TempDir(), "x")
		file, err := Create(path, nil)
		must(t, err)
		done, err := o.To(file)
		must(t, err)
		wantWhole(t, path, data, done)
		if took := time.Since(begin); took > time.Second {
			t.Errorf("it took %v until the others were let through", took)
		}
	})
}

// One that is fixed stays as it is, whatever the digest does: what is further ahead has no place.
func TestFixedGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const window = 1 << 20
		g := newGate()
		g.fixed, g.ahead = true, window
		p := g.ask(window)
		g.idles()
		time.Sleep(time.Hour)
		g.works()
		for came := range int64(1000) {
			g.moves(0, came<<20, calm, true)
		}
		if isGiven(p) || g.ahead != window || !isGiven(g.ask(window-1)) {
			t.Errorf("it lets through %d bytes ahead, want %d", g.ahead, window)
		}
		g.moves(window/2+1, 1<<40, 0, false)
		if !isGiven(p) {
			t.Error("who is near enough now still waits")
		}
		g.restarts(0)
		if isGiven(g.ask(window)) {
			t.Error("it is open for what was before all began anew")
		}
	})
}

// Who is within the distance of one that is fixed waits no longer than until the digest has nothing to do: it may be he alone who can
// fetch what is next.
func TestFixedGateOfAnIdleDigest(t *testing.T) {
	const window = 1 << 20
	g := newGate()
	g.fixed, g.ahead = true, window
	near, far := g.ask(window), g.ask(window+1)
	g.moves(1, 1, 0, true)
	g.idles()
	if !isGiven(near) || isGiven(far) {
		t.Errorf("given to who is within the distance: %v; to who is beyond it: %v", isGiven(near), isGiven(far))
	}
}
