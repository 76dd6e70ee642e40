package metalink_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"spate/format/metalink"
)

const (
	md5Hex    = "d41d8cd98f00b204e9800998ecf8427e"
	sha1Hex   = "da39a3ee5e6b4b0d3255bfef95601890afd80709"
	sha256Hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	sha512Hex = "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

// As a redirector of a distribution writes it: prefixed elements of other vocabularies, several hashes, many mirrors.
const distribution = `<?xml version="1.0" encoding="UTF-8"?>
<?xml-stylesheet type="text/xsl" href="metalink.xsl"?>
<!-- made by hand -->
<metalink xmlns="urn:ietf:params:xml:ns:metalink" xmlns:mm="http://mirrors.example/ns" xml:lang="en">
  <generator>MirrorThing/2.11</generator>
  <origin dynamic="true">http://mirrors.example/pool/a.iso.meta4</origin>
  <published>2010-06-15T12:23:23Z</published>
  <mm:timestamp zone="UTC">1276604603<mm:deep><file name="no file"/></mm:deep></mm:timestamp>
  <file name="pool/a.iso">
    <publisher name="Example" url="http://example.example/"/>
    <size>2500000</size>
    <identity>Example</identity>
    <version>3.5</version>
    <language>en</language>
    <language>de</language>
    <os>Linux</os>
    <description>The first
 &amp; best</description>
    <hash type="md5">` + md5Hex + `</hash>
    <hash type="sha-256">E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855</hash>
    <hash type="shake128">00ff</hash>
    <signature mediatype="application/pgp-signature">
-----BEGIN PGP SIGNATURE-----
    </signature>
    <pieces length="1048576" type="sha-1">
      <hash>` + sha1Hex + `</hash>
      <hash>` + sha1Hex + `</hash>
      <hash>` + sha1Hex + `</hash>
    </pieces>
    <url location="de" priority="2">http://one.example/a.iso</url>
    <url location="FR" priority="1" mm:speed="fast">ftp://two.example/a.iso?x=1&amp;y=2</url>
    <url>
      rsync://three.example/a.iso
    </url>
    <metaurl mediatype="torrent" priority="3" name="pool/a.iso">http://one.example/a.iso.torrent</metaurl>
    <future>markup</future>
  </file>
  <file name="empty"><size>0</size><url><![CDATA[http://one.example/]]>empty</url></file>
</metalink>
`

func wantDistribution() *metalink.Metalink {
	return &metalink.Metalink{
		Generator: "MirrorThing/2.11",
		Origin:    metalink.Origin{URL: "http://mirrors.example/pool/a.iso.meta4", Dynamic: true},
		Files: []metalink.File{
			{
				Name: "pool/a.iso", Size: 2500000, Identity: "Example", Version: "3.5", Languages: []string{"en", "de"}, OS: []string{"Linux"},
				Description: "The first\n & best",
				Hashes: []metalink.Hash{
					{Algorithm: "md5", Value: unhex(md5Hex)}, {Algorithm: "sha-256", Value: unhex(sha256Hex)}, {Algorithm: "shake128", Value: unhex("00ff")},
				},
				Pieces: &metalink.Pieces{Algorithm: "sha-1", Length: 1 << 20, Values: [][]byte{unhex(sha1Hex), unhex(sha1Hex), unhex(sha1Hex)}},
				URLs: []metalink.URL{
					{URL: "http://one.example/a.iso", Priority: 2, Location: "de"},
					{URL: "ftp://two.example/a.iso?x=1&y=2", Priority: 1, Location: "fr"},
					{URL: "rsync://three.example/a.iso"},
				},
				MetaURLs: []metalink.MetaURL{{URL: "http://one.example/a.iso.torrent", MediaType: "torrent", Name: "pool/a.iso", Priority: 3}},
			},
			{Name: "empty", URLs: []metalink.URL{{URL: "http://one.example/empty"}}},
		},
	}
}

func TestDecode(t *testing.T) {
	readers := map[string]func(string) io.Reader{
		"whole":       func(s string) io.Reader { return strings.NewReader(s) },
		"byte":        func(s string) io.Reader { return iotest.OneByteReader(strings.NewReader(s)) },
		"end early":   func(s string) io.Reader { return iotest.DataErrReader(strings.NewReader(s)) },
		"BOM":         func(s string) io.Reader { return strings.NewReader("\uFEFF" + s) },
		"CRLF":        func(s string) io.Reader { return strings.NewReader(strings.ReplaceAll(s, "\n", "\r\n")) },
		"other name":  func(s string) io.Reader { return strings.NewReader(prefixed(s)) },
		"blanks last": func(s string) io.Reader { return strings.NewReader(s + " \n<!-- end -->\n<?end?>\n") },
	}
	for name, reader := range readers {
		t.Run(name, func(t *testing.T) {
			got, err := metalink.Decode(reader(distribution))
			if diff := cmp.Diff(wantDistribution(), got); diff != "" || err != nil {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
}

// prefixed gives the namespace another prefix.
func prefixed(s string) string {
	s = strings.ReplaceAll(s, `xmlns="urn`, `xmlns:m="urn`)
	for _, e := range []string{"metalink", "generator", "origin", "file", "publisher", "size", "identity", "version", "language", "os", "description", "hash",
		"signature", "pieces", "url", "metaurl"} {
		for _, after := range []string{" ", ">"} {
			s = strings.ReplaceAll(s, "<"+e+after, "<m:"+e+after)
			s = strings.ReplaceAll(s, "</"+e+after, "</m:"+e+after)
		}
	}
	return s
}

const version3 = `<?xml version="1.0" encoding="utf-8"?>
<metalink version="3.0" type="dynamic" origin="http://mirrors.example/a.iso.metalink" generator="MirrorThing" xmlns="http://www.metalinker.org/">
  <publisher><name>Example</name><url>http://example.example/</url></publisher>
  <description>of all</description>
  <files>
    <file name="a.iso">
      <size>717533184</size>
      <version>12.04</version>
      <os>Linux-x64</os>
      <verification>
        <hash type="md5">` + md5Hex + `</hash>
        <hash type="sha1">` + sha1Hex + `</hash>
        <signature type="pgp" file="a.iso.asc">-----BEGIN PGP SIGNATURE-----</signature>
        <pieces length="536870912" type="sha1">
          <hash piece="0">` + sha1Hex + `</hash>
          <hash piece="1">` + sha1Hex + `</hash>
        </pieces>
      </verification>
      <resources maxconnections="1">
        <url type="bittorrent" preference="200">http://one.example/a.iso.torrent</url>
        <url type="http" location="za" preference="70">http://one.example/a.iso</url>
        <url type="ftp" location="xyz" preference="100">ftp://two.example/a.iso</url>
        <url type="http" preference="best">http://three.example/a.iso</url>
      </resources>
    </file>
  </files>
</metalink>`

func TestDecodeVersion3(t *testing.T) {
	want := &metalink.Metalink{
		Generator: "MirrorThing",
		Origin:    metalink.Origin{URL: "http://mirrors.example/a.iso.metalink", Dynamic: true},
		Files: []metalink.File{{
			Name: "a.iso", Size: 717533184, Version: "12.04", OS: []string{"Linux-x64"},
			Hashes: []metalink.Hash{{Algorithm: "md5", Value: unhex(md5Hex)}, {Algorithm: "sha-1", Value: unhex(sha1Hex)}},
			Pieces: &metalink.Pieces{Algorithm: "sha-1", Length: 1 << 29, Values: [][]byte{unhex(sha1Hex), unhex(sha1Hex)}},
			URLs: []metalink.URL{
				{URL: "http://one.example/a.iso", Priority: 31, Location: "za"},
				{URL: "ftp://two.example/a.iso", Priority: 1},
				{URL: "http://three.example/a.iso"},
			},
			MetaURLs: []metalink.MetaURL{{URL: "http://one.example/a.iso.torrent", MediaType: "torrent", Priority: 1}},
		}},
	}
	got, err := metalink.Decode(strings.NewReader(version3))
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	swapped := strings.Replace(version3, `piece="1"`, `piece="2"`, 1)
	_, err = metalink.Decode(strings.NewReader(swapped))
	checkSyntax(t, err, 16, "pieces: not in order")
}

// in4 is a document with that in it, on lines 2 and up; ofFile the same for a file with a URL.
func in4(s string) string {
	return `<metalink xmlns="urn:ietf:params:xml:ns:metalink">` + "\n" + s + "\n</metalink>"
}

func ofFile(s string) string {
	return in4("<file name='a'>\n" + s + "\n<url>http://h/a</url></file>")
}

func TestSyntaxErrors(t *testing.T) {
	file := "<file name='a'><url>http://h/a</url></file>"
	tests := []struct {
		name, in string
		line     int
		want     string
	}{
		{"nothing", "", 1, "no metalink in it"},
		{"blanks", " \n\n", 3, "no metalink in it"},
		{"text", "\nhello", 2, "something outside of the element that is the metalink"},
		{"another document", "<!DOCTYPE html>\n<html><body>404</body></html>", 2, "no metalink in it"},
		{"no namespace", "<metalink>" + file + "</metalink>", 1, "no metalink in it"},
		{"another element", `<file xmlns="urn:ietf:params:xml:ns:metalink" name="a"/>`, 1, "no metalink in it"},
		{"cut", strings.TrimSuffix(in4(file), "</metalink>"), 3, "unexpected EOF"},
		{"cut in a tag", strings.TrimSuffix(in4(file), ">"), 3, "unexpected EOF"},
		{"two roots", in4(file) + "\n" + in4(file), 4, "something outside of the element that is the metalink"},
		{"text behind", in4(file) + "\n\nmore", 5, "something outside of the element that is the metalink"},
		{"tags that do not match", in4("<generator></url>"), 2, "element <generator> closed by </url>"},
		{"entity of its own", "<!DOCTYPE m [<!ENTITY e 'x'>]>\n" + ofFile("<identity>&e;</identity>"), 4, "invalid character entity &e;"},
		{"external entity", "<!DOCTYPE m [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>\n" + ofFile("<identity>&e;</identity>"), 4, "invalid character entity &e;"},
		{"not UTF-8", ofFile("<identity>\xff</identity>"), 3, "invalid UTF-8"},
		{"other encoding", `<?xml version="1.0" encoding="utf-16"?>` + in4(file), 1, `xml: encoding "utf-16" declared but Decoder.CharsetReader is nil`},
		{"no file", in4("<generator>x</generator>"), 3, "a metalink without a file"},
		{"files of version 3", in4("<files>" + file + "</files>"), 3, "a metalink without a file"},
		{"no name", in4("<file><url>http://h/a</url></file>"), 2, "a file without a name"},
		{"no URL", in4("<file name='a'>\n<size>1</size></file>"), 2, `file "a": a file without a URL`},
		{"name twice", in4(file + "\n" + file), 3, `file "a": given twice`},
		{"element in a text", ofFile("<identity>a<b/></identity>"), 3, "an element inside a text"},
		{"size", ofFile("<size>1k</size>"), 3, "size: no decimal number of at most 63 bits"},
		{"negative size", ofFile("<size>-1</size>"), 3, "size: no decimal number of at most 63 bits"},
		{"empty size", ofFile("<size/>"), 3, "size: no decimal number of at most 63 bits"},
		{"size of 64 bits", ofFile("<size>9223372036854775808</size>"), 3, "size: no decimal number of at most 63 bits"},
		{"size twice", ofFile("<size>1</size>\n<size>1</size>"), 4, "size: given twice"},
		{"hash without type", ofFile("<hash>00</hash>"), 3, "hash without a type"},
		{"hash that is none", ofFile("<hash type='x'>0</hash>"), 3, "hash: not hexadecimal"},
		{"empty hash", ofFile("<hash type='x'></hash>"), 3, "hash: not hexadecimal"},
		{"short hash", ofFile("<hash type='sha-256'>" + sha1Hex + "</hash>"), 3, "hash: 40 digits where 64 are due"},
		{"hashes that differ", ofFile("<hash type='x'>00</hash>\n<hash type='x'>01</hash>"), 4, "two hashes of type x that differ"},
		{"the same by its old name", ofFile("<hash type='sha-1'>" + sha1Hex + "</hash><hash type='sha1'>" + strings.Repeat("00", 20) + "</hash>"), 3,
			"two hashes of type sha-1 that differ"},
		{"pieces without length", ofFile("<pieces type='md5'></pieces>"), 3, "pieces: length is no positive number of at most 63 bits"},
		{"pieces of nothing", ofFile("<pieces type='md5' length='0'></pieces>"), 3, "pieces: length is no positive number of at most 63 bits"},
		{"pieces without type", ofFile("<pieces length='1'></pieces>"), 3, "hash without a type"},
		{"no pieces", ofFile("<pieces type='md5' length='1'></pieces>"), 3, "pieces without a hash"},
		{"short piece", ofFile("<pieces type='md5' length='1'><hash>00</hash></pieces>"), 3, "hash: 2 digits where 32 are due"},
		{"piece too few", ofFile("<pieces type='x' length='4'><hash>00</hash></pieces><size>5</size>"), 2, `file "a": 1 pieces where the size makes 2`},
		{"piece too many", ofFile("<size>4</size><pieces type='x' length='4'><hash>00</hash><hash>00</hash></pieces>"), 2, `file "a": 2 pieces where the size makes 1`},
		{"piece of an empty file", ofFile("<size>0</size><pieces type='x' length='4'><hash>00</hash></pieces>"), 2, `file "a": 1 pieces where the size makes 0`},
		{"empty URL", ofFile("<url> </url>"), 3, "no URL"},
		{"relative URL", ofFile("<url>b/a</url>"), 3, "relative URL: a metalink has no base"},
		{"URL without scheme", ofFile("<url>//h/a</url>"), 3, "relative URL: a metalink has no base"},
		{"malformed URL", ofFile("<url>http://user:secret@h:x/</url>"), 3, "malformed URL"},
		{"relative origin", in4("<origin>a</origin>" + file), 2, "relative URL: a metalink has no base"},
		{"priority 0", ofFile("<url priority='0'>http://h/</url>"), 3, "priority: no number from 1 to 999999"},
		{"priority n+1", ofFile("<url priority='1000000'>http://h/</url>"), 3, "priority: no number from 1 to 999999"},
		{"priority of a metaurl", ofFile("<metaurl mediatype='torrent' priority='x'>http://h/</metaurl>"), 3, "priority: no number from 1 to 999999"},
		{"metaurl without mediatype", ofFile("<metaurl>http://h/</metaurl>"), 3, "metaurl without a mediatype"},
		{"name of a metaurl", ofFile("<metaurl mediatype='torrent' name='../x'>http://h/</metaurl>"), 3, "a name that leads out of its folder, or that no file can have"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m, err := metalink.Decode(strings.NewReader(test.in))
			checkSyntax(t, err, test.line, test.want)
			if m != nil {
				t.Error("and a Metalink")
			}
		})
	}
}

func checkSyntax(t *testing.T, err error, line int, want string) {
	t.Helper()
	bad, ok := errors.AsType[*metalink.SyntaxError](err)
	if !ok || bad.Line != line || bad.Err.Error() != want || err.Error() != fmt.Sprintf("metalink line %d: %s", line, want) {
		t.Errorf("got %v, want line %d: %s", err, line, want)
	}
}

func TestNames(t *testing.T) {
	tests := []struct {
		name string
		ok   bool
	}{
		{"a", true}, {"a/b/c.iso", true}, {".hidden", true}, {"a..b", true}, {"..a", true}, {"ab:c", true}, {"é写.iso", true}, {" a ", true},
		{"CON", true}, {"-rf", true}, {strings.Repeat("n", metalink.MaxName), true},
		{strings.Repeat("n", metalink.MaxName+1), false},
		{"/a", false}, {"//a", false}, {"../a", false}, {"./a", false}, {"a/../b", false}, {"a/./b", false}, {"a/..", false}, {"..", false},
		{".", false}, {"a//b", false}, {"a/", false}, {`a\b`, false}, {`..\a`, false}, {"C:a", false}, {"c:/a", false}, {"z:", false}, {"a:b", false},
		{"a/.. /b", false}, {"... ", false}, {"a/ /b", false}, {"a\nb", false}, {"a\x7fb", false}, {"a\u0085b", false}, {"a\tb", false},
	}
	for _, test := range tests {
		t.Run(test.name[:min(len(test.name), 20)], func(t *testing.T) {
			var attr bytes.Buffer
			for _, r := range test.name {
				fmt.Fprintf(&attr, "&#%d;", r)
			}
			m, err := metalink.Decode(strings.NewReader(in4("<file name='" + attr.String() + "'><url>http://h/a</url></file>")))
			if (err == nil) != test.ok || test.ok && m.Files[0].Name != test.name {
				t.Errorf("%v, %v", m, err)
			}
		})
	}
}

// What is not understood is ignored, and what is asked for in vain is not missed.
func TestTolerated(t *testing.T) {
	tests := []struct {
		name, in string
		want     metalink.File
	}{
		{"nothing known", "", metalink.File{Size: -1}},
		{"the same hash twice", "<hash type='MD5'>" + md5Hex + "</hash><hash type='md5'>" + strings.ToUpper(md5Hex) + "</hash>",
			metalink.File{Size: -1, Hashes: []metalink.Hash{{Algorithm: "md5", Value: unhex(md5Hex)}}}},
		{"old name of a hash", "<hash type='sha512'>" + sha512Hex + "</hash>",
			metalink.File{Size: -1, Hashes: []metalink.Hash{{Algorithm: "sha-512", Value: unhex(sha512Hex)}}}},
		{"the longest digests", "<pieces type='x' length='1'><hash>00</hash></pieces><pieces type='sha-256' length='2'><hash>" + sha256Hex +
			"</hash></pieces><pieces type='md5' length='3'><hash>" + md5Hex + "</hash></pieces>",
			metalink.File{Size: -1, Pieces: &metalink.Pieces{Algorithm: "sha-256", Length: 2, Values: [][]byte{unhex(sha256Hex)}}}},
		{"the last piece is whole", "<size>4</size><pieces type='x' length='2'><hash>00</hash><x/><hash>01</hash></pieces>",
			metalink.File{Size: 4, Pieces: &metalink.Pieces{Algorithm: "x", Length: 2, Values: [][]byte{{0}, {1}}}}},
		{"no country", "<url location='europe' priority='999999'>http://h/b</url><url location='1a'>HTTP://h/é ü</url>",
			metalink.File{Size: -1, URLs: []metalink.URL{{URL: "http://h/b", Priority: 999999}, {URL: "HTTP://h/é ü"}}}},
		{"empty texts", "<language/><os> </os><version></version>", metalink.File{Size: -1}},
		{"foreign size", "<size xmlns='urn:x'>x</size><size>3</size>", metalink.File{Size: 3}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m, err := metalink.Decode(strings.NewReader(ofFile(test.in)))
			if err != nil {
				t.Fatal(err)
			}
			test.want.Name = "a"
			test.want.URLs = append(test.want.URLs, metalink.URL{URL: "http://h/a"})
			if diff := cmp.Diff(test.want, m.Files[0]); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestKnown(t *testing.T) {
	for name, want := range map[string]bool{"md5": true, "sha-1": true, "sha-224": true, "sha-256": true, "sha-384": true, "sha-512": true,
		"": false, "sha256": false, "shake128": false, "crc32": false} {
		if (metalink.Hash{Algorithm: name}).Known() != want || (&metalink.Pieces{Algorithm: name}).Known() != want {
			t.Errorf("%q: not %t", name, want)
		}
	}
}

func TestMirrors(t *testing.T) {
	f := metalink.File{URLs: []metalink.URL{{URL: "a"}, {URL: "b", Priority: 9}, {URL: "c", Priority: 999999}, {URL: "d", Priority: 1}, {URL: "e", Priority: 9}}}
	var got strings.Builder
	for _, u := range f.Mirrors() {
		got.WriteString(u.URL)
	}
	if got.String() != "dbeac" || f.URLs[0].URL != "a" {
		t.Error(got.String(), f.URLs)
	}
}

func TestIsMetalink(t *testing.T) {
	tests := []struct {
		name, mediaType string
		want            bool
	}{
		{"a.meta4", "", true}, {"http://h/a.meta4?x=1#y", "", true}, {"http://h/get?file=a.metalink", "", true}, {"dir/a.metalink", "text/plain", true},
		{"a", "application/metalink4+xml", true}, {"", "Application/Metalink+XML; charset=utf-8", true}, {"a", " application/metalink4+xml ;x", true},
		{"a.META4", "", false}, {"a.meta4/b", "", false}, {"a#b.meta4", "", false}, {"", "", false}, {"a.xml", "application/xml", false}, {"meta4", "", false},
	}
	for _, test := range tests {
		if got := metalink.IsMetalink(test.name, test.mediaType); got != test.want {
			t.Errorf("IsMetalink(%q, %q) = %t", test.name, test.mediaType, got)
		}
	}
}

// Whatever the reader fails with is handed on, wherever it does.
func TestReadErrors(t *testing.T) {
	broken := errors.New("broken")
	for _, want := range []error{broken, io.ErrUnexpectedEOF, fmt.Errorf("wrapped: %w", io.EOF)} {
		for n := range len(version3) + 1 {
			_, err := metalink.Decode(io.MultiReader(strings.NewReader(version3[:n]), iotest.ErrReader(want)))
			_, syntax := errors.AsType[*metalink.SyntaxError](err)
			if !errors.Is(err, want) || syntax || !strings.HasPrefix(err.Error(), "metalink line ") {
				t.Fatalf("after %d bytes: %v", n, err)
			}
		}
	}
}

// A document that ends anywhere but at its end is none.
func TestCut(t *testing.T) {
	for n := range len(strings.TrimRight(distribution, "\n")) {
		_, err := metalink.Decode(strings.NewReader(distribution[:n]))
		if _, ok := errors.AsType[*metalink.SyntaxError](err); !ok {
			t.Fatalf("after %d bytes: %v", n, err)
		}
	}
}
