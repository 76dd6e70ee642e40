package demo

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"spate/internal/farm"
	"spate/source"
)

func TestShow(t *testing.T) {
	var out, talk bytes.Buffer
	if err := Show(t.Context(), &out, &talk); err != nil {
		t.Fatalf("%v\n%s", err, &talk)
	}
	lines := strings.Split(out.String(), "\n")
	for i, name := range []string{"what", "text", "manifests", "song", "generated", "image", "animation", "loop", "redirects",
		"drawing", "pixels", "sound", "film", "verses", "mixture", "data", ""} {
		if !strings.HasPrefix(lines[i], name) || i > 0 && name != "" && !strings.HasSuffix(lines[i], "  ok") {
			t.Errorf("line %d: %q", i+1, lines[i])
		}
	}
	if !strings.Contains(out.String(), "\n  spate demo --serve --listen ") {
		t.Error("no commands to try")
	}
}

func TestTable(t *testing.T) {
	var b strings.Builder
	table(&b, []Row{
		{Exhibit: Exhibit{Name: "good"}, Parts: 12, Origins: 3, Failures: 4, Bytes: 56789, Time: 1234567 * time.Nanosecond},
		{Exhibit: Exhibit{Name: "bad"}, Err: io.ErrUnexpectedEOF},
	})
	const want = `what        parts  origins  survived   bytes    time  digest
good           12        3         4   56789     1ms  ok
bad             0        0         0       0      0s  WRONG
`
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}

func TestFailed(t *testing.T) {
	good, bad := Row{}, Row{Err: source.ErrCorrupt}
	if err := failed([]Row{good, good}); err != nil {
		t.Error(err)
	}
	err := failed([]Row{good, bad, {Err: io.EOF}})
	if !errors.Is(err, source.ErrCorrupt) || err.Error() != "demo: 2 of 3 downloads went wrong: corrupt" {
		t.Error(err)
	}
}

func TestCommands(t *testing.T) {
	want := `spate cat http://h/tale.parts
spate cat http://h/book.parts
spate cat --max-bytes 2K http://h/song.parts
spate cat --max-bytes 2K http://h/count.parts
spate get http://h/fractal.png.parts
spate get -d frames http://h/plasma-seq
spate get -d frames --max-files 60 http://h/loop-seq.parts
spate cat http://h/moved/1
spate get http://h/roses.svg.parts
spate get http://h/plasma.ppm.parts
spate get http://h/round.wav.parts
spate get http://h/clip.webm.parts
spate get -d frames http://h/tale.txt-seq.parts
spate get -d frames http://h/mixture-seq
spate get http://h/data.bin.parts
spate inspect http://h/tale.parts`
	if got := strings.Join(open(t).commands("http://h"), "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// A fakePage is a page of which nobody sees anything.
type fakePage struct {
	err   error // why there is none
	fails error // how it ends by itself; nil: with its context
	shown []Exhibit
	over  bool
}

const pageAddress = "http://page.example/"

func (p *fakePage) show(ctx context.Context, exhibits []Exhibit) (string, <-chan error, error) {
	p.shown = exhibits
	ended := make(chan error, 1)
	if p.fails != nil {
		ended <- p.fails
	} else {
		context.AfterFunc(ctx, func() { p.over = true; ended <- nil })
	}
	return pageAddress, ended, p.err
}

func TestServe(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out, in := io.Pipe()
	done := make(chan error)
	var page fakePage
	go func() {
		err := Serve(ctx, []string{"127.0.0.1:0"}, page.show, in, io.Discard)
		in.Close()
		done <- err
	}()
	sc := bufio.NewScanner(out)
	var addr string
	for i := range 20 {
		if !sc.Scan() {
			t.Fatal("only", i, "lines")
		}
		url, about, _ := strings.Cut(sc.Text(), "  ")
		if addr = strings.Split(url, "/")[2]; about == "" {
			t.Errorf("%q", sc.Text())
		}
	}
	if !sc.Scan() || !strings.HasPrefix(sc.Text(), pageAddress+"  ") || len(page.shown) != 20 {
		t.Errorf("%q, %d exhibits", sc.Text(), len(page.shown))
	}
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	cancel()
	if err := <-done; err != nil || !page.over {
		t.Error(err, page.over)
	}
	if c, err := net.Dial("tcp", addr); err == nil {
		c.Close()
		t.Error("still up")
	}
}

func TestServeOnATakenAddress(t *testing.T) {
	f := farm.New()
	defer f.Close()
	var page fakePage
	if err := Serve(t.Context(), []string{f.Addr()}, page.show, io.Discard, io.Discard); err == nil || page.shown != nil {
		t.Error("no error, or a page:", err)
	}
}

// TestServeWithoutPage: whatever becomes of the page, or of who is told of it, Serve ends, and both with it.
func TestServeWithoutPage(t *testing.T) {
	none := fakePage{err: errors.New("no page")}
	if err := Serve(t.Context(), nil, none.show, io.Discard, io.Discard); !errors.Is(err, none.err) {
		t.Error(err)
	}
	failing := fakePage{fails: errors.New("it has ended")}
	if err := Serve(t.Context(), nil, failing.show, io.Discard, io.Discard); !errors.Is(err, failing.fails) {
		t.Error(err)
	}
	out, in := io.Pipe()
	out.CloseWithError(io.ErrShortWrite)
	var page fakePage
	if err := Serve(t.Context(), nil, page.show, in, io.Discard); !errors.Is(err, io.ErrShortWrite) || !page.over {
		t.Error(err, page.over)
	}
}

// TestTitles: the page offers each exhibit by a title that tells it from the others.
func TestTitles(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range open(t).Exhibits {
		if title := e.Title(); !strings.HasPrefix(title, e.Name+": ") || e.Endless != strings.HasSuffix(title, "; endless") || seen[e.Name] {
			t.Errorf("%q", title)
		}
		seen[e.Name] = true
		if isSequence := strings.Contains(e.Path, "-seq"); isSequence != (e.Delay > 0) {
			t.Errorf("%s: %d ms", e.URL, e.Delay)
		}
	}
}
