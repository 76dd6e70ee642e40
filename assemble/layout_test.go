package assemble_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"testing"

	"spate/assemble"
	"spate/internal/farm"
	"spate/internal/model"
	"spate/source"
)

// take reads what l says the stream is: of each extent, the first mirror that has all of it.
func take(src source.Source, l *assemble.Layout) ([]byte, error) {
	var whole bytes.Buffer
	for _, e := range l.Extents {
		if int64(whole.Len()) != e.Span.Off {
			return nil, fmt.Errorf("an extent begins at %d behind %d bytes", e.Span.Off, whole.Len())
		}
		part, err := takeExtent(src, e)
		if err != nil {
			return nil, err
		}
		whole.Write(part)
	}
	if int64(whole.Len()) != l.Info.Size {
		return nil, fmt.Errorf("%d bytes of %d", whole.Len(), l.Info.Size)
	}
	return whole.Bytes(), nil
}

var errNoMirror = errors.New("no mirror has all of it")

func takeExtent(src source.Source, e assemble.Extent) ([]byte, error) {
	for _, m := range e.Mirrors {
		res, err := src.Open(context.Background(), m.URL, source.From(0))
		if err != nil {
			continue
		}
		part, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err == nil && int64(len(part)) == e.Span.Len() {
			return part, nil
		}
	}
	return nil, fmt.Errorf("%v: %w", e.Mirrors, errNoMirror)
}

// TestLayoutOfWorlds holds layouts against the oracle: where there is one, its bytes are those of the stream. The alternatives
// of a part are of the same bytes: of which of them a layout is depends on no more than their first answers.
func TestLayoutOfWorlds(t *testing.T) {
	n, seed := worlds(t)
	laid := 0
	for i := range uint64(n) {
		w, root := model.Random(rand.New(rand.NewPCG(seed+i, 1)), model.Kind{Star: i%2 == 1, Same: true})
		want := w.Read(root, worldLimit, worldDepth)
		if want.Err != nil || len(want.Out) >= worldLimit {
			continue
		}
		l, err := assemble.Lay(context.Background(), w, root, &assemble.LayoutOptions{MaxParts: 2000, MaxDepth: worldDepth})
		if err != nil {
			continue
		}
		got, err := take(w, l)
		if errors.Is(err, errNoMirror) {
			continue
		}
		laid++
		if err != nil || !bytes.Equal(got, want.Out) {
			t.Fatalf("SPATE_SEED=%d: got %q, %v\nwant %q\nroot %s\n%s", seed+i, got, err, want.Out, root, describe(w))
		}
	}
	if laid < n/20 {
		t.Errorf("SPATE_SEED=%d: %d of %d worlds had a layout", seed, laid, n)
	}
}

