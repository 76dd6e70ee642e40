package main

import (
	"bytes"
	"image/png"
	"strings"
	"testing"

	"spate/format/sequence"
)

func TestAnimation(t *testing.T) {
	film, err := animation(3)
	if err != nil {
		t.Fatal(err)
	}
	r := sequence.NewReader(bytes.NewReader(film))
	for n := range 3 {
		file, err := r.Next()
		if err != nil {
			t.Fatal(n, err)
		}
		m, err := png.Decode(file)
		if err != nil || m.Bounds() != frame(n).Bounds() || m.At(7, 7) != frame(n).At(7, 7) {
			t.Errorf("file %d: %v", n+1, err)
		}
	}
}

func TestRow(t *testing.T) {
	var out bytes.Buffer
	row(&out, "a", []float64{3, 1, 2}, "%.0f", 1)
	row(&out, "b", []float64{3, 1, 2}, "%.1f", 1.5)
	row(&out, "c", []float64{1}, "%.0f", 0)
	for i, want := range []string{"a 2 (1–3) >= 1: met", "b 2.0 (1.0–3.0) >= 1.5: missed", "c 1 (1–1)"} {
		if line := strings.Join(strings.Fields(strings.Split(out.String(), "\n")[i]), " "); line != want {
			t.Errorf("%q; want %q", line, want)
		}
	}
}

func TestRate(t *testing.T) {
	if s := (&showing{First: 100, Last: 1100}); s.rate(21) != 20 {
		t.Error(s.rate(21))
	}
}
