package spate

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"spate/fetch"
	"spate/fetch/journal"
	"spate/format/checksum"
	"spate/format/metalink"
	"spate/format/span"
	"spate/internal/farm"
	"spate/source"
)

// planned is what is asked for in TestPlanIsWhatGetDoes; path is within a folder of its own.
type plannedGet struct {
	name    string
	there   func(t *testing.T, path string) // makes what is there
	url     string
	path    string // "FILE", or "" for Get to find one
	opts    GetOptions
	err     error
	left    int64
	dropped int64
	skipped bool
	files   int
	mirrors int
}

// begin leaves 1 MiB of data, of the object at url with that validator, from off on.
func begin(t *testing.T, path, url, validator string, data []byte, off int64) {
	t.Helper()
	begun := span.Span{Off: off, End: off + 1<<20}
	part := make([]byte, len(data))
	copy(part[begun.Off:], data[begun.Off:begun.End])
	must(t, os.WriteFile(path+fetch.Ext, part, 0o666))
	j, err := journal.Create(path+journal.Ext, &journal.State{Header: journal.Header{
		Origins: []journal.Origin{{URL: url, Validator: validator}}, Size: int64(len(data))}})
	must(t, err)
	must(t, j.Add(begun, journal.Checksum(part[begun.Off:begun.End])))
	must(t, j.Close())
}

func write(name, text string) func(*testing.T, string) {
	return func(t *testing.T, path string) { must(t, os.WriteFile(path+name, []byte(text), 0o600)) }
}

