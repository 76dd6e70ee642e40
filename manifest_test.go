package spate

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"spate/assemble"
	"spate/format/manifest"
	"spate/internal/farm"
	"spate/source"
	"spate/source/filesource"
)

// promised is an alternative with the digest and the size of want.
func promised(url, want string) string {
	return fmt.Sprintf("%s#sha256=%x&size=%d", url, sha256.Sum256([]byte(want)), len(want))
}

// The manifest of the lab sheet, with what can be wrong with a mirror.
func TestManifestOfMirrors(t *testing.T) {
	mine, yours := newFarm(t), newFarm(t)
	verse := strings.Repeat("verse ", 10_000)
	yours.Serve("/verse", farm.Resource{Body: []byte(verse)})
	mine.Serve("/breaks", farm.Resource{Body: []byte(verse), BreakAt: 7777})
	mine.Serve("/chorus", farm.Resource{Body: []byte("chorus")})
	mine.Serve("/inner.parts", farm.Resource{Body: []byte("/chorus\n--\n" + yours.URL("/verse"))})
	mine.Serve("/song.txt.parts", farm.Resource{Body: []byte(strings.Join([]string{
		farm.Dead() + "/verse", "http://[", mine.URL("/missing"), mine.URL("/breaks"), yours.URL("/verse"),
		"--", "chorus",
		"--", "inner.parts",
		"--", "(*)", promised(yours.URL("/verse"), verse),
	}, "\n"))})
	want := verse + "chorus" + "chorus" + verse + verse
	c := newClient(t)
	dir := t.TempDir()
	res, err := c.Get(t.Context(), mine.URL("/song.txt.parts"), "", &GetOptions{Dir: dir})
	must(t, err)
	wantFiles(t, dir, map[string]string{"song.txt": want})
	wantResult(t, res, want)
	if res.Stats.Parts != 5 || res.Stats.Failures < 4 || len(res.Stats.Origins) != 2 {
		t.Errorf("stats %+v", res.Stats)
	}
	s, err := c.Open(t.Context(), mine.URL("/song.txt.parts"))
	must(t, err)
	defer s.Close()
	if s.Info().Size != -1 {
		t.Errorf("Size %d of a manifest, want -1", s.Info().Size)
	}
	if got := readAll(t, s); got != want {
		t.Errorf("read %d bytes, want %d", len(got), len(want))
	}
}

func TestManifestOfASequence(t *testing.T) {
	origin := newFarm(t)
	stream := packed("one", "", "three")
	origin.Serve("/cats-seq.parts", farm.Resource{Body: []byte("p1\n--\np2\n--\np3\n")})
	for i, part := range []string{stream[:2], stream[2:9], stream[9:]} { // files know nothing of parts
		origin.Serve(fmt.Sprintf("/p%d", i+1), farm.Resource{Body: []byte(part)})
	}
	dir := t.TempDir()
	res, err := newClient(t).Get(t.Context(), origin.URL("/cats-seq.parts"), "", &GetOptions{Dir: dir})
	must(t, err)
	wantFiles(t, dir, map[string]string{"cats-seq-file1": "one", "cats-seq-file2": "", "cats-seq-file3": "three"})
	wantResult(t, res, "one", "", "three")
}

// An endless animation of one frame, as the lab has it: each frame is asked for once.
func TestEndlessManifestOfASequence(t *testing.T) {
	origin := newFarm(t)
	origin.Serve("/cats-seq.parts", farm.Resource{Body: []byte("(*)\nframe\n--\ncats-seq.parts\n")})
	origin.Serve("/frame", farm.Resource{Body: []byte(packed("frame"))})
	dir := t.TempDir()
	res, err := newClient(t).Get(t.Context(), origin.URL("/cats-seq.parts"), "", &GetOptions{Dir: dir, Limits: Limits{Files: 30}})
	if !errors.Is(err, ErrLimit) || res.Files != 30 {
		t.Errorf("%+v, %v", res, err)
	}
	if n := origin.Requests("/frame"); n != 1 {
		t.Errorf("%d requests for the frame, want 1", n)
	}
	n := 0
	for f, err := range newClient(t).Files(t.Context(), origin.URL("/cats-seq.parts")) {
		must(t, err)
		body, err := io.ReadAll(f)
		must(t, err)
		sameBytes(t, body, []byte("frame"))
		if n++; n == 100 {
			break
		}
	}
}

// big is a part that no read-ahead holds back until its digest is known.
func big(tag byte) string {
	b := make([]byte, 3<<20)
	for i := 0; i+8 <= len(b); i += 8 {
		binary.BigEndian.PutUint64(b[i:], uint64(i)*0x9e3779b97f4a7c15+uint64(tag))
	}
	return string(b)
}

// A part that proves corrupt is taken back out of the file, also where all of it was written before that was known.
func TestGetTakesACorruptPartBack(t *testing.T) {
	good, bad := big('g'), big('b')
	liar, honest := newFarm(t), newFarm(t)
	liar.Serve("/part", farm.Resource{Body: []byte(bad)})
	honest.Serve("/part", farm.Resource{Body: []byte(good)})
	honest.Serve("/first", farm.Resource{Body: []byte("first")})
	honest.Serve("/last", farm.Resource{Body: []byte("last")})
	honest.Serve("/a.parts", farm.Resource{Body: []byte(strings.Join([]string{
		"first", "--", promised(liar.URL("/part"), good), promised("part", good), "--", "last"}, "\n"))})
	c := newClient(t)
	c.Options = Options{Budget: 1 << 20, Ahead: 1}
	dir := t.TempDir()
	res, err := c.Get(t.Context(), honest.URL("/a.parts"), "", &GetOptions{Dir: dir})
	must(t, err)
	wantFiles(t, dir, map[string]string{"a": "first" + good + "last"})
	wantResult(t, res, "first"+good+"last")
	if res.Stats.Failures != 1 {
		t.Errorf("stats %+v", res.Stats)
	}
}

