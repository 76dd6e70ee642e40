package manifest_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spate/format/manifest"
)

const hexDigest = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" // of "hello"

var digest = []byte("\x2c\xf2\x4d\xba\x5f\xb0\xa3\x0e\x26\xe8\x3b\x2a\xc5\xb9\xe2\x9e\x1b\x16\x1e\x5c\x1f\xa7\x42\x5e\x73\x04\x33\x62\x93\x8b\x98\x24")

func TestParseAlternative(t *testing.T) {
	tests := []struct {
		name, in string
		want     manifest.Alternative
		back     string // String of it; "" for in
	}{
		{"plain", "http://h/a?b=c", manifest.Alternative{URL: "http://h/a?b=c", Size: -1}, ""},
		{"relative", "a", manifest.Alternative{URL: "a", Size: -1}, ""},
		{"digest and size", "http://h/a#sha256=" + hexDigest + "&size=5", manifest.Alternative{URL: "http://h/a", Digest: digest, Size: 5}, ""},
		{"size and digest", "a#size=5&sha256=" + hexDigest, manifest.Alternative{URL: "a", Digest: digest, Size: 5}, "a#sha256=" + hexDigest + "&size=5"},
		{"digest", "a#sha256=" + hexDigest, manifest.Alternative{URL: "a", Digest: digest, Size: -1}, ""},
		{"upper case", "a#sha256=" + strings.ToUpper(hexDigest), manifest.Alternative{URL: "a", Digest: digest, Size: -1}, "a#sha256=" + hexDigest},
		{"size", "a#size=5", manifest.Alternative{URL: "a", Size: 5}, ""},
		{"size 0", "a#size=0", manifest.Alternative{URL: "a", Size: 0}, ""},
		{"leading zeros", "a#size=0005", manifest.Alternative{URL: "a", Size: 5}, "a#size=5"},
		{"largest size", "a#size=9223372036854775807", manifest.Alternative{URL: "a", Size: 1<<63 - 1}, ""},
		{"unknown keys", "a#x=1&size=5&md5=zz", manifest.Alternative{URL: "a", Size: 5}, "a#size=5"},
		{"no pairs", "a#top&size&&sha256", manifest.Alternative{URL: "a", Size: -1}, "a"},
		{"keys in other case are unknown", "a#SIZE=x", manifest.Alternative{URL: "a", Size: -1}, "a"},
		{"empty fragment", "a#", manifest.Alternative{URL: "a", Size: -1}, "a"},
		{"fragment ends at the end", "a#b#size=5", manifest.Alternative{URL: "a", Size: -1}, "a"},
		{"query is no fragment", "a?size=x", manifest.Alternative{URL: "a?size=x", Size: -1}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := manifest.ParseAlternative(test.in)
			if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
				t.Fatalf("%v\n%s", err, diff)
			}
			if test.back == "" {
				test.back = test.in
			}
			if got.String() != test.back {
				t.Errorf("String: %q, want %q", got, test.back)
			}
		})
	}
}

func TestParseAlternativeErrors(t *testing.T) {
	tests := []struct{ name, in string }{
		{"empty", ""},
		{"comment", "# mirrors"},
		{"promise without URL", "#size=5"},
		{"digest empty", "a#sha256="},
		{"digest n-1", "a#sha256=" + hexDigest[1:]},
		{"digest n+1", "a#sha256=" + hexDigest + "0"},
		{"digest not hexadecimal", "a#sha256=" + hexDigest[1:] + "g"},
		{"digest twice", "a#sha256=" + hexDigest + "&sha256=" + hexDigest},
		{"size empty", "a#size="},
		{"size negative", "a#size=-1"},
		{"size signed", "a#size=+1"},
		{"size with unit", "a#size=5M"},
		{"size with underscore", "a#size=5_0"},
		{"size hexadecimal", "a#size=0x5"},
		{"size with blank", "a#size=5 "},
		{"size too large", "a#size=9223372036854775808"},
		{"size twice", "a#size=5&size=5"},
		{"digest good, size broken", "a#sha256=" + hexDigest + "&size=x"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := manifest.ParseAlternative(test.in)
			if err == nil || got.URL != "" {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

func FuzzAlternative(f *testing.F) {
	f.Add("http://h/a#sha256=" + hexDigest + "&size=5")
	f.Add("a#size=0&x=y")
	f.Add("a#b#c&size=1")
	f.Add("#size=1")
	f.Fuzz(func(t *testing.T, in string) {
		a, err := manifest.ParseAlternative(in)
		if err != nil {
			return
		}
		b, err := manifest.ParseAlternative(a.String())
		if err != nil || a.URL != b.URL || a.Size != b.Size || !bytes.Equal(a.Digest, b.Digest) {
			t.Errorf("%+v became %+v, %v", a, b, err)
		}
		if strings.Contains(a.URL, "#") || !strings.HasPrefix(in, a.URL) {
			t.Errorf("URL %q of %q", a.URL, in)
		}
	})
}
