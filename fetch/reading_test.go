package fetch

import (
	"context"
	"io"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"spate/format/checksum"
	"spate/sched"
	"spate/source"
)

// A range that is cut where it has come to, while that is about to be told, ends once: the connection is given no other before
// its worker has seen the end. (It would claim bytes of the next range, and write those of this one.)
func TestProgressAtACut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size, there = 64 << 20, 20 << 20
		silent := source.Func(func(ctx context.Context, url string, _ source.Range) (*source.Resource, error) {
			<-ctx.Done()
			return nil, &source.Error{Op: "open", URL: url, Err: ctx.Err()}
		})
		d := newDriver(t.Context(), silent, []Mirror{{URL: "mem:x"}}, &ObjectOptions{Connections: 2})
		defer d.end()
		defer d.finish(errOver)
		d.start()
		c := d.conns[1]
		r := &reading{c: c, off: int64(c.claim(there))}

		d.mu.Lock()
		d.paused = true
		d.mu.Unlock()
		go r.tell()
		synctest.Wait()
		d.mu.Lock()
		d.step(sched.Event{Type: sched.Opened, Conn: 1, Size: size, End: size, Setup: time.Millisecond, Seekable: true})
		d.paused = false
		d.going.Broadcast()
		d.mu.Unlock()
		if c.wanted() != there {
			t.Fatalf("cut at %d, want %d", c.wanted(), there)
		}
		synctest.Wait()
		if len(c.work) > 0 {
			t.Error("it is given another range before its worker has seen the end")
		}
		r.finish()
		if len(c.work) != 1 {
			t.Error("it is not given another range")
		}
	})
}

// slowly reads a block each 20 ms.
type slowly struct{ io.ReadCloser }

func (s slowly) Read(p []byte) (int, error) {
	time.Sleep(20 * time.Millisecond)
	return s.ReadCloser.Read(p)
}

// The end of an answer, like that of a range, is told once: the next range is then given to who has seen it.
func TestProgressAtTheEndOfAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		data := content(8 * maxBlock)
		wrong, right := inMemory(lying(data, 100)), inMemory(data)
		opens := 0
		src := source.Func(func(ctx context.Context, url string, rng source.Range) (*source.Resource, error) {
			from := right
			if opens++; opens == 1 {
				from = wrong
			}
			res, err := from(ctx, url, rng)
			if err == nil {
				res.Body = slowly{res.Body}
			}
			return res, err
		})
		o, err := OpenObject(t.Context(), src, []Mirror{{URL: "mem:x"}},
			&ObjectOptions{Connections: 1, Pieces: piecesOf(t, data, 2*maxBlock, checksum.SHA256)})
		must(t, err)
		defer o.Close()
		path := filepath.Join(t.TempDir(), "x")
		file, err := Create(path, nil)
		must(t, err)
		done, err := o.To(file)
		must(t, err)
		wantWhole(t, path, data, done)
		if done.Opens != 2 || done.Failures != 1 {
			t.Errorf("%+v, want two requests and one wrong piece", done)
		}
	})
}
