package spate

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"spate/source"
	"spate/source/filesource"
)

func TestURLOfURLs(t *testing.T) {
	for _, arg := range []string{
		"http://host/path", "https://user:pw@host:8443/a?b#c", "HTTP://HOST/", "http://[::1]:80/", "http://host",
		"file:///tmp/x", "file://localhost/tmp/x", "File:///tmp/x",
	} {
		if got, err := URL(arg); err != nil || got != arg {
			t.Errorf("URL(%q) = %q, %v", arg, got, err)
		}
	}
}

func TestURLOfFurtherSchemes(t *testing.T) {
	const arg = "sftp://host/x"
	if got, err := URL(arg, "ftp", "sftp"); err != nil || got != arg {
		t.Errorf("URL(%q) = %q, %v", arg, got, err)
	}
	for arg, says := range map[string]string{
		"sftp:///x":     "no host in this URL",
		"gopher://h/x":  `no support for scheme "gopher"; there are http, https, ftp, sftp and file`,
		"sftp://h:x/y":  "invalid port",
		"sftpx://h:1/y": "no support for scheme",
	} {
		if _, err := URL(arg, "ftp", "sftp"); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("URL(%q): %v, want %q", arg, err, says)
		}
	}
	if _, err := URL(arg); err == nil {
		t.Errorf("URL(%q) without a Source for it is no error", arg)
	}
}

func TestURLOfFiles(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	must(t, os.Mkdir("sub", 0o755))
	for _, name := range []string{"plain", "with space", "100%", "a#b", "a?b", "a:b", "example.org", "sub/é", "gopher:x"} {
		must(t, os.WriteFile(name, []byte(name), 0o600))
		for _, arg := range []string{name, "./" + name, filepath.Join(dir, name)} {
			got, err := URL(arg)
			if want := filesource.URL(filepath.Join(dir, name)); err != nil || got != want {
				t.Errorf("URL(%q) = %q, %v, want %q", arg, got, err, want)
				continue
			}
			var c Client
			s, err := c.Open(t.Context(), got)
			must(t, err)
			if text := readAll(t, s); text != name {
				t.Errorf("%s has %q", got, text)
			}
			must(t, s.Close())
		}
	}
}

func TestURLOfAnythingElse(t *testing.T) {
	t.Chdir(t.TempDir())
	tests := []struct{ name, arg, says string }{
		{"host and path", "example.org/a.jpg", "neither a URL nor a file that exists"},
		{"host", "example.org", "neither a URL nor a file that exists"},
		{"host and port", "example.org:8080/a", "neither a URL nor a file that exists"},
		{"address and port", "127.0.0.1:8080/a", "neither a URL nor a file that exists"},
		{"localhost", "localhost/a", "neither a URL nor a file that exists"},
		{"no scheme", "//example.org/a", "neither a URL nor a file that exists"},
		{"a word", "picture", "neither a URL nor a file that exists"},
		{"a path", "/no/such.file", "neither a URL nor a file that exists"},
		{"a relative path", "./no.file", "neither a URL nor a file that exists"},
		{"a path above", "../no.file", "neither a URL nor a file that exists"},
		{"words", "no such file.txt", "neither a URL nor a file that exists"},
		{"empty", "", "neither a URL nor a file that exists"},
		{"NUL", "a\x00b", "neither a URL nor a file that exists"},
		{"too long", strings.Repeat("n", 10_000), "neither a URL nor a file that exists"},
		{"another scheme", "gopher://host/", `no support for scheme "gopher"`},
		{"another scheme without slashes", "mailto:x", `no support for scheme "mailto"`},
		{"user and password", "user:pw@host", "neither a URL nor a file that exists"},
		{"no host", "http:///path", "no host"},
		{"nothing behind", "https://", "no host"},
		{"one slash", "http:/host/path", "no host"},
		{"bad port", "http://host:port/", "invalid port"},
		{"bad address", "http://[::1", "missing ']'"},
		{"blank in the path", "http://host/a b", "a blank or control character"},
		{"blank in the host", "http://a b/", "invalid character"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := URL(test.arg)
			e, ok := errors.AsType[*source.Error](err)
			if got != "" || !ok || e.Kind != source.KindMalformed {
				t.Fatalf("URL = %q, %v", got, err)
			}
			if !strings.Contains(err.Error(), test.says) {
				t.Errorf("error %v does not say %q", err, test.says)
			}
		})
	}
}

func TestURLOfWhatMayNotBeLookedAt(t *testing.T) {
	err := noArgument("example.org/file", nil, nil, &fs.PathError{Op: "stat", Path: "example.org/file", Err: syscall.EACCES})
	if e, ok := errors.AsType[*source.Error](err); !ok || e.Kind != source.KindLocal || !errors.Is(err, fs.ErrPermission) {
		t.Errorf("error %v", err)
	}
}
