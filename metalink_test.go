package spate

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"spate/format/checksum"
	"spate/format/metalink"
	"spate/internal/farm"
	"spate/source"
)

// described is a Metalink file of data, which is at the URLs.
func described(t *testing.T, name string, data []byte, piece int, urls ...string) []byte {
	t.Helper()
	whole := sha256.Sum256(data)
	f := metalink.File{Name: name, Size: int64(len(data)), Hashes: []metalink.Hash{{Algorithm: "sha-256", Value: whole[:]}}}
	if piece > 0 {
		f.Pieces = &metalink.Pieces{Algorithm: "sha-256", Length: int64(piece)}
		for off := 0; off < len(data); off += piece {
			sum := sha256.Sum256(data[off:min(off+piece, len(data))])
			f.Pieces.Values = append(f.Pieces.Values, sum[:])
		}
	}
	for i, u := range urls {
		f.URLs = append(f.URLs, metalink.URL{URL: u, Priority: i + 1})
	}
	var b bytes.Buffer
	must(t, metalink.Encode(&b, &metalink.Metalink{Files: []metalink.File{f}}))
	return b.Bytes()
}

func noise(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*i>>7) ^ byte(i>>13)
	}
	return b
}

func TestGetMetalink(t *testing.T) {
	origin := newFarm(t)
	data := noise(5 << 20)
	lie := bytes.Clone(data)
	lie[3<<20]++
	origin.Serve("/a", farm.Resource{Body: data})
	origin.Serve("/lie", farm.Resource{Body: lie})
	origin.Serve("/short", farm.Resource{Body: data[1:]})
	a, liar, gone, short := origin.URL("/a"), origin.URL("/lie"), origin.URL("/gone"), origin.URL("/short")
	for _, test := range []struct {
		name string
		doc  []byte
		err  error
	}{
		{"one mirror", described(t, "x", data, 1<<20, a), nil},
		{"the first is gone", described(t, "x", data, 1<<20, gone, a), nil},
		{"the first lies, pieces", described(t, "x", data, 1<<20, liar, a), nil},
		{"the first has another size", described(t, "x", data, 0, short, a), nil},
		{"all lie", described(t, "x", data, 0, liar), source.ErrCorrupt},
		{"all lie, pieces", described(t, "x", data, 1<<20, liar), source.ErrCorrupt},
		{"all are gone", described(t, "x", data, 0, gone), os.ErrNotExist},
		{"another size than none", described(t, "x", nil, 0, a), source.ErrCorrupt},
		{"no Metalink file", []byte("<metalink>"), source.ErrUnavailable},
	} {
		t.Run(test.name, func(t *testing.T) {
			origin.Serve("/x.meta4", farm.Resource{Body: test.doc})
			origin.Serve("/called-so", farm.Resource{Body: test.doc, MediaType: metalink.MediaType})
			dir := t.TempDir()
			local := filepath.Join(dir, "it.meta4")
			must(t, os.WriteFile(local, test.doc, 0o600))
			localURL, err := URL(local)
			must(t, err)
			for _, url := range []string{origin.URL("/x.meta4"), origin.URL("/called-so"), localURL} {
				out := t.TempDir()
				res, err := newClient(t).Get(t.Context(), url, "", &GetOptions{Dir: out, RetryMax: -1})
				if !errors.Is(err, test.err) {
					t.Fatalf("%s: %v, want %v", url, err, test.err)
				}
				got, readErr := os.ReadFile(filepath.Join(out, "x"))
				if err != nil {
					if readErr == nil {
						t.Errorf("%s: there is a file beside the error", url)
					}
					continue
				}
				if !bytes.Equal(got, data) || res.Files != 1 {
					t.Errorf("%s: %d bytes of %d, %+v", url, len(got), len(data), res)
				}
			}
		})
	}
}

// What is read in order, as what is local is, is compared with all that was promised.
func TestGetMetalinkOfWhatIsReadInOrder(t *testing.T) {
	data := noise(3 << 20)
	lie := bytes.Clone(data)
	lie[len(lie)-1]++
	for _, test := range []struct {
		name string
		body []byte
		err  error
	}{{"right", data, nil}, {"wrong", lie, source.ErrCorrupt}, {"short", data[1:], source.ErrCorrupt}} {
		for what, forget := range map[string]func(f *metalink.File){
			"size, pieces": func(f *metalink.File) { f.Hashes = nil },
			"pieces":       func(f *metalink.File) { f.Hashes, f.Size = nil, -1 },
			"whole":        func(f *metalink.File) { f.Pieces, f.Size = nil, -1 },
		} {
			t.Run(test.name+", "+what, func(t *testing.T) {
				dir := t.TempDir()
				there, out := filepath.Join(dir, "there"), filepath.Join(dir, "out")
				must(t, os.WriteFile(there, test.body, 0o600))
				url, err := URL(there)
				must(t, err)
				doc, err := metalink.Decode(bytes.NewReader(described(t, "x", data, 1<<20, url)))
				must(t, err)
				forget(&doc.Files[0])
				var b bytes.Buffer
				must(t, metalink.Encode(&b, doc))
				must(t, os.WriteFile(filepath.Join(dir, "x.meta4"), b.Bytes(), 0o600))
				url, err = URL(filepath.Join(dir, "x.meta4"))
				must(t, err)
				if _, err := newClient(t).Get(t.Context(), url, out, nil); !errors.Is(err, test.err) {
					t.Errorf("%v, want %v", err, test.err)
				}
				if _, err := os.Stat(out); (err == nil) != (test.err == nil) {
					t.Errorf("under the final name: %v", err)
				}
			})
		}
	}
}

