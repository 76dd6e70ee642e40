package httpsource

import (
	"crypto/md5"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"spate/format/checksum"
	"spate/source"
	"spate/source/sourcetest"
)

var (
	sum256 = sha256.Sum256([]byte("0123456789"))
	sum512 = sha512.Sum512([]byte("0123456789"))
	sumMD5 = md5.Sum([]byte("0123456789"))
	b256   = base64.StdEncoding.EncodeToString(sum256[:])
	b512   = base64.StdEncoding.EncodeToString(sum512[:])
	bMD5   = base64.StdEncoding.EncodeToString(sumMD5[:])
)

// said is digests as text: the algorithm, and the sum's first two bytes.
func said(all []checksum.Sum) string {
	var parts []string
	for _, d := range all {
		parts = append(parts, fmt.Sprintf("%s=%x/%d", d.Algorithm, d.Value[:2], len(d.Value)))
	}
	return strings.Join(parts, " ")
}

func TestDigests(t *testing.T) {
	one, two := fmt.Sprintf("sha-256=%x/32", sum256[:2]), fmt.Sprintf("sha-512=%x/64", sum512[:2])
	md := fmt.Sprintf("md5=%x/16", sumMD5[:2])
	other := base64.StdEncoding.EncodeToString(make([]byte, 32))
	zero := "sha-256=0000/32"
	tests := []struct {
		name, field string
		values      []string
		want        string
	}{
		{"none", "X", nil, ""},
		{"one", "Repr-Digest", []string{"sha-256=:" + b256 + ":"}, one},
		{"two", "Repr-Digest", []string{"sha-256=:" + b256 + ":, sha-512=:" + b512 + ":"}, one + " " + two},
		{"two without a blank", "Repr-Digest", []string{"sha-256=:" + b256 + ":,\tsha-512=:" + b512 + ":"}, one + " " + two},
		{"two lines", "Repr-Digest", []string{"sha-256=:" + b256 + ":", "sha-512=:" + b512 + ":"}, one + " " + two},
		{"parameters", "Repr-Digest", []string{"sha-256=:" + b256 + ":;a;b=1; c=\"x,\\\";\";d=?1;e=-1.5;f=tok/x;g=:YQ==:;h=@1"}, one},
		{"twice: the last", "Repr-Digest", []string{"sha-256=:" + other + ":, sha-256=:" + b256 + ":"}, one},
		{"without a registration", "Repr-Digest", []string{"blake3=:" + b256 + ":"}, fmt.Sprintf("blake3=%x/32", sum256[:2])},
		{"unknown algorithm", "Repr-Digest", []string{"sha-1=:YQ==:, sha-256=:" + b256 + ":"}, one},
		{"another type beside", "Repr-Digest", []string{"x, y=1, z=\"s\", sha-256=:" + b256 + ":"}, one},
		{"no byte sequence", "Repr-Digest", []string{"sha-256=" + b256}, ""},
		{"wrong length", "Repr-Digest", []string{"sha-256=:YQ==:, sha-512=:" + b512 + ":"}, two},
		{"upper case is no key", "Repr-Digest", []string{"SHA-256=:" + b256 + ":"}, ""},
		{"garbage behind", "Repr-Digest", []string{"sha-256=:" + b256 + ":x"}, ""},
		{"a comma behind", "Repr-Digest", []string{"sha-256=:" + b256 + ":,"}, ""},
		{"no end", "Repr-Digest", []string{"sha-256=:" + b256}, ""},
		{"no base64", "Repr-Digest", []string{"sha-256=:" + strings.Repeat("!", 44) + ":"}, ""},
		{"base64 with a remainder", "Repr-Digest", []string{"sha-256=:" + b256[:42] + "//:"}, ""},
		{"inner list", "Repr-Digest", []string{"sha-256=(:" + b256 + ":)"}, ""},
		{"a string that does not end", "Repr-Digest", []string{"x=\"a, sha-256=:" + b256 + ":"}, ""},
		{"numbers out of bounds", "Repr-Digest", []string{"x=1234567890123456, sha-256=:" + b256 + ":"}, ""},
		{"as long as is read", "Repr-Digest", []string{"sha-256=:" + b256 + ":, " + strings.Repeat("x", maxDigests-56)}, one},
		{"longer", "Repr-Digest", []string{"sha-256=:" + b256 + ":, " + strings.Repeat("x", maxDigests-55)}, ""},
		{"old", "Digest", []string{"SHA-256=" + b256 + ",sha-512=" + b512 + ", MD5=" + bMD5}, one + " " + two + " " + md},
		{"old, garbage between", "Digest", []string{"x,=,md5=zz==,,SHA=abc, sha-256=" + b256}, one},
		{"old, twice: the first", "Digest", []string{"sha-256=" + b256 + ", sha-256=" + other}, one},
		{"old, CRC in base64", "Digest", []string{"crc32c=CnKk3w=="}, "crc32c=0a72/4"},
		{"old, CRC in hexadecimal", "Digest", []string{"CRC32C=a72a4df"}, "crc32c=0a72/4"},
		{"old, CRC of one digit", "Digest", []string{"crc32c=7"}, "crc32c=0000/4"},
		{"old, CRC too long", "Digest", []string{"crc32c=00a72a4df"}, ""},
		{"old, CRC empty", "Digest", []string{"crc32c="}, ""},
		{"old, longer than is read", "Digest", []string{"sha-256=" + b256 + strings.Repeat(",", maxDigests)}, ""},
		{"of the content", "Content-Digest", []string{"sha-256=:" + b256 + ":"}, one},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := said(digests(http.Header{tt.field: tt.values}, true)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	h := http.Header{
		"Repr-Digest":    {"sha-256=:" + b256 + ":"},
		"Content-Digest": {"sha-256=:" + other + ":, sha-512=:" + b512 + ":"},
		"Digest":         {"sha-256=" + other + ", md5=" + bMD5},
	}
	if got, want := said(digests(h, true)), one+" "+two+" "+md; got != want {
		t.Errorf("all three: %q, want %q", got, want)
	}
	if got, want := said(digests(h, false)), one+" "+md; got != want {
		t.Errorf("all three of a part: %q, want %q", got, want)
	}
	delete(h, "Repr-Digest")
	if got, want := said(digests(h, true)), zero+" "+two+" "+md; got != want {
		t.Errorf("two: %q, want %q", got, want)
	}
}

// What is told of which answer.
func TestDigestOfAnswer(t *testing.T) {
	const ten = "0123456789"
	repr, content := "sha-256=:"+b256+":", "sha-512=:"+b512+":"
	both := []string{"Repr-Digest", repr, "Content-Digest", content}
	with := func(pairs ...string) []string { return append(pairs, both...) }
	tests := []struct {
		name   string
		rng    source.Range
		answer http.HandlerFunc
		want   string
	}{
		{"200", source.From(0), header(200, ten, both...), "sha-256 sha-512"},
		{"200 to a range", source.From(4), header(200, ten, both...), "sha-256 sha-512"},
		{"206", source.From(4), header(206, ten[4:], with("Content-Range", "bytes 4-9/10")...), "sha-256"},
		{"206 of the first", source.Range{Len: 9}, header(206, ten[:9], with("Content-Range", "bytes 0-8/10")...), "sha-256"},
		{"206 of all", source.Range{Len: 10}, header(206, ten, with("Content-Range", "bytes 0-9/10")...), "sha-256 sha-512"},
		{"206 of an unknown size", source.Range{Len: 10}, header(206, ten, with("Content-Range", "bytes 0-9/*")...), "sha-256"},
		{"416", source.From(10), header(416, "", with("Content-Range", "bytes */10")...), ""},
	}
	o := newOrigin(t, plain)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res, _, err := sourcetest.Read(t, newSource(t, nil), o.on("/", tt.answer), tt.rng)
			if err != nil {
				t.Fatal(err)
			}
			var algs []string
			for _, d := range res.Digests {
				algs = append(algs, d.Algorithm)
			}
			if got := strings.Join(algs, " "); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	for _, r := range o.requests() {
		begins := !strings.HasPrefix(r.Header.Get("Range"), "bytes=4") && r.Header.Get("Range") != "bytes=10-"
		if asked := r.Header.Get("Want-Repr-Digest") == "sha-256=9, sha-512=8" && r.Header.Get("Want-Digest") != ""; asked != begins {
			t.Errorf("asked with range %q: %v", r.Header.Get("Range"), asked)
		}
	}
}

// An origin that redirects to mirrors tells of them where it redirects (RFC 6249 §6).
func TestPromisesOfRedirects(t *testing.T) {
	o := newOrigin(t, plain)
	zero := base64.StdEncoding.EncodeToString(make([]byte, 32))
	o.on("/end", header(200, "0123456789", "Digest", "sha-256="+zero+", md5="+bMD5, "Link", "</c>; rel=duplicate"))
	redirect := func(pairs ...string) http.HandlerFunc {
		return header(302, "", append(pairs, "Location", "/end", "Digest", "sha-256="+b256)...)
	}
	s := newSource(t, nil)
	res, _, err := sourcetest.Read(t, s, o.on("/a", redirect("Link", "</a>; rel=duplicate; pri=1")), source.From(0))
	if err != nil || len(res.Links) != 2 || res.Links[0].URL != o.URL+"/a" || res.Links[1].URL != o.URL+"/c" {
		t.Errorf("got %+v, %v", res, err)
	} else if got := said(res.Digests); !strings.HasPrefix(got, fmt.Sprintf("sha-256=%x/32 md5=", sum256[:2])) {
		t.Errorf("digests %s", got)
	}
	// Without a duplicate, Digest is that of the page which says where to go.
	res, _, err = sourcetest.Read(t, s, o.on("/b", redirect("Link", "</b>; rel=describedby")), source.From(0))
	if err != nil || len(res.Links) != 2 || !strings.HasPrefix(said(res.Digests), "sha-256=0000/32 md5=") {
		t.Errorf("got %+v, %v", res, err)
	}
}

func FuzzDigests(f *testing.F) {
	for _, s := range []string{"sha-256=:" + b256 + ":;a=\"b\", c=?1", "x=1.5;y=@3", "crc32c=7,md5=" + bMD5, "a=:", "a=\"\\"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		all := digests(http.Header{"Repr-Digest": {text}, "Content-Digest": {text}, "Digest": {text}}, true)
		for _, d := range all {
			if len(d.Value) != checksum.Size(d.Algorithm) {
				t.Errorf("%q: %s of %d bytes", text, d.Algorithm, len(d.Value))
			}
		}
		if len(all) > len(checksum.Names()) {
			t.Errorf("%q: %d digests", text, len(all))
		}
	})
}
