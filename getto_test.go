package spate

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"spate/event"
	"spate/fetch"
	"spate/format/checksum"
	"spate/internal/farm"
	"spate/source"
)

// wantHandedOn: all of want was handed on, and is told of.
func wantHandedOn(t *testing.T, got, want []byte, res *Result, err error) {
	t.Helper()
	must(t, err)
	sameBytes(t, got, want)
	sum := sha256.Sum256(want)
	if res.Bytes != int64(len(want)) || !bytes.Equal(res.SHA256, sum[:]) || res.Files != 0 || res.Paths != nil || res.Part != "" {
		t.Errorf("%+v", res)
	}
}

func TestGetTo(t *testing.T) {
	origin, other := newFarm(t), newFarm(t)
	data := noise(5<<20 + 1)
	for path, r := range map[string]farm.Resource{
		"/x": {Body: data, Rate: 16 << 20}, "/no-ranges": {Body: data, NoRange: true}, "/no-length": {Body: data, NoRange: true, NoLength: true},
		"/breaks": {Body: data, NoRange: true, BreakAt: 3 << 20, BreakTimes: 1}, "/empty": {}, "/small": {Body: data[:10]},
		"/it.parts": {Body: []byte("x\n--\nsmall\n")}, "/it-seq": {Body: []byte("\x03\x00\x00\x00abc")},
	} {
		origin.Serve(path, r)
	}
	other.Serve("/x", farm.Resource{Body: data, Rate: 16 << 20})
	local := filepath.Join(t.TempDir(), "FILE")
	must(t, os.WriteFile(local, data, 0o600))
	localURL, err := URL(local)
	must(t, err)
	for _, test := range []struct {
		name string
		url  string
		opts GetOptions
		want []byte
	}{
		{"one", origin.URL("/x"), GetOptions{}, data},
		{"four connections", origin.URL("/x"), GetOptions{Connections: 4, MinRange: 1 << 18}, data},
		{"mirrors", origin.URL("/x"),
			GetOptions{Connections: 4, MinRange: 1 << 18, Mirrors: []Mirror{{URL: other.URL("/x")}}, MirrorsAgree: true}, data},
		{"the first is gone", origin.URL("/gone"), GetOptions{Mirrors: []Mirror{{URL: other.URL("/x")}}}, data},
		{"no ranges", origin.URL("/no-ranges"), GetOptions{Connections: 4}, data},
		{"no length", origin.URL("/no-length"), GetOptions{Connections: 4}, data},
		{"breaks", origin.URL("/breaks"), GetOptions{Connections: 4}, data},
		{"empty", origin.URL("/empty"), GetOptions{}, nil},
		{"small", origin.URL("/small"), GetOptions{}, data[:10]},
		{"checksums", origin.URL("/x"), GetOptions{Checksums: []checksum.Sum{sumOf(data)}}, data},
		{"a limit that is met", origin.URL("/no-length"), GetOptions{Limits: Limits{Bytes: int64(len(data)), FileSize: int64(len(data))}}, data},
		{"a manifest", origin.URL("/it.parts"), GetOptions{Connections: 4}, append(bytes.Clone(data), data[:10]...)},
		{"a manifest with a digest", origin.URL("/it.parts"),
			GetOptions{Checksums: []checksum.Sum{sumOf(append(bytes.Clone(data), data[:10]...))}},
			append(bytes.Clone(data), data[:10]...)},
		{"a sequence", origin.URL("/it-seq"), GetOptions{}, []byte("\x03\x00\x00\x00abc")},
		{"local", localURL, GetOptions{Checksums: []checksum.Sum{sumOf(data)}}, data},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			res, err := newClient(t).GetTo(t.Context(), &out, test.url, &test.opts)
			wantHandedOn(t, out.Bytes(), test.want, res, err)
		})
	}
}

func sumOf(data []byte) checksum.Sum {
	sum := sha256.Sum256(data)
	return checksum.Sum{Algorithm: checksum.SHA256, Value: sum[:]}
}

// What a Metalink file promises holds for what is handed on, too.
func TestGetToMetalink(t *testing.T) {
	origin := newFarm(t)
	data := noise(5 << 20)
	lie := bytes.Clone(data)
	lie[3<<20]++
	origin.Serve("/a", farm.Resource{Body: data})
	origin.Serve("/lie", farm.Resource{Body: lie})
	origin.Serve("/untold", farm.Resource{Body: lie, NoLength: true, NoRange: true})
	here := filepath.Join(t.TempDir(), "lie")
	must(t, os.WriteFile(here, lie, 0o600))
	local, err := URL(here)
	must(t, err)
	a, liar, untold := origin.URL("/a"), origin.URL("/lie"), origin.URL("/untold")
	for _, test := range []struct {
		name  string
		doc   []byte
		least int // bytes that are handed on before it is an error; below 0: it is none
		most  int
	}{
		{"one mirror", described(t, "x", data, 1<<20, a), -1, 0},
		{"the first lies, pieces", described(t, "x", data, 1<<20, liar, a), -1, 0},
		{"all lie", described(t, "x", data, 0, liar), len(data), len(data)},
		{"all lie, pieces", described(t, "x", data, 1<<20, liar), 0, 3 << 20},
		{"all lie, one piece", described(t, "x", data, 5<<20, liar), 0, 0},
		{"all lie, and tell no size", described(t, "x", data, 1<<20, untold), 3 << 20, 4<<20 - 1},
		{"a local one lies", described(t, "x", data, 1<<20, local), 3 << 20, 4<<20 - 1},
		{"a local one lies, no pieces", described(t, "x", data, 0, local), len(data), len(data)},
		{"several", bytes.Replace(described(t, "x", data, 0, a), []byte("</file>"),
			[]byte(`</file><file name="y"><url>`+a+`</url></file>`), 1), 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			meta := filepath.Join(t.TempDir(), "it.meta4")
			must(t, os.WriteFile(meta, test.doc, 0o600))
			url, err := URL(meta)
			must(t, err)
			var out bytes.Buffer
			res, err := newClient(t).GetTo(t.Context(), &out, url, nil)
			if test.least < 0 {
				wantHandedOn(t, out.Bytes(), data, res, err)
				return
			}
			if err == nil || !errors.Is(err, source.ErrCorrupt) && !errors.Is(err, errSeveral) || res.SHA256 != nil {
				t.Errorf("%+v, %v", res, err)
			}
			if n := out.Len(); n < test.least || n > test.most || res.Bytes != int64(n) {
				t.Errorf("%d bytes were handed on, %d are told, want %d to %d", n, res.Bytes, test.least, test.most)
			}
		})
	}
}

