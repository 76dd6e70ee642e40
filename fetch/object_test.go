package fetch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"spate/internal/farm"
	"spate/source"
	"spate/source/httpsource"
)

// content is n bytes, each of which tells where it is.
func content(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i>>16) ^ byte(i>>8)*31 ^ byte(i)*17
	}
	return b
}

func TestObject(t *testing.T) {
	for _, c := range []struct {
		name string
		res  farm.Resource
		size int
		opts ObjectOptions
	}{
		{"empty", farm.Resource{}, 0, ObjectOptions{}},
		{"one byte", farm.Resource{}, 1, ObjectOptions{}},
		{"small", farm.Resource{}, 100_000, ObjectOptions{}},
		{"large", farm.Resource{}, 20 << 20, ObjectOptions{}},
		{"four connections", farm.Resource{}, 20<<20 + 1, ObjectOptions{Connections: 4}},
		{"slow, so that it ramps", farm.Resource{Rate: 20 << 20}, 20 << 20, ObjectOptions{}},
		{"no ranges", farm.Resource{NoRange: true}, 3 << 20, ObjectOptions{Connections: 4}},
		{"no length", farm.Resource{NoLength: true, NoRange: true}, 3 << 20, ObjectOptions{Connections: 4}},
		{"breaks", farm.Resource{BreakAfter: 3 << 20}, 20 << 20, ObjectOptions{Connections: 4}},
		{"capped", farm.Resource{RangeMax: 5 << 20}, 20 << 20, ObjectOptions{Connections: 2}},
	} {
		for _, sum := range []bool{false, true} {
			t.Run(c.name, func(t *testing.T) {
				f := farm.New()
				defer f.Close()
				data := content(c.size)
				c.res.Body = data
				f.Serve("/x", c.res)
				src := httpsource.New(nil)
				defer src.CloseIdleConnections()
				o, err := OpenObject(t.Context(), src, f.URL("/x"))
				if err != nil {
					t.Fatal(err)
				}
				defer o.Close()
				path := filepath.Join(t.TempDir(), "x")
				opts := c.opts
				opts.SHA256 = sum
				done, err := o.To(t.Context(), path, &opts)
				if err != nil {
					t.Fatal(err)
				}
				got, err := os.ReadFile(path)
				if err != nil || !bytes.Equal(got, data) {
					t.Fatalf("%d bytes, want %d; %v", len(got), len(data), err)
				}
				if want := sha256.Sum256(data); sum && !bytes.Equal(done.SHA256, want[:]) {
					t.Errorf("digest %x, want %x", done.SHA256, want)
				}
				if done.Size != int64(len(data)) {
					t.Errorf("size %d, want %d", done.Size, len(data))
				}
				t.Logf("%+v; %d requests", done, f.Requests("/x"))
			})
		}
	}
}

// object opens url for a test.
func object(t *testing.T, url string) *Object {
	t.Helper()
	src := httpsource.New(nil)
	t.Cleanup(src.CloseIdleConnections)
	o, err := OpenObject(t.Context(), src, url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.Close() })
	return o
}

// TestObjectCancelled: what is left is the beginning, without gaps.
func TestObjectCancelled(t *testing.T) {
	f := farm.New()
	defer f.Close()
	data := content(16 << 20)
	f.Serve("/x", farm.Resource{Body: data, StallAt: 12 << 20})
	path := filepath.Join(t.TempDir(), "x")
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	opts := &ObjectOptions{Options: Options{SHA256: true}, Connections: 4}
	go func() {
		f.Wait(t.Context(), farm.Stuck, "/x", 1)
		cancel(enough)
	}()
	done, err := object(t, f.URL("/x")).To(ctx, path, opts)
	if !errors.Is(err, enough) || done == nil {
		t.Fatalf("%+v, %v", done, err)
	}
	got, err := os.ReadFile(path + Ext)
	if done.Size == 0 && errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil || int64(len(got)) != done.Size || !bytes.HasPrefix(data, got) {
		t.Errorf("%d bytes are left, %d are told, %v", len(got), done.Size, err)
	}
	wantNames(t, path, filepath.Base(path)+Ext)
}

// TestObjectChanges: a second answer is of another version. Nothing of it comes into the file.
func TestObjectChanges(t *testing.T) {
	f := farm.New()
	defer f.Close()
	one, two := content(16<<20), bytes.Repeat([]byte("2"), 16<<20)
	f.Serve("/x", farm.Then(farm.Resource{Body: one, BreakAt: 3 << 20}, farm.Resource{Body: two}))
	path := filepath.Join(t.TempDir(), "x")
	done, err := object(t, f.URL("/x")).To(t.Context(), path, &ObjectOptions{Options: Options{SHA256: true}, Connections: 4})
	if !errors.Is(err, source.ErrChanged) {
		t.Fatalf("%+v, %v", done, err)
	}
	got, err := os.ReadFile(path + Ext)
	if done.Size > 0 && (err != nil || !bytes.HasPrefix(one, got)) {
		t.Errorf("%d bytes are left, which are not the beginning of the first version; %v", len(got), err)
	}
}

// TestDigesterBeginsAnew: what was added before counts for nothing.
func TestDigesterBeginsAnew(t *testing.T) {
	data := content(3 * maxBlock)
	part, err := os.Create(filepath.Join(t.TempDir(), "x"))
	if err != nil {
		t.Fatal(err)
	}
	defer part.Close()
	d := newSHA256(true)
	d.file, d.free, d.told = part, func([]byte) {}, func(int64) {}
	add := func(b []byte, off int64) {
		if _, err := part.WriteAt(b, off); err != nil {
			t.Fatal(err)
		}
		d.add(off, bytes.Clone(b))
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		d.run()
	}()
	add([]byte("something else"), 0)
	d.restart()
	for off := int64(2 * maxBlock); off >= 0; off -= maxBlock {
		add(data[off:off+maxBlock], off)
	}
	d.seal(int64(len(data)))
	<-ended
	sum, err := d.sum()
	if want := sha256.Sum256(data); err != nil || !bytes.Equal(sum, want[:]) {
		t.Errorf("%x, %v", sum, err)
	}
}
