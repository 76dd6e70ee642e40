package spate

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"spate/event"
	"spate/fetch"
	"spate/fetch/journal"
	"spate/internal/farm"
	"spate/source"
)

// wantResult checks what Get tells of whole files with these contents.
func wantResult(t *testing.T, res *Result, contents ...string) {
	t.Helper()
	all := strings.Join(contents, "")
	if res.Files != int64(len(contents)) || len(res.Paths) != len(contents) || res.Bytes != int64(len(all)) || res.Part != "" {
		t.Errorf("result %+v, want %d files, %d bytes", res, len(contents), len(all))
	}
	if len(contents) == 0 {
		if res.SHA256 != nil {
			t.Errorf("SHA256 %x of nothing", res.SHA256)
		}
		return
	}
	sum := sha256.Sum256([]byte(all))
	sameBytes(t, res.SHA256, sum[:])
}

func TestGet(t *testing.T) {
	origin := newFarm(t)
	text := strings.Repeat("all of it, ", 30_000)
	origin.Serve("/text", farm.Resource{Body: []byte(text)})
	origin.Serve("/empty", farm.Resource{})
	origin.Serve("/named", farm.Resource{Body: []byte("named"), Disposition: `attachment; filename="../b.txt"`})
	origin.Serve("/moved", farm.Resource{Redirect: "/text"})
	tests := []struct {
		name, url, path string
		opts            *GetOptions
		file, content   string
	}{
		{"with a path", "/text", "FILE", nil, "FILE", text},
		{"by the URL", "/text", "", &GetOptions{}, "text", text},
		{"empty", "/empty", "", &GetOptions{}, "empty", ""},
		{"by the origin", "/named", "", &GetOptions{}, "b.txt", "named"},
		{"not by the origin", "/named", "", &GetOptions{NoContentDisposition: true}, "named", "named"},
		{"redirected", "/moved", "", &GetOptions{}, "moved", text},
		{"a path wins", "/named", "FILE", nil, "FILE", "named"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			path := test.path
			if path != "" {
				path = filepath.Join(dir, path)
			} else {
				test.opts.Dir = dir
			}
			res, err := newClient(t).Get(t.Context(), origin.URL(test.url), path, test.opts)
			must(t, err)
			wantFiles(t, dir, map[string]string{test.file: test.content})
			wantResult(t, res, test.content)
			wantStrings(t, "paths", res.Paths, filepath.Join(dir, test.file))
			if res.Stats.Opens == 0 || res.Stats.Parts != 1 {
				t.Errorf("stats %+v", res.Stats)
			}
		})
	}
}

func TestGetIntoTheCurrentFolder(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	c := &Client{Source: shelf{"x://host/a/text": "text"}}
	res, err := c.Get(t.Context(), "x://host/a/text", "", nil)
	must(t, err)
	wantFiles(t, dir, map[string]string{"text": "text"})
	wantStrings(t, "paths", res.Paths, "text")
}

func TestGetSequence(t *testing.T) {
	many := make([]string, 25)
	for i := range many {
		many[i] = fmt.Sprintf("frame %d", i+1)
	}
	tests := []struct {
		name  string
		files []string
	}{
		{"no file", nil},
		{"one", []string{"only"}},
		{"files without bytes", []string{"", "a", ""}},
		{"many", many},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			c := &Client{Source: shelf{"x://host/cats-seq": packed(test.files...)}}
			res, err := c.Get(t.Context(), "x://host/cats-seq", "", &GetOptions{Dir: dir})
			must(t, err)
			want, paths := map[string]string{}, []string(nil)
			for i, text := range test.files {
				name := fmt.Sprintf("cats-seq-file%d", i+1)
				want[name] = text
				paths = append(paths, filepath.Join(dir, name))
			}
			wantFiles(t, dir, want)
			wantResult(t, res, test.files...)
			wantStrings(t, "paths", res.Paths, paths...)
		})
	}
}

