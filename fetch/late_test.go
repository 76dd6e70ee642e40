package fetch

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"spate/event"
	"spate/format/checksum"
	"spate/format/span"
	"spate/sched"
	"spate/source"
)

// A copy that has won is written after all of it has come. If that fails nothing gets the final name, and nobody waits for what is
// missing.
func TestCopyThatCannotBeWritten(t *testing.T) {
	const size = 4 * maxBlock
	for name, hashes := range map[string][]string{"hashed": sha256Only, "not hashed": nil} {
		t.Run(name, func(t *testing.T) {
			file, err := Create(filepath.Join(t.TempDir(), "x"), nil)
			must(t, err)
			opts := &ObjectOptions{Hashes: hashes}
			d := newDriver(t.Context(), nil, []Mirror{{URL: "mem:x"}}, opts)
			c := &conn{d: d, id: 1, work: make(chan sched.Action, 2), held: make([]byte, size)}
			opts.Events = func(e event.Event) {
				if e.Type != event.Begin {
					return
				}
				whole := file.part // the lock stays with it
				t.Cleanup(func() { whole.Close() })
				file.part, err = os.Open(file.part.Name()) // to which nothing can be written
				must(t, err)
				d.wg.Go(func() { c.run(nil) })
			}
			d.conns[1] = c
			d.started, d.info.URL, d.info.Size, d.size = true, "mem:x", size, size
			d.pause()
			c.work <- sched.Action{Type: sched.Keep, Conn: 1, End: size}
			done, err := (&Object{d: d}).To(file)
			if _, ok := errors.AsType[*fs.PathError](err); !ok || done.Size != 0 {
				t.Errorf("%+v, %v", done, err)
			}
			wantNames(t, file.path)
		})
	}
}

// A file that cannot be read back ends the download: the window would wait for the digest for ever.
func TestDigestOfWhatCannotBeRead(t *testing.T) {
	d := newDriver(t.Context(), nil, []Mirror{{URL: "mem:x"}}, &ObjectOptions{})
	defer d.end()
	d.size, d.info.Size = 4*maxBlock, 4*maxBlock
	d.digest = d.newDigest(new(checksum.Set), nil)
	d.digest.file = &File{path: "x"} // it has ended
	d.digest.written(span.Span{End: 4})
	d.startDigests()
	d.wg.Wait()
	if err := d.ended(); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("it goes on: %v", err)
	}
}

// An answer that comes when all is over is waited for by nobody: who tells of it does not wait for a file.
func TestFirstAnswerOnceAllIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDriver(t.Context(), nil, []Mirror{{URL: "mem:x"}}, &ObjectOptions{})
		d.finish(errOver)
		res := &source.Resource{Info: source.Info{URL: "mem:x", Size: 8}, Len: 8, Body: io.NopCloser(strings.NewReader("12345678"))}
		if again, err := d.accept(&reading{a: sched.Action{End: -1}, res: res}); again || err != nil {
			t.Errorf("again: %v, %v", again, err)
		}
		d.wg.Go(func() { d.tell(sched.Event{Type: sched.Tick}) })
		d.end()
	})
}
