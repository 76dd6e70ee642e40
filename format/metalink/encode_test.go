package metalink_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"spate/format/metalink"
)

const encoded = `<?xml version="1.0" encoding="UTF-8"?>
<metalink xmlns="urn:ietf:params:xml:ns:metalink">
  <generator>MirrorThing/2.11</generator>
  <origin dynamic="true">http://mirrors.example/pool/a.iso.meta4</origin>
  <file name="pool/a.iso">
    <size>2500000</size>
    <identity>Example</identity>
    <version>3.5</version>
    <language>en</language>
    <language>de</language>
    <os>Linux</os>
    <description>The first&#xA; &amp; best</description>
    <hash type="md5">` + md5Hex + `</hash>
    <hash type="sha-256">` + sha256Hex + `</hash>
    <hash type="shake128">00ff</hash>
    <pieces type="sha-1" length="1048576">
      <hash>` + sha1Hex + `</hash>
      <hash>` + sha1Hex + `</hash>
      <hash>` + sha1Hex + `</hash>
    </pieces>
    <url priority="2" location="de">http://one.example/a.iso</url>
    <url priority="1" location="fr">ftp://two.example/a.iso?x=1&amp;y=2</url>
    <url>rsync://three.example/a.iso</url>
    <metaurl mediatype="torrent" name="pool/a.iso" priority="3">http://one.example/a.iso.torrent</metaurl>
  </file>
  <file name="empty">
    <size>0</size>
    <url>http://one.example/empty</url>
  </file>
</metalink>
`

func TestEncode(t *testing.T) {
	var b bytes.Buffer
	if err := metalink.Encode(&b, wantDistribution()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(encoded, b.String()); diff != "" {
		t.Error(diff)
	}
	back, err := metalink.Decode(&b)
	if diff := cmp.Diff(wantDistribution(), back); diff != "" || err != nil {
		t.Errorf("read back: %v\n%s", err, diff)
	}
}

// What no reader could take is not written.
func TestEncodeRefuses(t *testing.T) {
	const (
		text  = "a text with blanks around it, or with characters that XML has not"
		other = "it would be read back as something else"
	)
	tests := []struct {
		name, want string
		change     func(*metalink.Metalink)
	}{
		{"no file", "a metalink without a file", func(m *metalink.Metalink) { m.Files = nil }},
		{"no name", "a file without a name", func(m *metalink.Metalink) { m.Files[0].Name = "" }},
		{"name that leads up", "a name that leads out of its folder, or that no file can have", func(m *metalink.Metalink) { m.Files[0].Name = "../a" }},
		{"name with a line end", "a name that leads out of its folder, or that no file can have", func(m *metalink.Metalink) { m.Files[0].Name = "a\nb" }},
		{"name that is no UTF-8", text, func(m *metalink.Metalink) { m.Files[0].Name = "a\xff" }},
		{"name twice", `file "empty": given twice`, func(m *metalink.Metalink) { m.Files[0].Name = "empty" }},
		{"no URL", `file "empty": a file without a URL`, func(m *metalink.Metalink) { m.Files[1].URLs = nil }},
		{"relative URL", "relative URL: a metalink has no base", func(m *metalink.Metalink) { m.Files[0].URLs[0].URL = "a" }},
		{"blanks around a URL", text, func(m *metalink.Metalink) { m.Files[0].URLs[0].URL = "http://h/a " }},
		{"relative metaurl", "relative URL: a metalink has no base", func(m *metalink.Metalink) { m.Files[0].MetaURLs[0].URL = "a" }},
		{"priority", "priority: no number from 1 to 999999", func(m *metalink.Metalink) { m.Files[0].URLs[0].Priority = -1 }},
		{"location", other, func(m *metalink.Metalink) { m.Files[0].URLs[0].Location = "DE" }},
		{"no country", other, func(m *metalink.Metalink) { m.Files[0].URLs[0].Location = "europe" }},
		{"hash without algorithm", "hash without a type", func(m *metalink.Metalink) { m.Files[0].Hashes[0].Algorithm = "" }},
		{"old name of a hash", "hash: 4 digits where 40 are due", func(m *metalink.Metalink) { m.Files[0].Hashes[2].Algorithm = "sha1" }},
		{"length of a hash", "hash: 64 digits where 32 are due", func(m *metalink.Metalink) { m.Files[0].Hashes[1].Algorithm = "md5" }},
		{"two of one algorithm", "two hashes of type md5 that differ", func(m *metalink.Metalink) {
			m.Files[0].Hashes[1] = metalink.Hash{Algorithm: "md5", Value: make([]byte, 16)}
		}},
		{"the same hash twice", other, func(m *metalink.Metalink) { m.Files[0].Hashes[1] = m.Files[0].Hashes[0] }},
		{"no value", "hash: not hexadecimal", func(m *metalink.Metalink) { m.Files[0].Hashes[2].Value = nil }},
		{"pieces missing", `file "pool/a.iso": 2 pieces where the size makes 3`, func(m *metalink.Metalink) { m.Files[0].Pieces.Values = m.Files[0].Pieces.Values[1:] }},
		{"no pieces", "pieces without a hash", func(m *metalink.Metalink) { m.Files[0].Pieces.Values = nil }},
		{"length of pieces", "pieces: length is no positive number of at most 63 bits", func(m *metalink.Metalink) { m.Files[0].Pieces.Length = 0 }},
		{"control character", text, func(m *metalink.Metalink) { m.Generator = "a\x00" }},
		{"no XML character", text, func(m *metalink.Metalink) { m.Files[0].Version = "\uFFFF" }},
		{"blanks around a text", text, func(m *metalink.Metalink) { m.Files[0].Description = "a\n" }},
		{"empty language", other, func(m *metalink.Metalink) { m.Files[0].Languages[0] = "" }},
		{"text too long", "a tag or a text of more than 65536 bytes", func(m *metalink.Metalink) { m.Files[0].Identity = strings.Repeat("x", metalink.MaxToken) }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := wantDistribution()
			test.change(m)
			var b bytes.Buffer
			err := metalink.Encode(&b, m)
			if err == nil || err.Error() != "encode metalink: "+test.want || b.Len() > 0 {
				t.Errorf("%v, and %d bytes written", err, b.Len())
			}
		})
	}
}

func TestEncodeToBrokenWriter(t *testing.T) {
	broken := errors.New("broken")
	err := metalink.Encode(failing{broken}, wantDistribution())
	if !errors.Is(err, broken) {
		t.Error(err)
	}
	if err := metalink.Encode(iotest.TruncateWriter(&bytes.Buffer{}, 10), wantDistribution()); err != nil {
		t.Error(err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// An unknown size is not told, whatever negative number says so.
func TestEncodeUnknownSize(t *testing.T) {
	m := wantDistribution()
	m.Files[0].Size, m.Files[1].Size = -1, -5
	var b bytes.Buffer
	if err := metalink.Encode(&b, m); err != nil || strings.Contains(b.String(), "<size>") {
		t.Errorf("%v\n%s", err, &b)
	}
}
