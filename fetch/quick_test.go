package fetch

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"testing/iotest"

	"spate/event"
	"spate/fetch/journal"
	"spate/format/checksum"
	"spate/internal/farm"
	"spate/source"
	"spate/source/httpsource"
)

// openAt opens what is at /x of f.
func openAt(t *testing.T, f *farm.Farm, opts *ObjectOptions) *Object {
	t.Helper()
	src := httpsource.New(nil)
	t.Cleanup(src.CloseIdleConnections)
	o, err := OpenObject(t.Context(), src, []Mirror{{URL: f.URL("/x")}}, opts)
	must(t, err)
	return o
}

// What is small, and needs nothing but to be written, has no driver; all else has one. The result is the same.
func TestQuick(t *testing.T) {
	size := int64(1000)
	for _, c := range []struct {
		name string
		size int
		res  farm.Resource
		opts ObjectOptions
		want bool
	}{
		{"a byte", 1, farm.Resource{}, ObjectOptions{}, true},
		{"small", 1000, farm.Resource{}, ObjectOptions{Size: &size, Told: true}, true},
		{"the largest", quickSize, farm.Resource{}, ObjectOptions{}, true},
		{"larger", quickSize + 1, farm.Resource{}, ObjectOptions{}, false},
		{"empty", 0, farm.Resource{}, ObjectOptions{}, false},
		{"no ranges", 1000, farm.Resource{NoRange: true}, ObjectOptions{}, true},
		{"no length", 1000, farm.Resource{NoRange: true, NoLength: true}, ObjectOptions{}, false},
		{"capped", 1000, farm.Resource{RangeMax: 999}, ObjectOptions{}, false},
		{"breaks", 1000, farm.Resource{BreakAfter: 600}, ObjectOptions{}, true},
		{"several connections for less", 1000, farm.Resource{}, ObjectOptions{Connections: 2, MinRange: 100}, false},
		{"to be hashed", 1000, farm.Resource{}, ObjectOptions{Hashes: sha256Only}, false},
		{"to be checked", 1000, farm.Resource{}, ObjectOptions{Checksums: []checksum.Sum{sumOf(t, checksum.SHA256, content(1000))}}, false},
		{"somebody is told", 1000, farm.Resource{}, ObjectOptions{Events: func(event.Event) {}}, false},
		{"a stream", 1000, farm.Resource{}, ObjectOptions{Window: 1 << 20}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := farm.New()
			defer f.Close()
			c.res.Body = content(c.size)
			f.Serve("/x", c.res)
			o := openAt(t, f, &c.opts)
			if is := o.quick != nil; is != c.want || o.Info().Size != int64(c.size) && !c.res.NoLength {
				t.Errorf("quick: %v, of %d bytes", is, o.Info().Size)
			}
			if c.opts.Window > 0 {
				must(t, o.Close())
				return
			}
			path := filepath.Join(t.TempDir(), "x")
			done, err := o.To(mustCreate(t, path, nil))
			must(t, err)
			must(t, o.Close())
			wantContent(t, path, string(content(c.size)))
			wantNames(t, path, "x")
			if n := int64(c.size); done.Size != n || done.Fetched != n || done.Connections < 1 || done.Opens < 1 || len(done.Origins) != 1 {
				t.Errorf("%+v", done)
			}
		})
	}
}

