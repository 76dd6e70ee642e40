package main

import (
	"slices"
	"strings"
	"testing"
)

// lineLog remembers each write.
type lineLog []string

func (l *lineLog) Write(p []byte) (int, error) {
	*l = append(*l, string(p))
	return len(p), nil
}

func TestWholeLines(t *testing.T) {
	long := strings.Repeat("x", maxHeldLine+1)
	for _, tt := range []struct {
		name        string
		writes, out []string
	}{
		{"nothing", nil, nil},
		{"a line", []string{"a\n"}, []string{"a\n"}},
		{"pieces", []string{"a", "", "b\nc", "\n"}, []string{"ab\n", "c\n"}},
		{"several at once", []string{"a\nb\nc"}, []string{"a\nb\n", "c\n"}},
		{"no end", []string{"a"}, []string{"a\n"}},
		{"too long", []string{long, "b\n"}, []string{long + "\n", "b\n"}},
	} {
		var got lineLog
		l := &wholeLines{w: &got}
		for _, text := range tt.writes {
			l.Write([]byte(text))
		}
		l.flush()
		if !slices.Equal(got, tt.out) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.out)
		}
	}
}
