package fetch

import (
	"encoding/base64"
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"spate/event"
	"spate/format/checksum"
	"spate/internal/farm"
	"spate/source"
)

func sumOf(t *testing.T, algorithm string, data []byte) checksum.Sum {
	t.Helper()
	h, err := checksum.New(algorithm)
	must(t, err)
	h.Write(data)
	return checksum.Sum{Algorithm: algorithm, Value: h.Sum(nil)}
}

// reprDigest is a header with the digests of data (RFC 9530).
func reprDigest(t *testing.T, data []byte, algorithms ...string) http.Header {
	var fields []string
	for _, a := range algorithms {
		fields = append(fields, a+"=:"+base64.StdEncoding.EncodeToString(sumOf(t, a, data).Value)+":")
	}
	return http.Header{"Repr-Digest": {strings.Join(fields, ", ")}}
}

// The whole has the digests that were promised, or no name.
func TestChecksums(t *testing.T) {
	data, other := content(5<<20), content(5<<20+1)
	for _, algorithm := range checksum.Names() {
		for _, isRight := range []bool{true, false} {
			f := farm.New()
			defer f.Close()
			f.Serve("/x", farm.Resource{Body: data})
			path := filepath.Join(t.TempDir(), "x")
			promised := sumOf(t, algorithm, other)
			if isRight {
				promised = sumOf(t, algorithm, data)
			}
			done, err := download(t.Context(), t, path, &ObjectOptions{Connections: 3, Checksums: []checksum.Sum{promised}}, f.URL("/x"))
			if isRight {
				must(t, err)
				wantWhole(t, path, data, done)
				if len(done.Digests) != 1 || !done.Digests[0].Equal(promised) {
					t.Errorf("%v, want %v", done.Digests, promised)
				}
				continue
			}
			if !errors.Is(err, source.ErrCorrupt) || !errors.Is(err, checksum.ErrMismatch) || done.Digests != nil || done.Size != int64(len(data)) {
				t.Errorf("%s: %+v, %v", algorithm, done, err)
			}
			wantNames(t, path, filepath.Base(path)+Ext)
		}
	}
}

// Nothing goes on with what was not as promised, also where some of it was there before.
func TestNothingGoesOnWithWhatIsWrong(t *testing.T) {
	f := farm.New()
	defer f.Close()
	data := content(16 << 20)
	path := filepath.Join(t.TempDir(), "x")
	cutShort(t, f, path, farm.Resource{Body: lying(data, 1000), ETag: `"1"`})
	f.Serve("/x", farm.Resource{Body: data, ETag: `"1"`})
	opts := &ObjectOptions{Connections: 2, Checksums: []checksum.Sum{sumOf(t, checksum.BLAKE3, data)}}
	if done, err := download(t.Context(), t, path, opts, f.URL("/x")); !errors.Is(err, source.ErrCorrupt) {
		t.Fatalf("%+v, %v", done, err)
	}
	wantNames(t, path, filepath.Base(path)+Ext)
	done, err := download(t.Context(), t, path, opts, f.URL("/x"))
	must(t, err)
	if done.Resumed != 0 {
		t.Errorf("%+v", done)
	}
	wantWhole(t, path, data, done)
}

// Several digests are told in the order in which they were asked for, then those that were promised.
func TestHashes(t *testing.T) {
	f := farm.New()
	defer f.Close()
	data := content(1 << 20)
	f.Serve("/x", farm.Resource{Body: data})
	done, err := download(t.Context(), t, filepath.Join(t.TempDir(), "x"), &ObjectOptions{Hashes: []string{checksum.MD5, checksum.SHA256},
		Checksums: []checksum.Sum{sumOf(t, checksum.SHA512, data), sumOf(t, checksum.MD5, data)}}, f.URL("/x"))
	must(t, err)
	want := []string{checksum.MD5, checksum.SHA256, checksum.SHA512}
	if len(done.Digests) != len(want) {
		t.Fatalf("%v, want %v", done.Digests, want)
	}
	for i, a := range want {
		if !done.Digests[i].Equal(sumOf(t, a, data)) {
			t.Errorf("%v, want %v", done.Digests[i], sumOf(t, a, data))
		}
	}
}

