package fetch

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"testing/iotest"
	"time"

	"spate/fetch/journal"
	"spate/format/checksum"
	"spate/internal/farm"
	"spate/sched"
	"spate/source"
	"spate/source/httpsource"
)

var sha256Only = []string{checksum.SHA256}

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
				path := filepath.Join(t.TempDir(), "x")
				opts := c.opts
				if sum {
					opts.Hashes = sha256Only
				}
				done, err := download(t.Context(), t, path, &opts, f.URL("/x"))
				if err != nil {
					t.Fatal(err)
				}
				got, err := os.ReadFile(path)
				if err != nil || !bytes.Equal(got, data) {
					t.Fatalf("%d bytes, want %d; %v", len(got), len(data), err)
				}
				if want := sha256.Sum256(data); sum && !bytes.Equal(done.Digest(checksum.SHA256), want[:]) {
					t.Errorf("digest %x, want %x", done.Digest(checksum.SHA256), want)
				}
				if done.Size != int64(len(data)) {
					t.Errorf("size %d, want %d", done.Size, len(data))
				}
				t.Logf("%+v; %d requests", done, f.Requests("/x"))
			})
		}
	}
}

// TestOrders: whatever comes first, all comes.
func TestOrders(t *testing.T) {
	const size = 80 << 20 // more than twice the window
	f := farm.New()
	defer f.Close()
	f.Serve("/x", farm.Resource{Size: size, ETag: `"1"`, Gen: func(off int64, p []byte) int {
		n := int(min(int64(len(p)), size-off))
		clear(p[:n])
		return n
	}})
	for _, order := range []sched.Order{sched.Auto, sched.HeadTail, sched.Sequential} {
		for _, hashes := range [][]string{nil, {checksum.SHA256}} {
			path := filepath.Join(t.TempDir(), "x")
			done, err := download(t.Context(), t, path, &ObjectOptions{Order: order, Connections: 3, Hashes: hashes}, f.URL("/x"))
			if err != nil || done.Size != size {
				t.Errorf("order %d, %v: %+v, %v", order, hashes, done, err)
			}
		}
	}
}

// download is what a download consists of: it goes on with what is left at path, if there is anything.
func download(ctx context.Context, t *testing.T, path string, opts *ObjectOptions, urls ...string) (*Done, error) {
	t.Helper()
	src := httpsource.New(nil)
	defer src.CloseIdleConnections()
	return downloadFrom(ctx, t, src, path, opts, urls...)
}

// downloadFrom is download by another source.
func downloadFrom(ctx context.Context, t *testing.T, src source.Source, path string, opts *ObjectOptions, urls ...string) (*Done, error) {
	t.Helper()
	var mirrors []Mirror
	for _, u := range urls {
		mirrors = append(mirrors, Mirror{URL: u})
	}
	file, err := Resume(ctx, path, nil)
	must(t, err)
	with := *opts
	with.Left = file
	o, err := OpenObject(ctx, src, mirrors, &with)
	if err != nil {
		if file != nil {
			must(t, file.Keep())
		}
		return nil, err
	}
	defer o.Close()
	if file == nil {
		file, err = Create(path, nil)
		must(t, err)
	}
	return o.To(file)
}

// TestObjectCancelled: what is left is the beginning, without gaps.
func TestObjectCancelled(t *testing.T) {
	f := farm.New()
	defer f.Close()
	data := content(16 << 20)
	f.Serve("/x", farm.Resource{Body: data, StallAt: 12 << 20})
	path := filepath.Join(t.TempDir(), "x")
	done := cutOff(t, f, path, &ObjectOptions{Hashes: sha256Only, Connections: 4})
	wantLeft(t, path, data, done.Size)
	wantNames(t, path, filepath.Base(path)+Ext, filepath.Base(path)+journal.Ext)

	f.Serve("/x", farm.Resource{Body: data})
	again, err := download(t.Context(), t, path, &ObjectOptions{Hashes: sha256Only}, f.URL("/x"))
	must(t, err)
	if again.Resumed != done.Size || again.Fetched != int64(len(data))-done.Size {
		t.Errorf("%+v, after %d bytes", again, done.Size)
	}
	wantWhole(t, path, data, again)
}

