package seal

import (
	"bytes"
	"errors"
	"testing"

	"spate/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// boxes are boxes of fresh keys, of each way to seal.
func boxes(t *testing.T) map[string]*Box {
	t.Helper()
	random, err := New()
	if err != nil {
		t.Fatal(err)
	}
	secret := bytes.Repeat([]byte("k"), keySize)
	return map[string]*Box{
		"random":            random,
		"AES-256-GCM":       derived(t, secret, "salt", true),
		"ChaCha20-Poly1305": derived(t, secret, "salt", false),
	}
}

func derived(t *testing.T, secret []byte, salt string, useAES bool) *Box {
	t.Helper()
	b, err := derive(secret, []byte(salt), "tests", useAES)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRoundTrip(t *testing.T) {
	for name, b := range boxes(t) {
		for _, plain := range [][]byte{{}, []byte("a"), bytes.Repeat([]byte("spate"), 20000)} {
			sealed := b.Seal([]byte("before"), plain, []byte("7"))[len("before"):]
			if len(sealed) != len(plain)+Overhead {
				t.Errorf("%s: sealed %d bytes to %d, want %d more", name, len(plain), len(sealed), Overhead)
			}
			if len(plain) > 8 && bytes.Contains(sealed, plain[:8]) {
				t.Errorf("%s: the plaintext shows in the sealed block", name)
			}
			got, err := b.Open(nil, sealed, []byte("7"))
			if err != nil || !bytes.Equal(got, plain) {
				t.Errorf("%s: opened %d bytes, %v; want %d", name, len(got), err, len(plain))
			}
		}
	}
}

func TestSameBlockTwiceDiffers(t *testing.T) {
	for name, b := range boxes(t) {
		if bytes.Equal(b.Seal(nil, []byte("chorus"), nil), b.Seal(nil, []byte("chorus"), nil)) {
			t.Errorf("%s: the same block sealed twice is the same: a nonce was used twice", name)
		}
	}
}

func TestDoesNotOpen(t *testing.T) {
	other, err := New()
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range boxes(t) {
		sealed := b.Seal(nil, []byte("verse"), []byte("1"))
		flipped := bytes.Clone(sealed)
		flipped[len(flipped)-1] ^= 1
		nonce := bytes.Clone(sealed)
		nonce[0] ^= 1
		cases := map[string]struct {
			box    *Box
			sealed []byte
			place  string
		}{
			"other place":   {b, sealed, "2"},
			"other key":     {other, sealed, "1"},
			"flipped bit":   {b, flipped, "1"},
			"flipped nonce": {b, nonce, "1"},
			"cut":           {b, sealed[:len(sealed)-1], "1"},
			"too short":     {b, sealed[:Overhead-1], "1"},
			"empty":         {b, nil, "1"},
		}
		for what, c := range cases {
			if _, err := c.box.Open(nil, c.sealed, []byte(c.place)); !errors.Is(err, ErrOpen) {
				t.Errorf("%s, %s: got %v, want ErrOpen", name, what, err)
			}
		}
	}
}

// What one Box has sealed opens by another of the same secret, salt and use, and by no other.
func TestDerive(t *testing.T) {
	secret, otherSecret := bytes.Repeat([]byte("k"), keySize), bytes.Repeat([]byte("l"), keySize)
	for _, useAES := range []bool{true, false} {
		sealed := derived(t, secret, "salt", useAES).Seal(nil, []byte("verse"), nil)
		cases := map[string]struct {
			box   *Box
			opens bool
		}{
			"same":            {derived(t, secret, "salt", useAES), true},
			"other secret":    {derived(t, otherSecret, "salt", useAES), false},
			"other salt":      {derived(t, secret, "pepper", useAES), false},
			"other algorithm": {derived(t, secret, "salt", !useAES), false},
		}
		for name, c := range cases {
			if _, err := c.box.Open(nil, sealed, nil); (err == nil) != c.opens {
				t.Errorf("%s, AES %v: %v", name, useAES, err)
			}
		}
	}
}

func TestNothingIsAllocated(t *testing.T) {
	b, err := New()
	if err != nil {
		t.Fatal(err)
	}
	plain, place := bytes.Repeat([]byte("a"), 4096), []byte("place")
	sealed, opened := make([]byte, 0, len(plain)+Overhead), make([]byte, 0, len(plain))
	n := testing.AllocsPerRun(100, func() {
		sealed = b.Seal(sealed[:0], plain, place)
		if _, err := b.Open(opened, sealed, place); err != nil {
			t.Fatal(err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations to seal and open a block", n)
	}
}
