package seal

import (
	"bytes"
	"errors"
	"testing"

	"spate/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

func newBox(t *testing.T) *Box {
	t.Helper()
	b, err := New()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRoundTrip(t *testing.T) {
	b := newBox(t)
	for _, plain := range [][]byte{{}, []byte("a"), bytes.Repeat([]byte("spate"), 20000)} {
		sealed := b.Seal(nil, plain, 7)
		if len(sealed) != len(plain)+Overhead {
			t.Errorf("sealed %d bytes to %d, want %d more", len(plain), len(sealed), Overhead)
		}
		if len(plain) > 8 && bytes.Contains(sealed, plain[:8]) {
			t.Error("the plaintext shows in the sealed block")
		}
		got, err := b.Open(nil, sealed, 7)
		if err != nil || !bytes.Equal(got, plain) {
			t.Errorf("opened %d bytes, %v; want %d", len(got), err, len(plain))
		}
	}
}

func TestSameBlockTwiceDiffers(t *testing.T) {
	b := newBox(t)
	if bytes.Equal(b.Seal(nil, []byte("chorus"), 1), b.Seal(nil, []byte("chorus"), 1)) {
		t.Error("the same block sealed twice is the same: a nonce was used twice")
	}
}

func TestDoesNotOpen(t *testing.T) {
	b := newBox(t)
	sealed := b.Seal(nil, []byte("verse"), 1)
	flipped := bytes.Clone(sealed)
	flipped[len(flipped)-1] ^= 1
	cases := map[string]struct {
		box    *Box
		sealed []byte
		place  uint64
	}{
		"other place": {b, sealed, 2},
		"other key":   {newBox(t), sealed, 1},
		"flipped bit": {b, flipped, 1},
		"cut":         {b, sealed[:len(sealed)-1], 1},
		"too short":   {b, sealed[:Overhead-1], 1},
		"empty":       {b, nil, 1},
	}
	for name, c := range cases {
		if _, err := c.box.Open(nil, c.sealed, c.place); !errors.Is(err, ErrOpen) {
			t.Errorf("%s: got %v, want ErrOpen", name, err)
		}
	}
}