// A file of which nothing is promised is not read again.
func TestNothingPromised(t *testing.T) {
	g := &getter{}
	if err := g.hasChecksums(t.Context(), unreadable{}, 1); err != nil {
		t.Error(err)
	}
}

// unreadable is a file that cannot be read.
type unreadable struct{}

func (unreadable) ReadAt([]byte, int64) (int, error) { return 0, os.ErrInvalid }

// Files of one name in several folders are several files, as is one that another would be written to at first.
func TestGetMetalinkOfFolders(t *testing.T) {
	origin := newFarm(t)
	origin.Serve("/one", farm.Resource{Body: []byte("one")})
	origin.Serve("/two", farm.Resource{Body: []byte("two")})
	var b bytes.Buffer
	must(t, metalink.Encode(&b, &metalink.Metalink{Files: []metalink.File{
		{Name: "a/x", Size: -1, URLs: []metalink.URL{{URL: origin.URL("/one"), Priority: 1}}},
		{Name: "b/x", Size: -1, URLs: []metalink.URL{{URL: origin.URL("/two"), Priority: 1}}},
		{Name: "c/X.part", Size: -1, URLs: []metalink.URL{{URL: origin.URL("/one"), Priority: 1}}},
	}}))
	origin.Serve("/x.meta4", farm.Resource{Body: b.Bytes()})
	for _, mode := range []IfExists{ExistsResume, ExistsOverwrite} {
		dir := t.TempDir()
		_, err := newClient(t).Get(t.Context(), origin.URL("/x.meta4"), "", &GetOptions{Dir: dir, IfExists: mode})
		must(t, err)
		wantFiles(t, dir, map[string]string{"x": "one", "b_x": "two", "c_X.part": "one"})
	}
}

func TestDescribedNames(t *testing.T) {
	for _, test := range []struct{ names, want string }{
		{"x", "x"},
		{"a/x", "x"},
		{"a/x b/x c/x", "x b_x c_x"},
		{"a/x b/X", "x b_X"},
		{"x b/x b_x", "x b_x b_x.1"},
		{"x? x* x| b/x?", "x_ x_.1 x_.2 b_x_"},
		{"x x.part", "x x.part.1"},
		{"x.PART x", "x.PART x.1"},
		{"a/x.part b/x b_x.part", "x.part b_x b_x.part.1"},
		{".. a", "download a"},
	} {
		var files []metalink.File
		for name := range strings.FieldsSeq(test.names) {
			files = append(files, metalink.File{Name: name})
		}
		if got := strings.Join(describedNames(files), " "); got != test.want {
			t.Errorf("%s: %s, want %s", test.names, got, test.want)
		}
	}
}

// A remote Metalink file names nothing local.
func TestGetMetalinkNamesNothingLocal(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	must(t, os.WriteFile(secret, []byte("secret"), 0o600))
	url, err := URL(secret)
	must(t, err)
	origin := newFarm(t)
	origin.Serve("/x.meta4", farm.Resource{Body: described(t, "x", []byte("secret"), 0, url)})
	dir := t.TempDir()
	_, err = newClient(t).Get(t.Context(), origin.URL("/x.meta4"), "", &GetOptions{Dir: dir})
	if e, ok := errors.AsType[*source.Error](err); !ok || e.Kind != source.KindRefused {
		t.Errorf("error %v", err)
	}
	wantFiles(t, dir, nil)
}

// A file of which there are descriptions alone is not taken for a local one.
func TestGetMetalinkOfDescriptions(t *testing.T) {
	origin := newFarm(t)
	origin.Serve("/x.meta4", farm.Resource{Body: []byte(`<metalink xmlns="urn:ietf:params:xml:ns:metalink"><file name="x">` +
		`<metaurl mediatype="torrent">http://host/x.torrent</metaurl></file></metalink>`)})
	_, err := newClient(t).Get(t.Context(), origin.URL("/x.meta4"), "", &GetOptions{Dir: t.TempDir()})
	if source.KindOf(err) != source.KindProtocol || !strings.Contains(err.Error(), "metaurl") {
		t.Errorf("error %v", err)
	}
}

