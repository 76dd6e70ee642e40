package fetch

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"spate/event"
	"spate/fetch/journal"
	"spate/format/checksum"
	"spate/internal/farm"
	"spate/source"
	"spate/source/httpsource"
)

var year2020 = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

// A scene is an object at several origins.
type scene struct {
	t     *testing.T
	data  []byte
	farms []*farm.Farm
	urls  []string
	src   source.Source

	elsewhere string // the URL of the object at an origin that is none of the farms
}

// whole is what objects are the beginnings of: shared, since what tests hold in parallel is kept until all are over.
var whole = content(16*MiB + 1)

// usualRate is slow enough that several connections have something to do.
const usualRate = 24 * MiB

func newScene(t *testing.T, data []byte, has ...farm.Resource) *scene {
	s := &scene{t: t, data: data}
	s.elsewhere = s.origin(farm.Resource{}).URL("/x")
	for _, r := range has {
		f := s.origin(r)
		f.Serve("/chain/2", farm.Resource{Redirect: "1", Status: 307})
		f.Serve("/chain/1", farm.Resource{Redirect: "/end", Status: 308})
		f.Serve("/end", s.fill(farm.Resource{}))
		s.farms, s.urls = append(s.farms, f), append(s.urls, f.URL("/x"))
	}
	src := httpsource.New(nil)
	t.Cleanup(src.CloseIdleConnections)
	s.src = src
	return s
}

func (s *scene) origin(r farm.Resource) *farm.Farm {
	f := farm.New()
	s.t.Cleanup(f.Close)
	f.Serve("/x", s.fill(r))
	return f
}

// fill gives r, and what it changes to, the object and a rate where it has none.
func (s *scene) fill(r farm.Resource) farm.Resource {
	if change := r.Changes; change != nil {
		r.Changes = func(n int) farm.Resource { return s.fill(change(n)) }
		return r
	}
	if r.Machines != nil {
		machines := make([]farm.Resource, len(r.Machines))
		for i, m := range r.Machines {
			machines[i] = s.fill(m)
		}
		r.Machines = machines
		return r
	}
	if r.Body == nil {
		r.Body = s.data
	}
	r.Redirect = strings.Replace(r.Redirect, "$elsewhere", s.elsewhere, 1)
	r.Rate = cmp.Or(r.Rate, usualRate)
	return r
}

// patience is for a download that does not end.
const patience = 45 * time.Second // a mirror that failed three times is asked again after 30 s

var errPatience = errors.New("it does not end")

// An outcome is what a download has left behind.
type outcome struct {
	path   string
	done   *Done
	err    error
	mu     sync.Mutex
	events []event.Event
}

// get downloads the object over n connections, as many as pay if n is 0.
func (s *scene) get(n int) *outcome {
	s.t.Helper()
	o := &outcome{path: filepath.Join(s.t.TempDir(), "x")}
	ctx, cancel := context.WithTimeoutCause(s.t.Context(), patience, errPatience)
	defer cancel()
	var mirrors []Mirror
	for _, url := range s.urls {
		mirrors = append(mirrors, Mirror{URL: url})
	}
	s.into(ctx, o, mirrors, &ObjectOptions{Hashes: sha256Only, Connections: n, MinRange: 256 << 10, Events: o.note})
	return o
}

// into goes on with what is left, if there is anything.
func (s *scene) into(ctx context.Context, o *outcome, mirrors []Mirror, opts *ObjectOptions) {
	var err error
	opts.Left, err = Resume(s.t.Context(), o.path, nil) // ctx may end at any time
	must(s.t, err)
	object, err := OpenObject(ctx, s.src, mirrors, opts)
	if err != nil {
		o.err = err
		if opts.Left != nil {
			must(s.t, opts.Left.Keep())
		}
		return
	}
	defer object.Close()
	file := opts.Left
	if file == nil {
		file, err = Create(o.path, nil)
		must(s.t, err)
	}
	o.done, o.err = object.To(file)
}

func (o *outcome) note(e event.Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.events = append(o.events, e)
}

// wantFile is for what has gone well.
func (o *outcome) wantFile(t *testing.T, want []byte) {
	t.Helper()
	if o.err != nil {
		t.Fatalf("%v; %+v", causes(o.err), o.events)
	}
	got, err := os.ReadFile(o.path)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes, want %d, the first that differs is %d; %v", len(got), len(want), differ(got, want), err)
	}
	if sum := sha256.Sum256(want); !bytes.Equal(o.done.Digest(checksum.SHA256), sum[:]) || o.done.Size != int64(len(want)) {
		t.Errorf("told of %d bytes, %x", o.done.Size, o.done.Digest(checksum.SHA256))
	}
	wantNames(t, o.path, filepath.Base(o.path))
}

// wantLeft is for what has failed: there is nothing under the final name, and what the journal says is left is right.
func (o *outcome) wantLeft(t *testing.T, want []byte) {
	t.Helper()
	if o.err == nil || errors.Is(o.err, errPatience) {
		t.Fatalf("%v; %+v; %+v", o.err, o.done, o.events)
	}
	if o.done == nil || o.done.Size == 0 {
		wantNames(t, o.path)
		return
	}
	name := filepath.Base(o.path)
	left, err := journal.Read(o.path + journal.Ext)
	if errors.Is(err, fs.ErrNotExist) && o.begunWithoutSize() {
		wantNames(t, o.path, name+Ext)
		return
	}
	must(t, err)
	wantNames(t, o.path, name+Ext, name+journal.Ext)
	if n := left.Covered().Bytes(); n != o.done.Size {
		t.Errorf("%d bytes are left, %d are told", n, o.done.Size)
	}
	if x, ok := o.wrong(want, left.Ranges); !ok {
		t.Errorf("of %v are left others", x)
	}
}

// begunWithoutSize reports whether the first answer told no size.
func (o *outcome) begunWithoutSize() bool {
	return slices.ContainsFunc(o.events, func(e event.Event) bool { return e.Type == event.Begin && e.Size < 0 })
}

// wrong is what of the ranges of FILE.part differs from want; ok is true where nothing does.
func (o *outcome) wrong(want []byte, ranges []journal.Range) (x journal.Range, ok bool) {
	got := read(o.path + Ext)
	for _, x := range ranges {
		if x.End > int64(min(len(got), len(want))) || !bytes.Equal(got[x.Off:x.End], want[x.Off:x.End]) {
			return x, false
		}
	}
	return x, true
}

// read is what is in the file, if it is there.
func read(name string) []byte {
	b, _ := os.ReadFile(name)
	return b
}

// differ is the first offset at which a and b differ.
func differ(a, b []byte) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// causes is err with what is behind it.
func causes(err error) string {
	if m, ok := errors.AsType[*MirrorsError](err); ok {
		return fmt.Sprint(err, m.Errs)
	}
	return err.Error()
}
