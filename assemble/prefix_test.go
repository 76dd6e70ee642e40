package assemble_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"testing"

	"spate/assemble"
	"spate/internal/model"
	"spate/source"
)

// TestUnverifiedPrefix: a part breaks in the middle, of which a digest was promised that is never checked. What it
// gave is not taken for right because another alternative, of an enclosing part, goes on from there.
func TestUnverifiedPrefix(t *testing.T) {
	good, bad := []byte("the whole text, as it should be"), []byte("THE whole text, as it should be")
	world := func() model.World {
		inner := fmt.Sprintf("mem://h/p#sha256=%x\n", sha256.Sum256(good))
		return model.World{
			"mem://h/p":           {Data: bad, Break: 12},
			"mem://h/whole":       {Data: good, Break: -1},
			"mem://h/inner.parts": {Manifest: true, Data: []byte(inner), Break: -1},
			"mem://h/outer.parts": {Manifest: true, Data: []byte("mem://h/inner.parts\nmem://h/whole\n"), Break: -1},
		}
	}
	t.Run("into a file", func(t *testing.T) {
		var out bytes.Buffer
		opts := &assemble.Options{Rewind: func(off int64) error { out.Truncate(int(off)); return nil }}
		r, err := assemble.Open(context.Background(), world(), "mem://h/outer.parts", opts)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if _, err := r.WriteTo(&out); err != nil || !bytes.Equal(out.Bytes(), good) {
			t.Errorf("got %q, %v; want %q", &out, err, good)
		}
	})
	t.Run("handed on", func(t *testing.T) {
		r, err := assemble.Open(context.Background(), world(), "mem://h/outer.parts", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if got, err := io.ReadAll(r); !errors.Is(err, source.ErrChanged) || !bytes.Equal(got, bad[:12]) {
			t.Errorf("got %q, %v; want the beginning and an error", got, err)
		}
	})
}