// What the origin says of the whole counts, where any digest is wanted.
func TestReprDigest(t *testing.T) {
	data, other := content(3<<20), content(3<<20+1)
	promise := []checksum.Sum{sumOf(t, checksum.BLAKE3, data)}
	for _, c := range []struct {
		name     string
		header   http.Header
		opts     ObjectOptions
		computed int
		wrong    bool
	}{
		{"right", reprDigest(t, data, "sha-256"), ObjectOptions{Hashes: sha256Only}, 1, false},
		{"wrong", reprDigest(t, other, "sha-256"), ObjectOptions{Hashes: sha256Only}, 1, true},
		{"wrong, and nobody wants one", reprDigest(t, other, "sha-256"), ObjectOptions{}, 0, false},
		{"right, and nobody wants one but that", reprDigest(t, data, "sha-512"), ObjectOptions{Told: true}, 1, false},
		{"wrong, and nobody wants one but that", reprDigest(t, other, "sha-256"), ObjectOptions{Told: true}, 1, true},
		{"none, and nobody wants one but that", nil, ObjectOptions{Told: true}, 0, false},
		{"another than is wanted, right", reprDigest(t, data, "sha-512"), ObjectOptions{Hashes: sha256Only}, 2, false},
		{"another than is wanted, wrong", reprDigest(t, other, "sha-512"), ObjectOptions{Hashes: sha256Only}, 2, true},
		{"one of them is wanted: no more than that", reprDigest(t, data, "sha-512", "sha-256"), ObjectOptions{Hashes: sha256Only}, 1, false},
		{"none of them is: the strongest", reprDigest(t, data, "sha-256", "sha-512"), ObjectOptions{Hashes: []string{checksum.MD5}}, 2, false},
		{"another is promised, wrong", reprDigest(t, other, "sha-256"), ObjectOptions{Checksums: promise}, 2, true},
		{"another is promised, right", reprDigest(t, data, "sha-256"), ObjectOptions{Checksums: promise}, 2, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := farm.New()
			defer f.Close()
			f.Serve("/x", farm.Resource{Body: data, Header: c.header})
			path := filepath.Join(t.TempDir(), "x")
			done, err := download(t.Context(), t, path, &c.opts, f.URL("/x"))
			if c.wrong {
				if !errors.Is(err, source.ErrCorrupt) {
					t.Fatalf("%+v, %v", done, err)
				}
				wantNames(t, path, filepath.Base(path)+Ext)
				return
			}
			must(t, err)
			wantWhole(t, path, data, done)
			if len(done.Digests) != c.computed {
				t.Errorf("%v, want %d", done.Digests, c.computed)
			}
		})
	}
}

// What an origin says is kept, so that it counts for who goes on as well, who is not told.
func TestReprDigestOfWhatWasBegun(t *testing.T) {
	data := content(16 << 20)
	for _, c := range []struct {
		name string
		told []byte // whose digest the origin has told
		now  http.Header
		want error
	}{
		{"right", data, nil, nil},
		{"wrong", content(5), nil, source.ErrCorrupt},
		{"another one by now", data, reprDigest(t, content(5), "sha-512"), source.ErrChanged},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := farm.New()
			defer f.Close()
			path := filepath.Join(t.TempDir(), "x")
			cutShort(t, f, path, farm.Resource{Body: data, ETag: `"1"`, Header: reprDigest(t, c.told, "sha-512")})
			f.Serve("/x", farm.Resource{Body: data, ETag: `"1"`, Header: c.now})
			done, err := download(t.Context(), t, path, &ObjectOptions{Hashes: sha256Only}, f.URL("/x"))
			if !errors.Is(err, c.want) {
				t.Fatalf("%+v, %v", done, err)
			}
			if err == nil && done.Digest(checksum.SHA512) == nil {
				t.Errorf("%v", done.Digests)
			}
		})
	}
}

// A mirror that says it has something else gives no byte.
func TestMirrorOfAnotherDigest(t *testing.T) {
	data, other := content(16<<20), lying(content(16<<20), 5)
	for _, c := range []struct {
		name string
		x, y http.Header
		opts ObjectOptions
		kind string
	}{
		{"than the first", reprDigest(t, data, "sha-256"), reprDigest(t, other, "sha-256"), ObjectOptions{}, "changed"},
		{"than was promised", nil, reprDigest(t, other, "sha-256"), ObjectOptions{Checksums: []checksum.Sum{sumOf(t, "sha-256", data)}}, "corrupt"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := farm.New()
			defer f.Close()
			f.Serve("/x", farm.Resource{Body: data, Header: c.x})
			f.Serve("/y", farm.Resource{Body: other, Header: c.y})
			var h heard
			c.opts.Connections, c.opts.Events = 4, h.sink
			path := filepath.Join(t.TempDir(), "x")
			done, err := download(t.Context(), t, path, &c.opts, f.URL("/x"), f.URL("/y"))
			must(t, err)
			wantWhole(t, path, data, done)
			aside := h.of(event.Aside)
			if len(aside) != 1 || aside[0].URL != f.URL("/y") || aside[0].Kind != c.kind || !strings.Contains(aside[0].Error, "digest") {
				t.Errorf("set aside: %+v", aside)
			}
			if n := f.Requests("/y"); n != 1 {
				t.Errorf("%d requests", n)
			}
		})
	}
}

// The same of the only one: nothing is downloaded.
func TestOriginOfAnotherDigest(t *testing.T) {
	f := farm.New()
	defer f.Close()
	data := content(1 << 20)
	f.Serve("/x", farm.Resource{Body: data, Header: reprDigest(t, data, "sha-256")})
	path := filepath.Join(t.TempDir(), "x")
	_, err := download(t.Context(), t, path, &ObjectOptions{Checksums: []checksum.Sum{sumOf(t, "sha-256", nil)}}, f.URL("/x"))
	if !errors.Is(err, source.ErrCorrupt) {
		t.Errorf("%v", err)
	}
	wantNames(t, path)
}