// An origin's links give mirrors, and a description with digests (RFC 6249).
func TestGetLinks(t *testing.T) {
	origin := newFarm(t)
	data := noise(3 << 20)
	lie := bytes.Clone(data)
	lie[1<<20]++
	origin.Serve("/mirror", farm.Resource{Body: data})
	doc := described(t, "x", data, 1<<20, origin.URL("/mirror"))
	origin.Serve("/x.meta4", farm.Resource{Body: doc})
	for _, test := range []struct {
		name string
		body []byte
		link string
		err  error
	}{
		{"described", data, `<%[1]s/x.meta4>; rel=describedby; type="application/metalink4+xml"`, nil},
		{"described, and wrong here", lie, `<%[1]s/x.meta4>; rel=describedby; type="application/metalink4+xml"`, nil},
		{"duplicate", data, `<%[1]s/mirror>; rel=duplicate; pri=1`, nil},
		{"a description that is not there", data, `<%[1]s/none.meta4>; rel=describedby; type="application/metalink4+xml"`, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			link := fmt.Sprintf(test.link, origin.URL(""))
			origin.Serve("/x", farm.Resource{Body: test.body, Header: http.Header{"Link": {link}}})
			dir := t.TempDir()
			_, err := newClient(t).Get(t.Context(), origin.URL("/x"), "", &GetOptions{Dir: dir, RetryMax: -1})
			must(t, err)
			got, err := os.ReadFile(filepath.Join(dir, "x"))
			must(t, err)
			if !bytes.Equal(got, data) {
				t.Error("the file is not what the description promises")
			}
		})
	}
}

// A mirror that an origin's links name has to have what the origin has, as far as its answer told, also where the origin never
// answers again.
func TestGetLinkToAnother(t *testing.T) {
	data := noise(1 << 20)
	other := bytes.Clone(data)
	other[1000]++
	digest := sha256.Sum256(data)
	told := "sha-256=:" + base64.StdEncoding.EncodeToString(digest[:]) + ":"
	for _, test := range []struct {
		name   string
		mirror []byte
		digest string
		err    error
	}{
		{"same", data, told, nil},
		{"another size", data[1:], "", source.ErrCorrupt},
		{"other bytes", other, told, source.ErrCorrupt},
	} {
		t.Run(test.name, func(t *testing.T) {
			origin := newFarm(t)
			header := http.Header{"Link": {"<" + origin.URL("/mirror") + ">; rel=duplicate"}}
			if test.digest != "" {
				header.Set("Repr-Digest", test.digest)
			}
			origin.Serve("/mirror", farm.Resource{Body: test.mirror})
			origin.Serve("/x", farm.Then(farm.Resource{Body: data, Header: header}, farm.Resource{Status: 404}))
			dir := t.TempDir()
			_, err := newClient(t).Get(t.Context(), origin.URL("/x"), "", &GetOptions{Dir: dir, RetryMax: -1})
			if !errors.Is(err, test.err) {
				t.Errorf("error %v, want %v", err, test.err)
			}
			if _, gone := os.Stat(filepath.Join(dir, "x")); (gone == nil) != (test.err == nil) {
				t.Errorf("x: %v", gone)
			}
		})
	}
}

