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
	for i, name := range []string{"what", "text", "manifests", "song", "generated", "image", "animation", "loop", "redirects"} {
		if !strings.HasPrefix(lines[i], name) || i > 0 && !strings.HasSuffix(lines[i], "  ok") {
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
spate inspect http://h/tale.parts`
	if got := strings.Join(open(t).commands("http://h"), "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestServe(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out, in := io.Pipe()
	done := make(chan error)
	go func() {
		err := Serve(ctx, []string{"127.0.0.1:0"}, in, io.Discard)
		in.Close()
		done <- err
	}()
	sc := bufio.NewScanner(out)
	var addr string
	for i := range 8 {
		if !sc.Scan() {
			t.Fatal("only", i, "lines")
		}
		url, about, _ := strings.Cut(sc.Text(), "  ")
		if addr = strings.Split(url, "/")[2]; about == "" {
			t.Errorf("%q", sc.Text())
		}
	}
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if c, err := net.Dial("tcp", addr); err == nil {
		c.Close()
		t.Error("still up")
	}
}

func TestServeOnATakenAddress(t *testing.T) {
	f := farm.New()
	defer f.Close()
	if err := Serve(t.Context(), []string{f.Addr()}, io.Discard, io.Discard); err == nil {
		t.Error("no error")
	}
}