// TestLongerThanTold: what proves longer than its size has changed, however many connections it comes over. A mirror that is as long as it says
// has the rest.
func TestLongerThanTold(t *testing.T) {
	data := content(5 << 20)
	longer := &source.Error{Op: "read", Kind: source.KindChanged, Err: errors.New("longer than its size")}
	src := source.Func(func(_ context.Context, url string, rng source.Range) (*source.Resource, error) {
		end := int64(len(data))
		if rng.Len >= 0 {
			end = min(end, rng.Off+rng.Len) // no overflow: the largest Len is asked for from 0
		}
		body := io.Reader(bytes.NewReader(data[rng.Off:end]))
		if url == "x://longer/x" && end == int64(len(data)) {
			body = io.MultiReader(body, iotest.ErrReader(longer))
		}
		return &source.Resource{Info: source.Info{URL: url, Size: int64(len(data)), ETag: `"1"`, Validator: `"1"`, Seekable: true},
			Off: rng.Off, Len: end - rng.Off, Body: io.NopCloser(body)}, nil
	})
	for _, n := range []int{1, 4} {
		for _, mirrors := range [][]Mirror{{{URL: "x://longer/x"}}, {{URL: "x://longer/x"}, {URL: "x://right/x", Priority: 1}}} {
			o, err := OpenObject(t.Context(), src, mirrors, &ObjectOptions{Connections: n, Hashes: sha256Only})
			must(t, err)
			path := filepath.Join(t.TempDir(), "x")
			file, err := Create(path, nil)
			must(t, err)
			done, err := o.To(file)
			if len(mirrors) > 1 {
				must(t, err)
				wantWhole(t, path, data, done)
				continue
			}
			if !errors.Is(err, source.ErrChanged) {
				t.Errorf("%d connections: %+v, %v", n, done, err)
			}
			if _, err := os.Lstat(path); err == nil {
				t.Error("it has its final name")
			}
		}
	}
}

// TestObjectRemoved: of what somebody has removed nothing is left, and nothing is said to be.
func TestObjectRemoved(t *testing.T) {
	f := farm.New()
	defer f.Close()
	f.Serve("/x", farm.Resource{Body: content(16 << 20), StallAt: 12 << 20})
	path := filepath.Join(t.TempDir(), "x")
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	go func() {
		f.Wait(t.Context(), farm.Stuck, "/x", 1)
		cancel(cmp.Or(os.Remove(path+Ext), enough))
	}()
	done, err := download(ctx, t, path, &ObjectOptions{Connections: 4}, f.URL("/x"))
	if !errors.Is(err, enough) || done.Size != 0 {
		t.Errorf("%+v, %v", done, err)
	}
}

// TestGivenUpWhileSilent: who waits no longer than a silence may last is told of which URL nothing came.
func TestGivenUpWhileSilent(t *testing.T) {
	f := farm.New()
	defer f.Close()
	f.Serve("/x", farm.Resource{Body: content(4 << 20), StallAt: 2 << 20})
	_, err := download(t.Context(), t, filepath.Join(t.TempDir(), "x"), &ObjectOptions{RetryMax: 100 * time.Millisecond}, f.URL("/x"))
	if e, ok := errors.AsType[*source.Error](err); !ok || e.Kind != source.KindTimeout || e.URL != f.URL("/x") {
		t.Errorf("%#v", err)
	}
}

// wantLeft: of what the journal says is there, all is right, and it is so many bytes.
func wantLeft(t *testing.T, path string, data []byte, size int64) {
	t.Helper()
	s, err := journal.Read(path + journal.Ext)
	must(t, err)
	got, err := os.ReadFile(path + Ext)
	must(t, err)
	for _, r := range s.Ranges {
		if !bytes.Equal(got[r.Off:r.End], data[r.Off:r.End]) {
			t.Errorf("%v is left, and wrong", r)
		}
	}
	if n := s.Covered().Bytes(); n != size {
		t.Errorf("%d bytes are left, want %d", n, size)
	}
}

// wantWhole: the file is there, alone, and its digest is right.
func wantWhole(t *testing.T, path string, data []byte, done *Done) {
	t.Helper()
	got, err := os.ReadFile(path)
	must(t, err)
	if !bytes.Equal(got, data) {
		t.Errorf("%d bytes, which are not the %d wanted", len(got), len(data))
	}
	if want := sha256.Sum256(data); done.Digest(checksum.SHA256) != nil && !bytes.Equal(done.Digest(checksum.SHA256), want[:]) {
		t.Errorf("digest %x, want %x", done.Digest(checksum.SHA256), want)
	}
	wantNames(t, path, filepath.Base(path))
}

// TestObjectChanges: a second answer is of another version. Nothing of it comes into the file.
func TestObjectChanges(t *testing.T) {
	f := farm.New()
	defer f.Close()
	one, two := content(16<<20), bytes.Repeat([]byte("2"), 16<<20)
	f.Serve("/x", farm.Then(farm.Resource{Body: one, BreakAt: 3 << 20}, farm.Resource{Body: two}))
	path := filepath.Join(t.TempDir(), "x")
	done, err := download(t.Context(), t, path, &ObjectOptions{Hashes: sha256Only, Connections: 4}, f.URL("/x"))
	if !errors.Is(err, source.ErrChanged) {
		t.Fatalf("%+v, %v", done, err)
	}
	if done.Size > 0 {
		wantLeft(t, path, one, done.Size)
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
	set := new(checksum.Set)
	must(t, set.Compute(checksum.SHA256))
	d := newDigester(set)
	d.file, d.free, d.told = part, func([]byte) {}, func(int64, int) {}
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
	sum, _ := set.Sum(checksum.SHA256)
	if want := sha256.Sum256(data); d.err != nil || !bytes.Equal(sum.Value, want[:]) {
		t.Errorf("%v, %v", sum, d.err)
	}
}
