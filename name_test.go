package spate

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"spate/fetch"
	"spate/source"
)

func TestOutputNameOfURL(t *testing.T) {
	tests := []struct{ name, url, want string }{
		{"plain", "http://host/a.jpg", "a.jpg"},
		{"last element", "http://host/a/b/c.jpg", "c.jpg"},
		{"query and fragment", "http://host/a.jpg?b=c/d.txt#e/f", "a.jpg"},
		{"slash at the end", "http://host/folder/", "folder"},
		{"no path", "http://host", "download"},
		{"the root", "http://host/", "download"},
		{"many slashes", "http://host////", "download"},
		{"file", "file:///home/me/a.jpg", "a.jpg"},
		{"escaped", "http://host/a%20b%C3%A9.txt", "a bé.txt"},
		{"escaped slash", "http://host/a%2Fb.txt", "b.txt"},
		{"escaped way up", "http://host/%2e%2e%2fetc%2fpasswd", "passwd"},
		{"way up", "http://host/a/..", "download"},
		{"escaped dots", "http://host/%2e%2e", "download"},
		{"broken escape", "http://host/a%zz", "download"},
		{"NUL", "http://host/a%00b", "a_b"},
		{"hidden", "http://host/.bashrc", "_bashrc"},
		{"manifest", "http://host/a.jpg.parts", "a.jpg"},
		{"sequence of a manifest", "http://host/cats.png-seq.parts", "cats.png-seq"},
		{"manifest with a query", "http://host/a.jpg.parts?x=y", "a.jpg"},
		{"manifest by its query", "http://host/gen?name=a.parts", "gen"},
		{"manifest of manifests", "http://host/a.parts.parts", "a.parts"},
		{"nothing but .parts", "http://host/.parts", "download"},
		{"a part of a manifest", "http://host/picture.jpg-part1", "picture.jpg-part1"},
		{"parts in the middle", "http://host/a.parts.txt", "a.parts.txt"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := outputName(test.url, source.Info{URL: test.url}, true); got != test.want {
				t.Errorf("outputName(%q) = %q, want %q", test.url, got, test.want)
			}
		})
	}
}

func TestOutputNameOfOrigin(t *testing.T) {
	const url, final = "http://host/of-url.txt", "http://other/redirected.txt"
	tests := []struct {
		name        string
		info        source.Info
		disposition bool
		want        string
	}{
		{"proposed", source.Info{Name: "b.txt"}, true, "b.txt"},
		{"proposed but not wanted", source.Info{Name: "b.txt"}, false, "of-url.txt"},
		{"nothing proposed", source.Info{}, true, "of-url.txt"},
		{"the final URL names nothing", source.Info{URL: final}, true, "of-url.txt"},
		{"proposed with a path", source.Info{Name: "../../etc/passwd"}, true, "passwd"},
		{"with a path of Windows", source.Info{Name: `C:\Windows\b.txt`}, true, "b.txt"},
		{"absolute", source.Info{Name: "/etc/passwd"}, true, "passwd"},
		{"dots", source.Info{Name: ".."}, true, "of-url.txt"},
		{"slashes", source.Info{Name: "//"}, true, "of-url.txt"},
		{"blanks", source.Info{Name: " \t "}, true, "of-url.txt"},
		{"manifest by its type", source.Info{Name: "b.parts", MediaType: "text/parts-manifest"}, true, "b"},
		{"manifest by the final URL", source.Info{URL: "http://h/x.parts", Name: "b.parts"}, true, "b"},
		{"no manifest", source.Info{Name: "b.parts"}, true, "b.parts"},
		{"a journal beside b.txt", source.Info{Name: "b.txt.spate"}, true, "b.txt_spate"},
		{"a journal where case does not matter", source.Info{Name: "b.txt.SPATE"}, true, "b.txt_SPATE"},
		{"the successor of a journal", source.Info{Name: "b.txt.spate.new"}, true, "b.txt.spate_new"},
		{"a journal once it is shortened", source.Info{Name: strings.Repeat("b", 220) + ".spate-and-so-on-and-on"}, true, strings.Repeat("b", 220) + "_spate"},
		{"no journal", source.Info{Name: "b.spates"}, true, "b.spates"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := outputName(url, test.info, test.disposition); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestSafeName(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"empty", "", ""},
		{"dot", ".", ""},
		{"dots", "...", ""},
		{"dots and blanks", " . . ", ""},
		{"plain", "a.txt", "a.txt"},
		{"other scripts", "写真 Ümläut.jpg", "写真 Ümläut.jpg"},
		{"leading dot", ".a", "_a"},
		{"leading dots", "..a", "_.a"},
		{"leading hyphen", "-rf", "_rf"},
		{"trailing dot", "a.", "a"},
		{"blanks around", " a ", "a"},
		{"separators", `a/b\c`, "a_b_c"},
		{"reserved by Windows", `<a>:"b|c?*`, "_a___b_c__"},
		{"control characters", "a\x00b\nc\x1b[31m\x7fd\u0085e", "a_b_c_[31m_d_e"},
		{"direction of writing", "photo\u202egpj.exe", "photo_gpj.exe"},
		{"line separator", "a\u2028b", "a_b"},
		{"no UTF-8", "a\xff\xfeb", "a_b"},
		{"device", "con", "_con"},
		{"device with extension", "NUL.txt", "_NUL.txt"},
		{"device with digit", "Com1.tar.gz", "_Com1.tar.gz"},
		{"device and blank", "aux .txt", "_aux .txt"},
		{"no device", "console", "console"},
		{"no device either", "COM10", "COM10"},
		{"nor this", "COMX", "COMX"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := safeName(test.in)
			if got != test.want {
				t.Errorf("safeName(%q) = %q, want %q", test.in, got, test.want)
			}
			if again := safeName(got); again != got {
				t.Errorf("made safe once more it is %q", again)
			}
		})
	}
}

