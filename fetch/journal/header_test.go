package journal

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A journal is read by people who look for what went wrong, and handed around: no secret of a URL is in it.
func TestNoSecrets(t *testing.T) {
	secrets := []string{"http://me:pw@a.example/f?token=topsecret&v=1#frag", "https://ghp_topsecret@a.example/f", "http://me:%zz@a.example/topsecret=x?sig=topsecret"}
	disk := newDisk()
	for _, u := range secrets[:2] {
		h := testHeader
		h.Origins = []Origin{{URL: u}}
		j, err := create(disk, name, &State{Header: h, Places: []Place{{URL: u}}})
		must(t, err)
		must(t, j.Note(Place{URL: u}))
		for _, secret := range []string{"topsecret", "pw", "me", "frag"} {
			if bytes.Contains(disk.text(), []byte(secret+":")) || secret != "me" && bytes.Contains(disk.text(), []byte(secret)) {
				t.Errorf("%q is in\n%s", secret, disk.text())
			}
		}
		s, err := decode(bytes.NewReader(disk.text()))
		must(t, err)
		if o, ok := s.Header.Origin(u); !ok || o != s.Header.Origins[0] {
			t.Errorf("%s is not known again: %+v", u, s.Header.Origins)
		}
	}
	if got := Redact(secrets[2]); strings.Contains(got, "sig=topsecret") {
		t.Errorf("Redact = %s", got)
	}
}

func TestOrigin(t *testing.T) {
	h := Header{Origins: []Origin{{"http://a.example/f?sig=xxxxx&v=1", `"a"`}, {"http://b.example/f", `"b"`}}}
	tests := []struct{ url, validator string }{
		{"http://a.example/f?sig=new&v=1", `"a"`},
		{"http://u:p@a.example/f?sig=new&v=1#part", `"a"`},
		{"http://b.example/f", `"b"`},
		{"http://a.example/f?sig=new&v=2", ""},
		{"http://a.example/g", ""},
		{"https://b.example/f", ""},
		{"", ""},
	}
	for _, tt := range tests {
		if got, ok := h.Origin(tt.url); got.Validator != tt.validator || ok != (tt.validator != "") {
			t.Errorf("Origin(%q) = %+v, %v", tt.url, got, ok)
		}
	}
}

// Whatever is taken for a URL is known again when its header was written and read.
func FuzzRedact(f *testing.F) {
	for _, u := range []string{"", "http://u:p@h/?token=x#f", "http://h/%zz?a=\xff", ":", "a:b@c", "?key=1;x=http://u:p@i/"} {
		f.Add(u)
	}
	f.Fuzz(func(t *testing.T, u string) {
		want := Header{Origins: []Origin{{URL: u}}}
		got, err := decodeHeader(want.encode())
		must(t, err)
		for _, h := range []Header{want, got} {
			if _, ok := h.Origin(u); !ok {
				t.Errorf("%q is not in %+v", u, h.Origins)
			}
		}
	})
}

// Validators are compared by ==, so they come back as they were, whatever bytes they are.
func TestHeaderRoundTrip(t *testing.T) {
	for _, v := range []string{"", `"abc"`, `W/"<&>"`, "\xff\xfe", "a\nb \u2028", "\x00"} {
		want := Header{Origins: []Origin{{"http://a.example/?a=1&b=2", v}}, Size: -1, PieceSize: DefaultPieceSize}
		got, err := decodeHeader(want.encode())
		must(t, err)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if bytes.ContainsRune(want.encode(), '\n') {
			t.Errorf("%q is more than a line", want.encode())
		}
		p := Place{At: 1, Part: -2, Off: 3, URL: "http://a.example/", Validator: v, Manifest: "http://a.example/m", Line: 4}
		back, err := decodePlace(p.encode())
		must(t, err)
		if back != p {
			t.Errorf("%+v became %+v", p, back)
		}
	}
}
