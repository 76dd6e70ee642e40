//go:build linux

package filesource

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"spate/source"
	"spate/source/sourcetest"
)

// pipe makes a named pipe.
func pipe(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// stall makes a pipe whose writer writes content[:at] and then nothing.
func stall(t *testing.T, _ string, content []byte, at int) string {
	t.Helper()
	path := pipe(t)
	w, err := os.OpenFile(path, os.O_RDWR, 0) // waits for no reader
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	if _, err := w.Write(content[:at]); err != nil {
		t.Fatal(err)
	}
	return URL(path)
}

func TestPipe(t *testing.T) {
	content := sourcetest.Content(1<<20, 1)
	tests := []struct {
		name    string
		rng     source.Range
		content []byte
		want    []byte
	}{
		{"whole", source.From(0), content, content},
		{"from an offset", source.From(1000), content, content},
		{"limited", source.Range{Off: 10, Len: 20}, content, content[:30]},
		{"nothing", source.Range{}, content, nil},
		{"one byte", source.From(0), content[:1], content[:1]},
		{"a writer that writes nothing", source.From(0), nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := pipe(t)
			written := make(chan error)
			go func() { written <- os.WriteFile(path, tt.content, 0) }()
			res, err := Source{}.Open(t.Context(), URL(path), tt.rng)
			if err != nil {
				t.Fatal(err)
			}
			if res.Off != 0 || res.Len != -1 || res.Size != -1 || res.Seekable || res.Validator != "" {
				t.Errorf("got %+v", res)
			}
			got, err := io.ReadAll(res.Body)
			if err != nil || string(got) != string(tt.want) {
				t.Errorf("read %d bytes, %v, want %d", len(got), err, len(tt.want))
			}
			_ = res.Body.Close()
			<-written // or the broken pipe, where not all was wanted
		})
	}
}

// asked is a context that tells when somebody begins to watch it.
type asked struct {
	context.Context
	tell func()
}

func (c asked) Done() <-chan struct{} {
	c.tell()
	return c.Context.Done()
}

// The pipe has no writer: it is not at its end, it has not begun.
func TestPipeWithoutWriter(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	opened := asked{ctx, sync.OnceFunc(cancel)} // the pipe is open before its context is watched
	_, err := Source{}.Open(opened, URL(pipe(t)), source.From(0))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// Bytes that were written by a writer that has gone already are there.
func TestPipeWriterGone(t *testing.T) {
	path := pipe(t)
	w, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	res, err := Source{}.Open(t.Context(), URL(path), source.From(0))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(res.Body); string(got) != "hello" || err != nil {
		t.Errorf("read %q, %v", got, err)
	}
}

func TestDevice(t *testing.T) {
	res, err := Source{}.Open(t.Context(), "file:///dev/zero", source.Range{Off: 0, Len: 1000})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if got, err := io.ReadAll(res.Body); len(got) != 1000 || err != nil || res.Len != -1 {
		t.Errorf("read %d bytes, %v, announced as %d", len(got), err, res.Len)
	}
}

// It says that its size is 0.
func TestFileOfTheKernel(t *testing.T) {
	res, err := Source{}.Open(t.Context(), "file:///proc/self/status", source.From(0))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if got, err := io.ReadAll(res.Body); len(got) == 0 || err != nil || res.Size != -1 || res.Seekable {
		t.Errorf("read %d bytes, %v, of %+v", len(got), err, res.Info)
	}
}