func TestGetChecksum(t *testing.T) {
	origin := newFarm(t)
	data := noise(100_000)
	sum := sha256.Sum256(data)
	origin.Serve("/x", farm.Resource{Body: data})
	origin.Serve("/x.sha256", farm.Resource{Body: fmt.Appendf(nil, "%x  x\n", sum)})
	origin.Serve("/d/y", farm.Resource{Body: data})
	origin.Serve("/d/SHA256SUMS", farm.Resource{Body: fmt.Appendf(nil, "%064x  other\n%x *y\n", 1, sum)})
	origin.Serve("/d/z", farm.Resource{Body: data})
	for _, name := range []string{"/100%25", "/%2541", "/a%20b", "/a%3Fb", "/a%2Fb"} {
		origin.Serve(name, farm.Resource{Body: data})
		origin.Serve(name+".sha256", farm.Resource{Body: fmt.Appendf(nil, "%x\n", sum)})
	}
	origin.Serve("/l/x", farm.Resource{Body: data})
	origin.Serve("/l/SHA256SUMS", farm.Resource{Body: append(bytes.Repeat([]byte("# long ago\n"), 2<<20), fmt.Sprintf("%x  x\n", sum)...)})
	origin.Serve("/m/x.meta4", farm.Resource{Body: described(t, "x", data, 0, origin.URL("/x"))})
	origin.Serve("/n/x.meta4", farm.Resource{Body: described(t, "x", data, 0, origin.URL("/x"))})
	origin.Serve("/n/x.meta4.sha256", farm.Resource{Body: fmt.Appendf(nil, "%064x", 1)})
	origin.Serve("/n/called-so", farm.Resource{Body: described(t, "x", data, 0, origin.URL("/x")), MediaType: metalink.MediaType})
	origin.Serve("/n/called-so.sha256", farm.Resource{Body: fmt.Appendf(nil, "%064x", 1)})
	origin.Serve("/o/x.meta4", farm.Resource{Body: described(t, "x", data, 0, origin.URL("/d/z"))})
	origin.Serve("/x.parts", farm.Resource{Body: []byte(origin.URL("/x"))})
	right := checksum.Sum{Algorithm: checksum.SHA256, Value: sum[:]}
	wrong := checksum.Sum{Algorithm: checksum.MD5, Value: make([]byte, 16)}
	const called = "not beside what proves to be a Metalink file" // which is known after it was looked for the output
	for _, test := range []struct {
		name, url string
		opts      GetOptions
		err       error
	}{
		{"right", "/x", GetOptions{Checksums: []checksum.Sum{right}}, nil},
		{"wrong", "/x", GetOptions{Checksums: []checksum.Sum{right, wrong}}, ErrMismatch},
		{"of a manifest, right", "/x.parts", GetOptions{Checksums: []checksum.Sum{right}}, nil},
		{"of a manifest, wrong", "/x.parts", GetOptions{Checksums: []checksum.Sum{wrong}}, ErrMismatch},
		{"found beside it", "/x", GetOptions{FindChecksum: true}, nil},
		{"found in a list", "/d/y", GetOptions{FindChecksum: true}, nil},
		{"not in the list", "/d/z", GetOptions{FindChecksum: true}, checksum.ErrNotListed},
		{"beside a name with a percent sign", "/100%25", GetOptions{FindChecksum: true}, nil},
		{"beside a name that looks escaped", "/%2541", GetOptions{FindChecksum: true}, nil},
		{"beside a name with a blank", "/a%20b", GetOptions{FindChecksum: true}, nil},
		{"beside a name with a question mark", "/a%3Fb", GetOptions{FindChecksum: true}, nil},
		{"beside a name with a slash", "/a%2Fb", GetOptions{FindChecksum: true}, nil},
		{"at the end of a long list", "/l/x", GetOptions{FindChecksum: true}, nil},
		{"beside what a Metalink file describes", "/m/x.meta4", GetOptions{FindChecksum: true}, nil},
		{"not beside the Metalink file", "/n/x.meta4", GetOptions{FindChecksum: true}, nil},
		{called, "/n/called-so", GetOptions{FindChecksum: true}, nil},
		{"not beside what a Metalink file describes", "/o/x.meta4", GetOptions{FindChecksum: true}, checksum.ErrNotListed},
		{"no list", "/none", GetOptions{FindChecksum: true}, os.ErrNotExist},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "FILE")
			_, err := newClient(t).Get(t.Context(), origin.URL(test.url), path, &test.opts)
			if !errors.Is(err, test.err) {
				t.Fatalf("%v, want %v", err, test.err)
			}
			if got, _ := os.ReadFile(path); (err == nil) != bytes.Equal(got, data) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
			if err != nil || test.name == called {
				return
			}
			if res, err := newClient(t).Get(t.Context(), origin.URL(test.url), path, &test.opts); err != nil || !slices.Equal(res.Skipped, []string{path}) {
				t.Errorf("what is there and right is fetched again: %+v, %v", res, err)
			}
		})
	}
}

// The digest of several files is that of all bytes that are told of, those that were left behind as well, or of none.
func TestGetMetalinkDigestOfSeveral(t *testing.T) {
	origin := newFarm(t)
	data := noise(3 << 20)
	origin.Serve("/broken", farm.Resource{Body: data, BreakAt: 2 << 20})
	origin.Serve("/right", farm.Resource{Body: data})
	two, err := metalink.Decode(bytes.NewReader(described(t, "broken", data, 0, origin.URL("/broken"))))
	must(t, err)
	right, err := metalink.Decode(bytes.NewReader(described(t, "right", data, 0, origin.URL("/right"))))
	must(t, err)
	two.Files = append(two.Files, right.Files...)
	var doc bytes.Buffer
	must(t, metalink.Encode(&doc, two))
	origin.Serve("/x.meta4", farm.Resource{Body: doc.Bytes()})
	res, err := newClient(t).Get(t.Context(), origin.URL("/x.meta4"), "", &GetOptions{Dir: t.TempDir(), RetryMax: -1})
	if err == nil || res.Part == "" || res.Files != 1 || res.Bytes <= int64(len(data)) {
		t.Fatalf("%v, %+v", err, res)
	}
	if res.SHA256 != nil {
		t.Errorf("a digest of %d bytes: %x", res.Bytes, res.SHA256)
	}
}