func TestLayout(t *testing.T) {
	f := grow(t)
	for _, name := range []string{"a", "b", "c"} {
		serve(f, "/"+name, text(name, 1000))
	}
	serve(f, "/none", nil)
	f.Serve("/unsized", farm.Resource{Body: text("unsized", 500), NoLength: true, NoTotal: true, NoRange: true})
	serve(f, "/inner.parts", lines("b", "--", "c"))
	serve(f, "/loop.parts", lines("a", "--", "loop.parts"))
	f.Serve("/typed", farm.Resource{Body: lines("a", "--", "b"), Header: map[string][]string{"Content-Type": {"text/parts-manifest"}}})

	abc := string(text("a", 1000)) + string(text("b", 1000)) + string(text("c", 1000))
	tests := []struct {
		name, manifest string
		want           string // the stream
		err            error  // where there is no layout
	}{
		{"parts", "a\n--\nb\n--\nc\n", abc, nil},
		{"one that is empty", "a\n--\nnone\n--\nb\n--\nc", abc, nil},
		{"none", "", "", nil},
		{"a manifest inside", "a\n--\ninner.parts\n", abc, nil},
		{"a manifest by its type", "typed\n--\nc\n", abc, nil},
		{"an alternative is gone", "gone\na\n--\ngone\ninner.parts", abc, nil},
		{"an alternative is a manifest that is gone", "gone.parts\na\n--\ninner.parts", abc, nil},
		{"sizes are promised", "a#size=1000\n--\nb#size=1000\n--\nc#size=1000", abc, nil},
		{"the one whose size is promised is gone", "gone#size=1000\na\n--\ninner.parts", abc, nil},
		{"no alternative is left", "a\n--\ngone", "", fs.ErrNotExist},
		{"a size that is not told", "a\n--\nunsized", "", assemble.ErrNoLayout},
		{"a size that is promised", "a\n--\nunsized#size=500", string(text("a", 1000)) + string(text("unsized", 500)), nil},
		{"a manifest that contains itself", "loop.parts", "", assemble.ErrNoLayout},
		{"a manifest of which a size is promised", "inner.parts#size=2000", "", source.ErrCorrupt},
		{"another size than the part's, promised of a mirror", "a\nb#size=7", string(text("a", 1000)), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			serve(f, "/root.parts", []byte(tt.manifest))
			src := web(t, nil)
			l, err := assemble.Lay(t.Context(), src, f.URL("/root.parts"), nil)
			if tt.err != nil {
				if !errors.Is(err, tt.err) {
					t.Fatalf("got %v, want %v", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got, err := take(src, l); err != nil || string(got) != tt.want {
				t.Fatalf("%d bytes, %v; want %d", len(got), err, len(tt.want))
			}
			for i, e := range l.Extents {
				for _, off := range []int64{e.Span.Off, e.Span.End - 1} {
					if l.At(off) != i {
						t.Errorf("offset %d is in extent %d, not in %d", off, l.At(off), i)
					}
				}
			}
		})
	}
}

func TestLayoutIsBounded(t *testing.T) {
	f := grow(t)
	serve(f, "/a", text("a", 10))
	serve(f, "/root.parts", lines("a", "--", "a", "--", "inner.parts"))
	serve(f, "/inner.parts", lines("a"))
	tests := []struct {
		name string
		opts assemble.LayoutOptions
		ok   bool
	}{
		{"as many parts as there may be", assemble.LayoutOptions{MaxParts: 4}, true},
		{"one more", assemble.LayoutOptions{MaxParts: 3}, false},
		{"as many bytes as there may be", assemble.LayoutOptions{MaxText: 24}, true},
		{"one more byte", assemble.LayoutOptions{MaxText: 23}, false},
		{"as deep as it may be", assemble.LayoutOptions{MaxDepth: 2}, true},
		{"deeper", assemble.LayoutOptions{MaxDepth: 1}, false},
		{"one request at a time", assemble.LayoutOptions{AtOnce: 1}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := assemble.Lay(t.Context(), web(t, nil), f.URL("/root.parts"), &tt.opts)
			if tt.ok != (err == nil) || !tt.ok && !errors.Is(err, assemble.ErrNoLayout) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestLayoutHolds(t *testing.T) {
	f := grow(t)
	serve(f, "/a", text("a", 10))
	serve(f, "/root.parts", lines("a", "--", "inner.parts"))
	serve(f, "/inner.parts", lines("a"))
	src := web(t, nil)
	l, err := assemble.Lay(t.Context(), src, f.URL("/root.parts"), nil)
	if err != nil {
		t.Fatal(err)
	}
	check := func(want, wantErr bool) {
		t.Helper()
		if got, err := l.Holds(t.Context(), src, nil); got != want || (err != nil) != wantErr {
			t.Errorf("got %v, %v", got, err)
		}
	}
	check(true, false)
	serve(f, "/inner.parts", lines("a", "#"))
	check(false, false)
	f.Serve("/inner.parts", farm.Resource{Status: 404})
	check(false, true)
}