// The same call of Plan and of Get: the former changes nothing, and says what the latter does.
func TestPlanIsWhatGetDoes(t *testing.T) {
	data := noise(3 << 20)
	text := []byte("text")
	origin, p := newFarm(t), newParted(t, 3)
	origin.Serve("/big", farm.Resource{Body: data})
	origin.Serve("/text", farm.Resource{Body: text, ModTime: time.Now().Add(-time.Hour).Truncate(time.Second)})
	origin.Serve("/same", farm.Resource{Body: text})
	origin.Serve("/a-seq", farm.Resource{Body: []byte(packed("one", "two"))})
	origin.Serve("/x.meta4", farm.Resource{Body: described(t, "FILE", data, 1<<20, origin.URL("/gone"), origin.URL("/big"))})
	origin.Serve("/linked", farm.Resource{Body: text, Header: http.Header{"Link": {
		fmt.Sprintf("<%s>; rel=describedby; type=%q", origin.URL("/about"), metalink.MediaType),
		fmt.Sprintf("<%s>; rel=duplicate", origin.URL("/same"))}}})
	origin.Serve("/about", farm.Resource{Body: described(t, "linked", text, 0, origin.URL("/text")), MediaType: metalink.MediaType})
	sum := sha256.Sum256(text)
	right := []checksum.Sum{{Algorithm: checksum.SHA256, Value: sum[:]}}
	wrong := []checksum.Sum{{Algorithm: checksum.SHA256, Value: make([]byte, 32)}}
	begun := func(off int64) func(*testing.T, string) {
		return func(t *testing.T, path string) { begin(t, path, origin.URL("/big"), "", data, off) }
	}
	inUse := func(t *testing.T, path string) {
		f, err := fetch.Create(path, nil)
		must(t, err)
		t.Cleanup(func() { f.Discard() })
	}
	old := func(t *testing.T, path string) {
		write("", "old")(t, path)
		long := time.Now().Add(-48 * time.Hour)
		must(t, os.Chtimes(path, long, long))
	}
	for _, test := range []plannedGet{
		{name: "new", url: "/text", path: "FILE", files: 1},
		{name: "by its name", url: "/text", files: 1},
		{name: "with mirrors", url: "/text", path: "FILE", opts: GetOptions{Mirrors: []Mirror{{URL: origin.URL("/same")}}}, files: 1, mirrors: 1},
		{name: "the first mirror is gone", url: "/gone", path: "FILE", opts: GetOptions{Mirrors: []Mirror{{URL: origin.URL("/text")}}}, files: 1, mirrors: 1},
		{name: "mirrors of a manifest", url: "/m.parts", path: "FILE", opts: GetOptions{Mirrors: []Mirror{{URL: origin.URL("/text")}}}, err: errAlone},
		{name: "there", there: write("", "old"), url: "/text", path: "FILE", err: fs.ErrExist, files: 1},
		{name: "there with its checksum", there: write("", "text"), url: "/text", path: "FILE", opts: GetOptions{Checksums: right}, skipped: true, files: 1},
		{name: "there without it", there: write("", "text"), url: "/text", path: "FILE", opts: GetOptions{Checksums: wrong}, err: fs.ErrExist, files: 1},
		{name: "skipped", there: write("", "old"), url: "/gone", path: "FILE", opts: GetOptions{IfExists: ExistsSkip}, skipped: true, files: 1},
		{name: "overwritten", there: write("", "old"), url: "/text", path: "FILE", opts: GetOptions{IfExists: ExistsOverwrite}, files: 1},
		{name: "renamed", there: write("", "old"), url: "/text", path: "FILE", opts: GetOptions{IfExists: ExistsRename}, files: 1},
		{name: "newer", there: old, url: "/text", path: "FILE", opts: GetOptions{IfExists: ExistsNewer}, files: 1},
		{name: "not newer", there: write("", "old"), url: "/text", path: "FILE", opts: GetOptions{IfExists: ExistsNewer}, skipped: true, files: 1},
		{name: "to fail", there: begun(0), url: "/big", path: "FILE", opts: GetOptions{IfExists: ExistsFail}, err: fs.ErrExist, files: 1},
		{name: "without a journal", there: write(fetch.Ext, "te"), url: "/text", path: "FILE", dropped: 2, files: 1},
		{name: "gone on with", there: begun(0), url: "/big", path: "FILE", left: 1 << 20, files: 1},
		{name: "gone on with by its name", there: func(t *testing.T, path string) {
			begin(t, filepath.Join(filepath.Dir(path), "big"), origin.URL("/big"), "", data, 1<<20)
		}, url: "/big", left: 1 << 20, files: 1},
		{name: "begun anew", there: begun(0), url: "/big", path: "FILE", opts: GetOptions{IfExists: ExistsOverwrite}, dropped: 3 << 20, files: 1},
		{name: "begun of another size", there: begun(0), url: "/text", path: "FILE", err: source.ErrChanged, files: 1},
		{name: "begun over several connections, in order", there: begun(1 << 20), url: "/big#x", path: "FILE", err: source.ErrChanged, files: 1},
		{name: "begun elsewhere and limited", there: begun(1 << 20), url: "/big", path: "FILE", opts: GetOptions{Limits: Limits{FileSize: 1000}}, err: ErrLimit, files: 1},
		{name: "in use", there: inUse, url: "/text", path: "FILE", err: ErrInUse, files: 1},
		{name: "in use, to be overwritten", there: inUse, url: "/text", path: "FILE", opts: GetOptions{IfExists: ExistsOverwrite}, err: ErrInUse, files: 1},
		{name: "a journal that is none", there: write(journal.Ext, "my notes"), url: "/text", path: "FILE", err: journal.ErrCorrupt, files: 1},
		{name: "a journal's name is a folder", there: func(t *testing.T, path string) { must(t, os.Mkdir(path+journal.Ext, 0o700)) }, url: "/text", path: "FILE",
			err: journal.ErrCorrupt, files: 1},
		{name: "a part that is a link", there: func(t *testing.T, path string) { must(t, os.Symlink("elsewhere", path+fetch.Ext)) }, url: "/text", path: "FILE",
			err: fs.ErrInvalid, files: 1},
		{name: "gone", url: "/gone", path: "FILE", err: fs.ErrNotExist},
		{name: "a manifest", url: "/m.parts", path: "FILE", files: 1},
		{name: "a manifest that was begun", there: func(t *testing.T, path string) { p.cut(t, filepath.Dir(path), 20_000) }, url: "/m.parts", path: "FILE",
			left: 20_000, files: 1},
		{name: "a sequence", url: "/a-seq", path: "FILE", files: 1},
		{name: "a sequence that is there", there: write("-file1", "one"), url: "/a-seq", path: "FILE", err: fs.ErrExist, files: 1},
		{name: "a sequence in use", there: func(t *testing.T, path string) { inUse(t, path+"-file1") }, url: "/a-seq", path: "FILE", err: ErrInUse, files: 1},
		{name: "a Metalink file", url: "/x.meta4", path: "FILE", files: 1, mirrors: 1},
		{name: "a Metalink file, its name", url: "/x.meta4", files: 1, mirrors: 1},
		{name: "what a Metalink file describes is there", there: func(t *testing.T, path string) { must(t, os.WriteFile(path, data, 0o600)) },
			url: "/x.meta4", path: "FILE", skipped: true, files: 1, mirrors: 1},
		{name: "what a Metalink file describes is another", there: write("", "old"), url: "/x.meta4", path: "FILE", err: fs.ErrExist, files: 1, mirrors: 1},
		{name: "linked", url: "/linked", path: "FILE", files: 1, mirrors: 2},
		{name: "to find a checksum", url: "/text", path: "FILE", opts: GetOptions{FindChecksum: true}, err: fs.ErrNotExist},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, origin, p) })
	}
}

