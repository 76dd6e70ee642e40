package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestDrawBar(t *testing.T) {
	for _, tt := range []struct {
		bytes, size int64
		want        string
	}{
		{5, -1, ""},
		{5, 0, ""},
		{0, 100, "[>                   ] "},
		{4, 100, "[>                   ] "},
		{5, 100, "[=>                  ] "},
		{99, 100, "[===================>] "},
		{100, 100, "[====================] "},
		{1 << 62, 1 << 62, "[====================] "},
	} {
		if got := drawBar(status{bytes: tt.bytes, size: tt.size}); got != tt.want {
			t.Errorf("%d of %d: %q, want %q", tt.bytes, tt.size, got, tt.want)
		}
	}
}

func TestCells(t *testing.T) {
	for _, tt := range []struct {
		cells string
		n     int
		utf8  bool
		want  string
	}{
		{"#.-", 3, false, "#.-"},
		{"#.-", 9, false, "#.-"},
		{"#.-", 3, true, "█▒░"},
		{"####..--", 4, false, "##.-"},
		{"#.#-#.##", 4, false, ".-.#"},
		{"###.#", 2, false, "#."},
		{strings.Repeat("#", 63) + "-", 10, false, "#########-"},
		{"", 3, false, ""},
	} {
		if got := (canvas{utf8: tt.utf8}).cells(tt.cells, tt.n); got != tt.want {
			t.Errorf("%q in %d: %q, want %q", tt.cells, tt.n, got, tt.want)
		}
	}
}

func TestLine(t *testing.T) {
	s := status{bytes: 5, size: 10, cells: strings.Repeat("#", 32) + strings.Repeat("-", 32), rate: 1}
	half := func(n int) string { return "[" + strings.Repeat("#", n) + strings.Repeat("-", n) + "] " }
	const text = "5 B of 10 B (50%), 1 B/s, ETA 0:05"
	for width, want := range map[int]string{
		200:                  half(32) + text,
		100:                  half(15) + text,
		82:                   half(6) + text,
		81:                   "[#####------] " + text,
		len(text) + 14:       half(5) + text,
		len(text) + 13:       half(5) + text[:len(text)-1],
		20:                   half(5) + "5 B of",
		1:                    "[",
		0:                    "[",
		len(half(32)) + 1000: half(32) + text,
	} {
		if got := (canvas{width: width}).line(s, ""); got != want {
			t.Errorf("%d columns: %q, want %q", width, got, want)
		}
	}
}

// TestLabel: names are as wide as they look.
func TestLabel(t *testing.T) {
	for path, want := range map[string]string{
		"":                             "",
		"d/file":                       "file                      ",
		"d/" + strings.Repeat("x", 24): strings.Repeat("x", 24) + "  ",
		"d/" + strings.Repeat("x", 25): strings.Repeat("x", 23) + "~  ",
		"d/" + strings.Repeat("字", 13): strings.Repeat("字", 11) + "~   ",
		"d/\x1b[2J":                    `\u001b[2J                 `,
	} {
		if got := (canvas{width: 100}).label(path); got != want {
			t.Errorf("%q: %q, want %q", path, got, want)
		}
	}
}

func TestDrawBatch(t *testing.T) {
	var p progress
	for _, e := range aBatch {
		p.observe(e)
	}
	running, all := p.view(time.Unix(0, 0))
	got := canvas{width: 100, rows: 5}.lines(running, all, true)
	want := []string{
		"two                       [##.-] 2.0 KiB of 4.0 KiB (50%), 0 B/s, 2 connections",
		`th\u001bree               7 B, 0 B/s`,
		"1 of 4 done, 2 running, 1 failed, 2.0 KiB, 0 B/s"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := (canvas{width: 100, rows: 1}).lines(running, all, true); len(got) != 2 || got[1] != want[2] {
		t.Errorf("on a low terminal: %q", got)
	}
	many := make([]status, 3*maxRows)
	if got := (canvas{width: 100, rows: 50}).lines(many, all, true); len(got) != maxRows+1 {
		t.Errorf("%d lines", len(got))
	}
}
