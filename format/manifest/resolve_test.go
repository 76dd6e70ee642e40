package manifest_test

import (
	"strings"
	"testing"

	"spate/format/manifest"
)

func TestIsManifest(t *testing.T) {
	tests := []struct {
		name, url, mediaType string
		want                 bool
	}{
		{"path", "http://h/a.parts", "", true},
		{"path and query", "http://h/a.parts?sig=1", "", true},
		{"whole URL", "http://h/get?file=a.parts", "", true},
		{"fragment ignored", "http://h/a.parts#size=5", "", true},
		{"fragment ignored behind a query", "http://h/get?file=a.parts#x", "", true},
		{"fragment does not count", "http://h/a#b.parts", "", false},
		{"sequence in parts", "http://h/a.png-seq.parts", "image/png", true},
		{"original: script", "http://h/fly.txt-seq.parts.cgi", "text/plain", false},
		{"original: script and media type", "http://h/fly.txt-seq.parts.cgi", "text/parts-manifest", true},
		{"upper case", "http://h/a.PARTS", "", false},
		{"without dot", "http://h/parts", "", false},
		{"directory", "http://h/a.parts/b", "", false},
		{"malformed", "http://[/%zz.parts", "", true},
		{"neither", "http://h/a", "text/plain", false},
		{"nothing", "", "", false},
		{"media type", "http://h/a", "text/parts-manifest", true},
		{"media type in other case", "", "Text/Parts-Manifest", true},
		{"media type with parameters", "", "text/parts-manifest; charset=utf-8", true},
		{"media type with odd blanks", "", " text/parts-manifest ;charset", true},
		{"other media type", "", "text/parts-manifests", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := manifest.IsManifest(test.url, test.mediaType); got != test.want {
				t.Errorf("IsManifest(%q, %q) = %v", test.url, test.mediaType, got)
			}
		})
	}
}

func TestResolve(t *testing.T) {
	const base = "http://u:p@h:8080/dir/m.parts?x=1#y"
	tests := []struct{ name, base, ref, want string }{
		{"absolute", base, "http://other/b", "http://other/b"},
		{"absolute without base", "", "http://other/b", "http://other/b"},
		{"absolute, malformed base", "http://[", "http://other/b", "http://other/b"},
		{"absolute, other scheme", base, "ftp://other/b", "ftp://other/b"},
		{"scheme in upper case", "", "HTTP://Other/B", "http://Other/B"},
		{"beside", base, "part1", "http://u:p@h:8080/dir/part1"},
		{"below", base, "sub/part1", "http://u:p@h:8080/dir/sub/part1"},
		{"above", base, "../part1", "http://u:p@h:8080/part1"},
		{"above the root", base, "../../../part1", "http://u:p@h:8080/part1"},
		{"rooted", base, "/part1", "http://u:p@h:8080/part1"},
		{"other host, no credentials", base, "//other/part1", "http://other/part1"},
		{"query alone", base, "?n=1", "http://u:p@h:8080/dir/m.parts?n=1"},
		{"itself", base, "m.parts", "http://u:p@h:8080/dir/m.parts"},
		{"hyphens", base, "--", "http://u:p@h:8080/dir/--"},
		{"fragment is kept", base, "part1#size=5&sha256=AB", "http://u:p@h:8080/dir/part1#size=5&sha256=AB"},
		{"fragment is kept as it is", "", "http://h/a#%zz b", "http://h/a#%zz b"},
		{"empty fragment is kept", "", "http://h/a#", "http://h/a#"},
		{"base without path", "http://h", "part1", "http://h/part1"},
		{"file", "file:///dir/m.parts", "part1", "file:///dir/part1"},
		{"escapes stay", "", "http://h/a%2Fb%20c?d=%2F", "http://h/a%2Fb%20c?d=%2F"},
		{"signed query stays", "", "https://h/k?X-Amz-Signature=0a/b+c=&e", "https://h/k?X-Amz-Signature=0a/b+c=&e"},
		{"blank is escaped", base, "part 1", "http://u:p@h:8080/dir/part%201"},
		{"RFC 3986 5.4.2: dots in an absolute URL", "", "http://h/a/./b/../c", "http://h/a/c"},
		{"double slash stays", "", "http://h/a//b", "http://h/a//b"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := manifest.Resolve(test.base, test.ref)
			if got != test.want || err != nil {
				t.Errorf("got %q, %v; want %q", got, err, test.want)
			}
		})
	}
}

func TestResolveErrors(t *testing.T) {
	const base = "http://h/dir/m.parts"
	tests := []struct{ name, base, ref string }{
		{"empty", base, ""},
		{"fragment alone", base, "#size=5"},
		{"comment", base, "# secret comment"},
		{"relative without base", "", "secret"},
		{"relative, base is relative", "dir/m.parts", "secret"},
		{"relative, base has no path", "mailto:secret", "secret"},
		{"relative, base is malformed", "http://h:secret/", "part1"},
		{"port", base, "http://user:secret"},
		{"port behind credentials", base, "http://user:secret@h:secret/"},
		{"escape", base, "http://h/%zzsecret"},
		{"host", base, "http://h^secret/"},
		{"address", base, "http://[::1/secret"},
		{"control character", base, "http://h/secret\x00"},
		{"CR", base, "http://h/secret\rhttp://h/b"},
		{"no scheme", base, "://secret"},
		{"host and port without scheme", base, "127.0.0.1:80/secret"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := manifest.Resolve(test.base, test.ref)
			if err == nil || got != "" {
				t.Fatalf("got %q, %v", got, err)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("the error quotes the URL: %v", err)
			}
		})
	}
}

// What was resolved is absolute: resolving it again, against whatever base, changes nothing.
func FuzzResolve(f *testing.F) {
	f.Add("http://h/dir/m.parts", "../part1#size=5")
	f.Add("", "http://u:p@h:80/a%20b?c#d")
	f.Add("file:///m.parts", "//h/x")
	f.Add("http://h", "?q")
	f.Add("http://h/a", "./b:c")
	f.Fuzz(func(t *testing.T, base, ref string) {
		once, err := manifest.Resolve(base, ref)
		if err != nil {
			return
		}
		for _, b := range []string{"", base, "http://elsewhere/x/y"} {
			if twice, err := manifest.Resolve(b, once); twice != once || err != nil {
				t.Errorf("%q became %q, %v", once, twice, err)
			}
		}
	})
}
