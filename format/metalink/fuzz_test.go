package metalink_test

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"spate/format/metalink"
)

// Whatever is read: names stay where they belong, promises can be checked, and what is written of it reads back the same.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(distribution))
	f.Add([]byte(version3))
	f.Add([]byte(encoded))
	f.Add([]byte(ofFile("<hash type='sha1'>" + sha1Hex + "</hash><url priority='7'>http://[::1]:80/%zz</url><size>00</size>")))
	f.Add([]byte("\uFEFF<!DOCTYPE m [<!ENTITY e 'x'>]>" + in4("<file name=' &#46;&#46; &#x2f;'/><a:b c=''>]]></a:b>")))
	f.Fuzz(func(t *testing.T, in []byte) {
		m, err := metalink.Decode(bytes.NewReader(in))
		if err != nil {
			if m != nil || !strings.HasPrefix(err.Error(), "metalink line ") {
				t.Fatal(m, err)
			}
			return
		}
		for i := range m.Files {
			checkFile(t, &m.Files[i])
		}
		var b bytes.Buffer
		if err := metalink.Encode(&b, m); err != nil {
			if len(in) < metalink.MaxToken/8 { // a character may be spelled with more bytes, and no more than that fits
				t.Fatal(err)
			}
			return
		}
		back, err := metalink.Decode(&b)
		if diff := cmp.Diff(m, back); diff != "" || err != nil {
			t.Errorf("read back: %v\n%s", err, diff)
		}
	})
}

func checkFile(t *testing.T, f *metalink.File) {
	t.Helper()
	if !filepath.IsLocal(f.Name) || filepath.ToSlash(filepath.Clean(f.Name)) != f.Name ||
		strings.ContainsFunc(f.Name, unicode.IsControl) || strings.Contains(f.Name, `\`) {
		t.Errorf("name %q", f.Name)
	}
	if len(f.URLs)+len(f.MetaURLs) == 0 || f.Size < -1 {
		t.Errorf("%+v", f)
	}
	for _, h := range f.Hashes {
		if len(h.Value) == 0 || h.Algorithm != strings.ToLower(h.Algorithm) {
			t.Errorf("%+v", h)
		}
	}
	if p := f.Pieces; p != nil && (p.Length <= 0 || len(p.Values) == 0 || f.Size >= 0 && (f.Size-1)/p.Length+1 != int64(len(p.Values))) {
		t.Errorf("size %d, %d pieces of %d", f.Size, len(p.Values), p.Length)
	}
}

// What is made of anything is refused or reads back as it was.
func FuzzEncode(f *testing.F) {
	f.Add("a", "http://h/a", "sha-256", []byte("x"), int64(1), int64(1))
	f.Add("../a", " x:", "SHA1", []byte(""), int64(-1), int64(0))
	f.Add("a ", "http://h/\"<&'>]]>", "ü", []byte("\x00"), int64(0), int64(-3))
	f.Fuzz(func(t *testing.T, name, text, algorithm string, value []byte, size, length int64) {
		m := &metalink.Metalink{Generator: text, Files: []metalink.File{{
			Name: name, Size: max(size, -1), Description: text, Version: algorithm,
			Hashes: []metalink.Hash{{Algorithm: algorithm, Value: value}},
			Pieces: &metalink.Pieces{Algorithm: algorithm, Length: length, Values: [][]byte{value, value}},
			URLs:   []metalink.URL{{URL: text, Priority: int(int32(length))}},
		}}}
		if length == 0 {
			m.Files[0].Pieces = nil
		}
		var b bytes.Buffer
		if err := metalink.Encode(&b, m); err != nil {
			if b.Len() > 0 {
				t.Error("written although refused")
			}
			return
		}
		back, err := metalink.Decode(&b)
		if diff := cmp.Diff(m, back); diff != "" || err != nil {
			t.Errorf("read back: %v\n%s", err, diff)
		}
	})
}