// URLs that are named together, and are no mirrors of each other, are an error, once that is known.
func TestGetToMirrorsAgree(t *testing.T) {
	origin := newFarm(t)
	data := noise(8 << 20)
	other := bytes.Clone(data)
	for i := range other {
		other[i] ^= 1
	}
	for path, body := range map[string][]byte{"/x": data, "/y": data, "/other": other, "/longer": append(data, 0), "/empty": nil} {
		origin.Serve(path, farm.Resource{Body: body})
	}
	for _, test := range []struct {
		a, b    string
		differs bool
	}{
		{"/x", "/y", false},
		{"/x", "/gone", false},
		{"/x", "/other", true},
		{"/x", "/longer", true},
		{"/empty", "/empty", false},
		{"/empty", "/x", true},
	} {
		for _, n := range []int{1, 4} {
			t.Run(fmt.Sprint(test.a, test.b, n), func(t *testing.T) {
				opts := &GetOptions{Mirrors: []Mirror{{URL: origin.URL(test.b)}}, MirrorsAgree: true, Connections: n}
				_, err := newClient(t).GetTo(t.Context(), io.Discard, origin.URL(test.a), opts)
				if _, isDiffer := errors.AsType[*fetch.DifferError](err); isDiffer != test.differs || errors.Is(err, source.ErrCorrupt) != test.differs ||
					(err != nil) != test.differs {
					t.Errorf("error %v", err)
				}
			})
		}
	}
}

// Limits end what is handed on where they are met, and what tells that it is larger is not begun.
func TestGetToLimits(t *testing.T) {
	origin := newFarm(t)
	const text = "0123456789"
	origin.Serve("/told", farm.Resource{Body: []byte(text)})
	origin.Serve("/untold", farm.Resource{Body: []byte(text), NoLength: true, NoRange: true})
	origin.Serve("/it.parts", farm.Resource{Body: []byte("told\n")})
	for _, path := range []string{"/told", "/untold", "/it.parts"} {
		for _, limits := range []Limits{{Bytes: 9}, {FileSize: 9}} {
			want := text[:9]
			if path == "/told" && limits.FileSize > 0 {
				want = ""
			}
			var out bytes.Buffer
			res, err := newClient(t).GetTo(t.Context(), &out, origin.URL(path), &GetOptions{Limits: limits})
			if !errors.Is(err, ErrLimit) || out.String() != want || res.Bytes != int64(len(want)) {
				t.Errorf("%s, %+v: %q, %v", path, limits, out.String(), err)
			}
		}
	}
}

// The error of who takes the bytes is the caller's own.
func TestGetToEndsWithItsWriter(t *testing.T) {
	origin := newFarm(t)
	origin.Serve("/x", farm.Resource{Body: noise(1 << 20)})
	origin.Serve("/it.parts", farm.Resource{Body: []byte("x\n")})
	for _, path := range []string{"/x", "/it.parts"} {
		broken := &fs.PathError{Op: "write", Path: "|1", Err: syscall.EPIPE}
		var events []event.Type
		opts := &GetOptions{Events: func(e event.Event) {
			if e.Type == event.File || e.Type == event.Done {
				events = append(events, e.Type)
			}
		}}
		res, err := newClient(t).GetTo(t.Context(), failing{broken}, origin.URL(path), opts)
		if !errors.Is(err, syscall.EPIPE) || res.Bytes != 0 || res.SHA256 != nil || events != nil {
			t.Errorf("%s: %v, %+v, %v", path, err, res, events)
		}
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// What cannot be answered is the same error as to a file.
func TestGetToErrors(t *testing.T) {
	origin := newFarm(t)
	origin.Serve("/it.parts", farm.Resource{Body: []byte("gone\n")})
	mirrors := []Mirror{{URL: origin.URL("/gone-too")}}
	for _, test := range []struct {
		path string
		opts GetOptions
		want error
	}{
		{"/gone", GetOptions{}, fs.ErrNotExist},
		{"/gone", GetOptions{Mirrors: mirrors}, fs.ErrNotExist},
		{"/it.parts", GetOptions{}, fs.ErrNotExist},
		{"/it.parts", GetOptions{Mirrors: mirrors}, errAlone},
		{"/gone", GetOptions{FindChecksum: true}, fs.ErrNotExist},
	} {
		var out bytes.Buffer
		res, err := newClient(t).GetTo(t.Context(), &out, origin.URL(test.path), &test.opts)
		if !errors.Is(err, test.want) || out.Len() > 0 || res.Bytes > 0 {
			t.Errorf("%s: %v, %+v", test.path, err, res)
		}
	}
}