func TestGetSequenceMode(t *testing.T) {
	stream := packed("one", "two")
	tests := []struct {
		name, url string
		mode      SeqMode
		sequence  bool
	}{
		{"auto, -seq", "x://host/a-seq", SeqAuto, true},
		{"auto, -seq in the middle", "x://host/cats.png-seq.py?n=1", SeqAuto, true},
		{"auto, -seq in the query", "x://host/gen?name=a-seq", SeqAuto, true},
		{"auto, none", "x://host/a", SeqAuto, false},
		{"on", "x://host/a", SeqOn, true},
		{"off", "x://host/a-seq", SeqOff, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			c := &Client{Source: shelf{test.url: stream}}
			_, err := c.Get(t.Context(), test.url, filepath.Join(dir, "FILE"), &GetOptions{Sequence: test.mode})
			must(t, err)
			if test.sequence {
				wantFiles(t, dir, map[string]string{"FILE-file1": "one", "FILE-file2": "two"})
			} else {
				wantFiles(t, dir, map[string]string{"FILE": stream})
			}
		})
	}
}

// It is the URL that was asked for that says whether there is a sequence, not where it leads.
func TestGetRedirectToSequence(t *testing.T) {
	origin := newFarm(t)
	stream := packed("one")
	origin.Serve("/plain", farm.Resource{Redirect: "/a-seq"})
	origin.Serve("/a-seq", farm.Resource{Body: []byte(stream)})
	dir := t.TempDir()
	_, err := newClient(t).Get(t.Context(), origin.URL("/plain"), "", &GetOptions{Dir: dir})
	must(t, err)
	wantFiles(t, dir, map[string]string{"plain": stream})
}

func TestGetExisting(t *testing.T) {
	src := shelf{"x://host/text": "new", "x://host/cats-seq": packed("new1", "new2", "new3")}
	tests := []struct {
		name, url, old string // old is the file that exists
		ifExists       IfExists
		want           map[string]string
	}{
		{"single", "x://host/text", "FILE", ExistsResume, map[string]string{"FILE": "old"}},
		{"single, overwritten", "x://host/text", "FILE", ExistsOverwrite, map[string]string{"FILE": "new"}},
		{"single, skipped", "x://host/text", "FILE", ExistsSkip, map[string]string{"FILE": "old"}},
		{"single, renamed", "x://host/text", "FILE", ExistsRename, map[string]string{"FILE": "old", "FILE.1": "new"}},
		{"single, not newer", "x://host/text", "FILE", ExistsNewer, map[string]string{"FILE": "old"}},
		{"single, fail", "x://host/text", "FILE", ExistsFail, map[string]string{"FILE": "old"}},
		{"first of a sequence", "x://host/cats-seq", "FILE-file1", ExistsResume, map[string]string{"FILE-file1": "old"}},
		{"later one", "x://host/cats-seq", "FILE-file3", ExistsResume,
			map[string]string{"FILE-file1": "new1", "FILE-file2": "new2", "FILE-file3": "old"}},
		{"sequence, overwritten", "x://host/cats-seq", "FILE-file2", ExistsOverwrite,
			map[string]string{"FILE-file1": "new1", "FILE-file2": "new2", "FILE-file3": "new3"}},
		{"of another sequence", "x://host/cats-seq", "FILE-file4", ExistsResume,
			map[string]string{"FILE-file1": "new1", "FILE-file2": "new2", "FILE-file3": "new3", "FILE-file4": "old"}},
		{"FILE itself is not written", "x://host/cats-seq", "FILE", ExistsResume,
			map[string]string{"FILE": "old", "FILE-file1": "new1", "FILE-file2": "new2", "FILE-file3": "new3"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			must(t, os.WriteFile(filepath.Join(dir, test.old), []byte("old"), 0o600))
			_, err := (&Client{Source: src}).Get(t.Context(), test.url, filepath.Join(dir, "FILE"), &GetOptions{IfExists: test.ifExists})
			wantFiles(t, dir, test.want)
			refused := (test.ifExists == ExistsResume || test.ifExists == ExistsFail) && test.want[test.old] == "old" && test.old != "FILE-file4" && (test.old != "FILE" || test.url == "x://host/text")
			if refused != errors.Is(err, ErrExists) || refused != (err != nil) {
				t.Errorf("error %v", err)
			}
		})
	}
}