func (test *plannedGet) run(t *testing.T, origin *farm.Farm, p *parted) {
	dir := t.TempDir()
	file := filepath.Join(dir, "FILE")
	if test.there != nil {
		test.there(t, file)
	}
	test.opts.Dir, test.opts.RetryMax = dir, -1
	url, path := origin.URL(test.url), ""
	if test.url == "/m.parts" {
		url = p.URL(test.url)
	}
	if test.path != "" {
		path = file
	}
	before := snapshot(t, dir)
	c := newClient(t)
	plans, planErr := c.Plan(t.Context(), url, path, &test.opts)
	if after := snapshot(t, dir); !slices.Equal(before, after) {
		t.Errorf("Plan has made %q of %q", after, before)
	}
	left, err := os.ReadDir(dir)
	must(t, err)
	res, getErr := c.Get(t.Context(), url, path, &test.opts)
	for _, err := range []error{planErr, getErr} {
		if test.err == fs.ErrInvalid && err != nil { // an error without a name
			continue
		}
		if !errors.Is(err, test.err) {
			t.Errorf("error %v, want %v", err, test.err)
		}
	}
	if len(plans) != test.files {
		t.Fatalf("%d plans, want %d", len(plans), test.files)
	}
	for _, p := range plans {
		if p.Left != test.left || p.Dropped != test.dropped || p.Skipped != test.skipped || len(p.Mirrors) != test.mirrors || (p.Err == nil) != (planErr == nil) {
			t.Errorf("%+v, want %+v", p, test)
		}
		if len(res.Skipped) > 0 != p.Skipped || res.Resumed != p.Left {
			t.Errorf("%+v of Plan, %+v of Get", p, res)
		}
		if getErr == nil && !p.Skipped && !slices.Contains(res.Paths, p.first()) {
			t.Errorf("planned %s, done %q", p.first(), res.Paths)
		}
		if exists := slices.ContainsFunc(left, func(e fs.DirEntry) bool { return e.Name() == filepath.Base(p.first()) }); p.Exists != exists {
			t.Errorf("exists: %v, of %v", p.Exists, left)
		}
	}
}

// snapshot is what is in dir: names, modes, times and contents.
func snapshot(t *testing.T, dir string) []string {
	t.Helper()
	all := map[string]string{}
	must(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		all[path] = fmt.Sprint(path, " ", info.Mode(), " ", info.ModTime().UnixNano(), " ", info.Size())
		if info.Mode().IsRegular() {
			b, err := os.ReadFile(path)
			must(t, err)
			all[path] += fmt.Sprintf(" %x", sha256.Sum256(b))
		}
		return nil
	}))
	return slices.Sorted(maps.Values(all))
}
