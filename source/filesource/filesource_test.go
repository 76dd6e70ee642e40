package filesource

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"spate/internal/leak"

	"spate/source"
	"spate/source/sourcetest"
)

func TestMain(m *testing.M) { leak.Main(m) }

// put writes a file and says its URL.
func put(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return URL(path)
}

func missing(t *testing.T) string { return URL(filepath.Join(t.TempDir(), "nothing")) }

func TestSource(t *testing.T) {
	sourcetest.Run(t, sourcetest.Harness{
		Source:   Source{},
		Put:      put,
		Missing:  missing,
		Stall:    stall,
		Seekable: true,
		Settle:   func() {},
		Malformed: []string{
			"", "file:", "file:relative", "file://", "file://other/path", "file://localhost:80/path", "file://u@localhost/a",
			"http://localhost/", "/path", "file:///%zz", "file:///%00", "file:///a%00b", "file:///a\nb", "file:///a?b", "file:///a?",
		},
	})
}

func TestURL(t *testing.T) {
	dir := t.TempDir()
	tests := []struct{ path, url string }{
		{"/a/b", "file:///a/b"},
		{"/a b", "file:///a%20b"},
		{"/100%", "file:///100%25"},
		{"/a?b#c", "file:///a%3Fb%23c"},
		{"/a\nb\xff", "file:///a%0Ab%FF"},
		{"/ä", "file:///%C3%A4"},
		{"//a", "file:////a"},
		{"/", "file:///"},
		{"/a:b@c", "file:///a:b@c"},
	}
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			if got := URL(tt.path); got != tt.url {
				t.Errorf("URL = %q, want %q", got, tt.url)
			}
			if got, err := pathOf(tt.url); got != tt.path || err != nil {
				t.Errorf("pathOf = %q, %v, want %q", got, err, tt.path)
			}
		})
	}
	t.Run("relative", func(t *testing.T) {
		t.Chdir(dir)
		if got, want := URL("a b"), URL(filepath.Join(dir, "a b")); got != want {
			t.Errorf("URL = %q, want %q", got, want)
		}
	})
}

func TestForms(t *testing.T) {
	url := put(t, "a b", []byte("hello"))
	path := strings.TrimPrefix(url, "file://")
	for _, form := range []string{url, "FILE://" + path, "file://localhost" + path, "file://LOCALHOST" + path, "file:" + path, url + "#sha256=00"} {
		t.Run(form, func(t *testing.T) {
			res, err := Source{}.Open(t.Context(), form, source.From(0))
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if got, err := io.ReadAll(res.Body); string(got) != "hello" || err != nil {
				t.Errorf("read %q, %v", got, err)
			}
		})
	}
}

func TestInfo(t *testing.T) {
	url := put(t, "f", []byte("hello"))
	path, _ := pathOf(url)
	when := time.Unix(1_000_000, 5000)
	if err := os.Chtimes(path, when, when); err != nil {
		t.Fatal(err)
	}
	info := func() source.Info {
		res, err := Source{}.Open(t.Context(), url+"#x", source.From(0))
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		return res.Info
	}
	first := info()
	if first.URL != url || first.Size != 5 || !first.ModTime.Equal(when) || !first.Seekable || first.Validator == "" {
		t.Errorf("got %+v", first)
	}
	if err := os.WriteFile(path, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	if later := info(); later.Validator == first.Validator {
		t.Errorf("written again, the validator is still %q", first.Validator)
	}
	// The same size and time, but another file.
	other := put(t, "g", []byte("hallo"))
	otherPath, _ := pathOf(other)
	if err := os.Rename(otherPath, path); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, when, when); err != nil {
		t.Fatal(err)
	}
	if later := info(); later.Validator == first.Validator {
		t.Errorf("replaced, the validator is still %q", first.Validator)
	}
}

func TestErrors(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	loop := filepath.Join(dir, "loop")
	if err := os.Symlink(loop, loop); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, url string
		is        error
		text      string
	}{
		{"missing", URL(filepath.Join(dir, "nothing")), fs.ErrNotExist, "no such file or directory"},
		{"directory", URL(dir), nil, "is a directory"},
		{"below a file", URL(filepath.Join(file, "x")), nil, "not a directory"},
		{"symlink loop", URL(loop), nil, "too many levels"},
		{"name too long", URL(filepath.Join(dir, strings.Repeat("x", 300))), nil, "file name too long"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Source{}.Open(t.Context(), tt.url, source.From(0))
			e, ok := errors.AsType[*source.Error](err)
			if !ok || e.Kind != source.KindLocal {
				t.Fatalf("got %#v", err)
			}
			if tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("%v is not %v", err, tt.is)
			}
			if want := "open " + tt.url + ": " + tt.text; !strings.HasPrefix(err.Error(), want) {
				t.Errorf("got %q, want %q", err, want)
			}
		})
	}
}

func TestShrinks(t *testing.T) {
	content := sourcetest.Content(100_000, 1)
	for _, to := range []int64{0, 10, 99_999} {
		url := put(t, "f", content)
		res, err := Source{}.Open(t.Context(), url, source.From(5))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		path, _ := pathOf(url)
		if err := os.Truncate(path, to); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(res.Body)
		if !errors.Is(err, io.ErrUnexpectedEOF) || int64(len(got)) != max(to-5, 0) {
			t.Errorf("shrunk to %d: read %d bytes, %v", to, len(got), err)
		}
	}
}

func TestGrows(t *testing.T) {
	url := put(t, "f", []byte("hello"))
	res, err := Source{}.Open(t.Context(), url, source.From(0))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	path, _ := pathOf(url)
	if err := os.WriteFile(path, []byte("hello, world"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(res.Body); string(got) != "hello" || err != nil {
		t.Errorf("read %q, %v", got, err)
	}
}

func TestCause(t *testing.T) {
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	res, err := Source{}.Open(ctx, put(t, "f", []byte("hello")), source.From(0))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	cancel(cause)
	if _, err := res.Body.Read(make([]byte, 1)); !errors.Is(err, cause) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestOpenIn: what is in the folder, under the URL that was asked for, and nothing else.
func TestOpenIn(t *testing.T) {
	base := t.TempDir()
	for name, text := range map[string]string{"dir/f": "hello", "secret": "secret"} {
		path := filepath.Join(base, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	for name, to := range map[string]string{"in": "f", "out": "../secret", "away": filepath.Join(base, "secret")} {
		if err := os.Symlink(to, filepath.Join(base, "dir", name)); err != nil {
			t.Fatal(err)
		}
	}
	dir, err := os.OpenRoot(filepath.Join(base, "dir"))
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	for name, want := range map[string]string{"f": "ello", "in": "ello", "out": "", "away": "", "../secret": "", "none": "", ".": ""} {
		res, err := OpenIn(t.Context(), dir, name, "file:///asked/for#x", source.From(1))
		if err != nil {
			if _, ok := errors.AsType[*source.Error](err); want != "" || !ok || !strings.Contains(err.Error(), "file:///asked/for") {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		got, err := io.ReadAll(res.Body)
		if string(got) != want || want == "" || res.URL != "file:///asked/for" || errors.Join(err, res.Body.Close()) != nil {
			t.Errorf("%s: %q, %s, %v", name, got, res.URL, err)
		}
	}
	if _, err := OpenIn(t.Context(), dir, "f", "file:///f?q", source.From(0)); source.KindOf(err) != source.KindMalformed {
		t.Errorf("a query: %v", err)
	}
}