// An output that cannot be written is found before anything is asked for, where its name is known.
func TestGetLooksFirst(t *testing.T) {
	origin := newFarm(t)
	origin.Serve("/", farm.Resource{Body: []byte(packed("new"))})
	dir := t.TempDir()
	for _, name := range []string{"FILE", "FILE-file1"} {
		must(t, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
	}
	c := newClient(t)
	tests := []struct {
		name, url, path string
		want            error
	}{
		{"exists", "/text", filepath.Join(dir, "FILE"), ErrExists},
		{"exists, of a sequence", "/text-seq", filepath.Join(dir, "FILE"), ErrExists},
		{"folder", "/text", dir, syscall.EISDIR},
		{"no folder", "/text", filepath.Join(dir, "missing", "FILE"), fs.ErrNotExist},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			res, err := c.Get(t.Context(), origin.URL(test.url), test.path, nil)
			if !errors.Is(err, test.want) {
				t.Errorf("error %v, want %v", err, test.want)
			}
			if _, ok := errors.AsType[*fs.PathError](err); !ok {
				t.Errorf("error %T is no *fs.PathError", err)
			}
			wantResult(t, res)
		})
	}
	if n := origin.Requests("/"); n != 0 {
		t.Errorf("%d requests", n)
	}
}

func TestGetInUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "FILE")
	other, err := fetch.Create(path, nil)
	must(t, err)
	defer other.Discard()
	c := &Client{Source: shelf{"x://host/text": "text"}}
	if _, err := c.Get(t.Context(), "x://host/text", path, nil); !errors.Is(err, ErrInUse) {
		t.Errorf("error %v, want ErrInUse", err)
	}
}

func TestGetFailures(t *testing.T) {
	origin := newFarm(t)
	origin.Serve("/cut", farm.Resource{Body: []byte("half of it"), BreakAt: 4})
	origin.Serve("/cut-at-once", farm.Resource{Body: []byte("none of it"), BreakAt: farm.AtOnce})
	sequence := packed("one", "two", "three")
	origin.Serve("/cut-seq", farm.Resource{Body: []byte(sequence), BreakAt: int64(len(sequence)) - 2})
	origin.Serve("/short-seq", farm.Resource{Body: []byte(sequence[:len(sequence)-2])})
	tests := []struct {
		name, url string
		want      map[string]string
		part      string
	}{
		{"missing", "/missing", nil, ""},
		{"cut", "/cut", nil, "half"},
		{"cut before the first byte", "/cut-at-once", nil, ""},
		{"sequence, cut", "/cut-seq", map[string]string{"FILE-file1": "one", "FILE-file2": "two"}, ""},
		{"sequence, too short", "/short-seq", map[string]string{"FILE-file1": "one", "FILE-file2": "two"}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			res, err := newClient(t).Get(t.Context(), origin.URL(test.url), filepath.Join(dir, "FILE"), &GetOptions{RetryMax: -1})
			if err == nil || errors.Is(err, ErrLimit) {
				t.Errorf("error %v", err)
			}
			if test.part != "" {
				wantPart(t, dir, test.part)
			} else {
				wantFiles(t, dir, test.want)
			}
			if (res.Part != "") != (test.part != "") {
				t.Errorf("result %+v", res)
			}
		})
	}
}

// wantPart checks what an object has left: its bytes, and the journal.
func wantPart(t *testing.T, dir, text string) {
	t.Helper()
	_, err := journal.Read(filepath.Join(dir, "FILE"+journal.Ext))
	must(t, err)
	must(t, os.Remove(filepath.Join(dir, "FILE"+journal.Ext)))
	wantFiles(t, dir, map[string]string{"FILE.part": text})
}

// What an earlier call has left is begun anew where it cannot be gone on with.
func TestGetAgain(t *testing.T) {
	origin := newFarm(t)
	text := farm.Resource{Body: []byte("half of it"), NoRange: true}
	cut := text
	cut.BreakAt, cut.BreakTimes = 4, 0
	origin.Serve("/text", cut)
	dir := t.TempDir()
	path := filepath.Join(dir, "FILE")
	c := newClient(t)
	if _, err := c.Get(t.Context(), origin.URL("/text"), path, &GetOptions{RetryMax: -1}); err == nil {
		t.Fatal("no error")
	}
	wantPart(t, dir, "half")
	origin.Serve("/text", text)
	res, err := c.Get(t.Context(), origin.URL("/text"), path, nil)
	must(t, err)
	wantFiles(t, dir, map[string]string{"FILE": "half of it"})
	wantResult(t, res, "half of it")
}