// What ends early leaves what it would leave with a driver.
func TestQuickFails(t *testing.T) {
	refused := errors.New("refused")
	for _, c := range []struct {
		name string
		do   func(o *Object, file *File, cancel context.CancelCauseFunc)
		want error
		left []string
	}{
		{"it is not approved", func(o *Object, _ *File, _ context.CancelCauseFunc) {
			o.Approve(func(io.ReaderAt) error { return refused })
		}, refused, []string{"x.part"}},
		{"the caller leaves", func(_ *Object, _ *File, cancel context.CancelCauseFunc) { cancel(refused) }, refused, nil},
		{"the file has ended", func(_ *Object, file *File, _ context.CancelCauseFunc) { file.Discard() }, fs.ErrClosed, nil},
		{"somebody has the name", func(_ *Object, file *File, _ context.CancelCauseFunc) {
			must(t, os.WriteFile(file.Path(), nil, 0o666))
		}, fs.ErrExist, []string{"x", "x.part"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := farm.New()
			defer f.Close()
			f.Serve("/x", farm.Resource{Body: content(1000)})
			src := httpsource.New(nil)
			defer src.CloseIdleConnections()
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			o, err := OpenObject(ctx, src, []Mirror{{URL: f.URL("/x")}}, nil)
			must(t, err)
			path := filepath.Join(t.TempDir(), "x")
			file := mustCreate(t, path, nil)
			c.do(o, file, cancel)
			done, err := o.To(file)
			if !errors.Is(err, c.want) || done == nil || done.Size > 0 != (c.left != nil) {
				t.Errorf("%+v, %v", done, err)
			}
			must(t, o.Close())
			wantNames(t, path, c.left...)
		})
	}
}

// An answer that breaks is gone on with by a driver, which is given again what had come, and asks for the rest alone.
func TestQuickGoesOn(t *testing.T) {
	f := farm.New()
	defer f.Close()
	f.Serve("/x", farm.Resource{Body: content(quickSize), BreakAfter: quickSize / 2})
	path := filepath.Join(t.TempDir(), "x")
	done, err := openAt(t, f, nil).To(mustCreate(t, path, nil))
	must(t, err)
	wantContent(t, path, string(content(quickSize)))
	if done.Fetched != quickSize || done.Opens < 2 || f.Requests("/x") != int(done.Opens) {
		t.Errorf("%+v, %d requests", done, f.Requests("/x"))
	}
}

// A name without room for a journal is as it is with a driver.
func TestQuickLongName(t *testing.T) {
	f := farm.New()
	defer f.Close()
	f.Serve("/x", farm.Resource{Body: content(1000)})
	path := filepath.Join(t.TempDir(), string(bytes.Repeat([]byte("n"), 255-len(Ext))))
	if journal.CheckName(path+journal.Ext) == nil {
		t.Skip("names may be longer here")
	}
	if _, err := openAt(t, f, nil).To(mustCreate(t, path, nil)); !errors.Is(err, syscall.ENAMETOOLONG) {
		t.Errorf("got %v", err)
	}
	wantNames(t, path)
}

// What is opened and not wanted keeps no connection.
func TestQuickIsClosed(t *testing.T) {
	f := farm.New()
	defer f.Close()
	f.Serve("/x", farm.Resource{Body: content(1000)})
	o := openAt(t, f, nil)
	if o.quick == nil {
		t.Fatal("it has a driver")
	}
	must(t, o.Close())
	must(t, o.Close())
	if _, err := o.quick.res.Body.Read(make([]byte, 1)); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("got %v", err)
	}
	if done, err := openAt(t, f, nil).Stream(io.Discard); !errors.Is(err, errNoWindow) || done == nil {
		t.Errorf("%+v, %v", done, err)
	}
}

// dripping is a source whose bodies give a byte with each read.
type dripping struct{ source.Source }

func (d dripping) Open(ctx context.Context, url string, rng source.Range) (*source.Resource, error) {
	res, err := d.Source.Open(ctx, url, rng)
	if err == nil {
		res.Body = struct {
			io.Reader
			io.Closer
		}{iotest.OneByteReader(res.Body), res.Body}
	}
	return res, err
}

// What does not come by one read is a driver's, without another request.
func TestQuickComesInParts(t *testing.T) {
	f := farm.New()
	defer f.Close()
	f.Serve("/x", farm.Resource{Body: content(1000)})
	src := httpsource.New(nil)
	defer src.CloseIdleConnections()
	o, err := OpenObject(t.Context(), dripping{src}, []Mirror{{URL: f.URL("/x")}}, nil)
	must(t, err)
	path := filepath.Join(t.TempDir(), "x")
	done, err := o.To(mustCreate(t, path, nil))
	must(t, err)
	if o.d == nil || done.Opens != 1 || f.Requests("/x") != 1 {
		t.Errorf("a driver: %v, %+v", o.d != nil, done)
	}
	wantContent(t, path, string(content(1000)))
}