// The longest name and what is appended to it: the index of a file of a sequence, and .part.
const roomForName = 255 - len("-file9223372036854775807") - len(fetch.Ext)

func TestLongNames(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"one less", strings.Repeat("n", roomForName-1), strings.Repeat("n", roomForName-1)},
		{"just fits", strings.Repeat("n", roomForName), strings.Repeat("n", roomForName)},
		{"one more", strings.Repeat("n", roomForName+1), strings.Repeat("n", roomForName)},
		{"extension is spared", strings.Repeat("n", 300) + ".jpg", strings.Repeat("n", roomForName-4) + ".jpg"},
		{"what is no extension is not", "n." + strings.Repeat("x", 300), "n." + strings.Repeat("x", roomForName-2)},
		{"whole characters", strings.Repeat("é", 300), strings.Repeat("é", roomForName/2)},
		{"whole characters again", "n" + strings.Repeat("é", 300), "n" + strings.Repeat("é", (roomForName-1)/2)},
		{"no dot before the cut", strings.Repeat("n", 50) + strings.Repeat(".", 300) + "jpg", strings.Repeat("n", 50) + ".jpg"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := safeName(test.in); got != test.want {
				t.Errorf("safeName gives %d bytes: %q", len(got), got)
			}
		})
	}
}

func TestSafeNameOfAnything(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	alphabet := []string{"/", `\`, ".", "..", " ", "-", "\x00", "\n", ":", "a", "B", "é", "写", "\u202e", "\xff", "CON", "LPT9", ".jpg",
		strings.Repeat("x", 100)}
	for range 20_000 {
		var in strings.Builder
		for range rnd.IntN(8) {
			in.WriteString(alphabet[rnd.IntN(len(alphabet))])
		}
		got := safeName(in.String())
		switch {
		case got == "":
		case strings.ContainsAny(got, "/\\\x00\n:\u202e"), !utf8.ValidString(got), len(got) > roomForName,
			got[0] == '.', got[0] == '-', got[0] == ' ', strings.HasSuffix(got, "."), strings.HasSuffix(got, " "), isDevice(got):
			t.Fatalf("safeName(%q) = %q", in.String(), got)
		}
	}
}