// Where bytes were handed on they cannot be taken back: the stream ends with an error.
func TestCorruptPartOfAStream(t *testing.T) {
	good, bad := big('g'), big('b')
	liar, honest := newFarm(t), newFarm(t)
	liar.Serve("/part", farm.Resource{Body: []byte(bad)})
	honest.Serve("/part", farm.Resource{Body: []byte(good)})
	honest.Serve("/a.parts", farm.Resource{Body: []byte(promised(liar.URL("/part"), good) + "\n" + promised("part", good))})
	c := newClient(t)
	c.Options = Options{Budget: 1 << 20, Ahead: 1}
	s, err := c.Open(t.Context(), honest.URL("/a.parts"))
	must(t, err)
	defer s.Close()
	if _, err := io.Copy(io.Discard, s); !errors.Is(err, source.ErrCorrupt) {
		t.Errorf("error %v, want source.ErrCorrupt", err)
	}
}

// All alternatives are corrupt: nothing of that part may pass for anything.
func TestGetOfNothingButCorruptParts(t *testing.T) {
	origin := newFarm(t)
	origin.Serve("/part", farm.Resource{Body: []byte("bad")})
	origin.Serve("/a.parts", farm.Resource{Body: []byte(promised("part", "old") + "\n")})
	dir := t.TempDir()
	_, err := newClient(t).Get(t.Context(), origin.URL("/a.parts"), "", &GetOptions{Dir: dir})
	if !errors.Is(err, source.ErrCorrupt) {
		t.Errorf("error %v, want source.ErrCorrupt", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "a")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("there is a file: %v", err)
	}
}

func TestManifestErrors(t *testing.T) {
	origin := newFarm(t)
	origin.Serve("/gone.parts", farm.Resource{Body: []byte("missing\nalso-missing\n")})
	origin.Serve("/mixed.parts", farm.Resource{Body: []byte("missing\n" + farm.Dead() + "/x\n")})
	origin.Serve("/long.parts", farm.Resource{Body: bytes.Repeat([]byte("n"), manifest.MaxLine+1)})
	origin.Serve("/itself.parts", farm.Resource{Body: []byte("itself.parts\n")})
	origin.Serve("/local.parts", farm.Resource{Body: []byte(filesource.URL("/etc/hosts"))})
	tests := []struct {
		name, path string
		check      func(err error) bool
	}{
		{"all missing", "/gone.parts", func(err error) bool { return errors.Is(err, fs.ErrNotExist) }},
		{"not all missing", "/mixed.parts", func(err error) bool {
			return !errors.Is(err, fs.ErrNotExist) && errors.Is(err, source.ErrUnavailable)
		}},
		{"a part that failed", "/gone.parts", func(err error) bool {
			e, ok := errors.AsType[*assemble.PartError](err)
			return ok && len(e.Errs) == 2 && e.Line == 1
		}},
		{"syntax", "/long.parts", func(err error) bool {
			e, ok := errors.AsType[*manifest.SyntaxError](err)
			return ok && e.Line == 1
		}},
		{"no progress", "/itself.parts", func(err error) bool { return errors.Is(err, io.ErrNoProgress) }},
		{"a local file of a remote manifest", "/local.parts", func(err error) bool {
			e, ok := errors.AsType[*source.Error](err)
			return ok && e.Kind == source.KindRefused
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, err := newClient(t).Open(t.Context(), origin.URL(test.path))
			if err == nil {
				_, err = io.Copy(io.Discard, s)
				must(t, s.Close())
			}
			if err == nil || !test.check(err) {
				t.Errorf("error %v (%T)", err, err)
			}
		})
	}
}

func TestManifestDepth(t *testing.T) {
	c := &Client{Source: shelf{"x://h/deep.parts": "deep.parts\n--\nx://h/text\n", "x://h/text": "text"}}
	c.Options.MaxDepth = 10
	s, err := c.Open(t.Context(), "x://h/deep.parts")
	if err == nil {
		defer s.Close()
		_, err = io.Copy(io.Discard, s)
	}
	if !errors.Is(err, assemble.ErrDepth) {
		t.Errorf("error %v, want ErrDepth", err)
	}
}

// A local manifest may name local files, by URL or by name beside it.
func TestLocalManifest(t *testing.T) {
	dir := t.TempDir()
	one, two := filepath.Join(dir, "one"), filepath.Join(dir, "two words")
	must(t, os.WriteFile(one, []byte("one "), 0o600))
	must(t, os.WriteFile(two, []byte("two"), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "both.parts"), []byte("one\n--\n"+filesource.URL(two)), 0o600))
	url, err := URL(filepath.Join(dir, "both.parts"))
	must(t, err)
	res, err := new(Client).Get(t.Context(), url, "", &GetOptions{Dir: dir})
	must(t, err)
	wantResult(t, res, "one two")
	got, err := os.ReadFile(filepath.Join(dir, "both"))
	must(t, err)
	sameBytes(t, got, []byte("one two"))
}
