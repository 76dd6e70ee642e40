package fetch

import (
	"bytes"
	"context"
	"io"
	"path/filepath"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"spate/sched"
	"spate/source"
)

// A tardy source answers at once, and each read of its bytes takes a second.
type tardy []byte

func (s tardy) Open(_ context.Context, _ string, r source.Range) (*source.Resource, error) {
	body := bytes.NewReader(s[r.Off : r.Off+r.Len])
	return &source.Resource{Info: source.Info{URL: "http://a.example/x", Size: int64(len(s)), Seekable: true}, Off: r.Off, Len: r.Len,
		Body: io.NopCloser(iotest.OneByteReader(late{body}))}, nil
}

type late struct{ io.Reader }

func (l late) Read(p []byte) (int, error) {
	time.Sleep(time.Second)
	return l.Reader.Read(p)
}

// TestSetupIsThatOfTheRequest: the scheduler takes the set-up for what each further connection will cost. How long the bytes of
// an earlier download are compared is none of it.
func TestSetupIsThatOfTheRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		data := content(10)
		path := filepath.Join(t.TempDir(), "x")
		leaveWhole(t, path, data, "http://a.example/y")
		file, err := Resume(t.Context(), path, nil)
		must(t, err)
		defer file.Keep()
		d := newDriver(t.Context(), tardy(data), []Mirror{{URL: "http://a.example/x"}}, &ObjectOptions{Left: file})
		r := &reading{c: &conn{d: d, id: 2}, a: sched.Action{Off: 5, End: 10}}
		begin := time.Now()
		must(t, r.ask(t.Context()))
		if took := time.Since(begin); took == 0 || r.setup != 0 {
			t.Errorf("set-up of %v in %v", r.setup, took)
		}
	})
}