func TestGetEvents(t *testing.T) {
	var rec recorder
	dir := t.TempDir()
	c := &Client{Source: shelf{"x://host/text": "text", "x://host/a-seq": packed("one", "", "three")}}
	c.Options.Events = rec.sink
	_, err := c.Get(t.Context(), "x://host/text", filepath.Join(dir, "single"), nil)
	must(t, err)
	_, err = c.Get(t.Context(), "x://host/a-seq", filepath.Join(dir, "frames"), nil)
	must(t, err)
	_, err = c.Get(t.Context(), "x://host/text", filepath.Join(dir, "single"), nil)
	if !errors.Is(err, ErrExists) {
		t.Fatal(err)
	}
	var paths []string
	for _, e := range rec.of(event.File) {
		paths = append(paths, fmt.Sprintf("%s %d %.4s", filepath.Base(e.Path), e.Bytes, e.SHA256))
	}
	wantStrings(t, "files", paths, "single 4 982d", "frames-file1 3 ", "frames-file2 0 ", "frames-file3 5 ")
	done := rec.of(event.Done)
	if len(done) != 2 || done[0].Bytes != 4 || done[1].Bytes != 8 {
		t.Errorf("done: %+v", done)
	}
}

func TestGetManyFilesTellsOfSome(t *testing.T) {
	g := getter{c: new(Client)}
	for range maxPaths + 5 {
		g.finished("path", 1, nil)
	}
	if len(g.done.Paths) != maxPaths || g.done.Files != maxPaths+5 || g.done.Bytes != maxPaths+5 {
		t.Errorf("%d paths, %d files, %d bytes", len(g.done.Paths), g.done.Files, g.done.Bytes)
	}
}

func TestSourceErrorsStayWhatTheyAre(t *testing.T) {
	c := &Client{Source: shelf{}}
	_, err := c.Get(t.Context(), "x://host/missing", filepath.Join(t.TempDir(), "FILE"), nil)
	if e, ok := errors.AsType[*source.Error](err); !ok || e.Status != 404 {
		t.Errorf("error %v", err)
	}
}

// Mirrors are not passed over in silence where they would be of no use.
func TestGetMirrorsOfWhatIsReadInOrder(t *testing.T) {
	origin := newFarm(t)
	origin.Serve("/x", farm.Resource{Body: []byte("text")})
	for _, opts := range []GetOptions{{Limits: Limits{Bytes: 2}}, {}} {
		url := origin.URL("/x")
		if opts.Limits.Bytes == 0 {
			url += "#size=4"
		}
		opts.Mirrors = []Mirror{{URL: origin.URL("/y")}}
		dir := t.TempDir()
		_, err := newClient(t).Get(t.Context(), url, filepath.Join(dir, "FILE"), &opts)
		if e, ok := errors.AsType[*source.Error](err); !ok || e.Kind != source.KindMalformed {
			t.Errorf("%s: error %v", url, err)
		}
		wantFiles(t, dir, nil)
	}
	if n := origin.Requests("/x"); n > 0 {
		t.Errorf("%d requests", n)
	}
}

// Of what somebody has removed nothing is said to be left.
func TestGetRemovedMeanwhile(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	waits := make(chan struct{}, 1)
	go func() {
		<-waits
		for os.Remove(filepath.Join(dir, "FILE"+fetch.Ext)) != nil && ctx.Err() == nil {
			runtime.Gosched() // what was read is about to be written
		}
		cancel()
	}()
	c := &Client{Source: source.Func(func(ctx context.Context, raw string, rng source.Range) (*source.Resource, error) {
		if raw == "x:a" {
			body := newSilentBody(ctx, "some")
			body.waits = waits
			return &source.Resource{Info: source.Info{URL: raw, Size: -1}, Len: -1, Body: body}, nil
		}
		return shelf{"x:m.parts": "x:a\n"}.Open(ctx, raw, rng)
	})}
	defer c.CloseIdleConnections()
	res, err := c.Get(ctx, "x:m.parts", filepath.Join(dir, "FILE"), nil)
	if !errors.Is(err, context.Canceled) || res.Part != "" {
		t.Errorf("%+v, %v", res, err)
	}
}
