package conn

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func TestValidator(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		old, young := now.Add(-settled), now.Add(-settled+time.Nanosecond)
		for _, tt := range []struct {
			name     string
			modified time.Time
			size     int64
			want     string
		}{
			{"settled is strong", old, 10, fmt.Sprintf("a-%x", old.UnixNano())},
			{"young is weak", young, 10, fmt.Sprintf("W/a-%x", young.UnixNano())},
			{"in the future is weak", now.Add(1 << 40), 0, fmt.Sprintf("W/0-%x", now.Add(1<<40).UnixNano())},
			{"no time", time.Time{}, 10, ""},
			{"the time of nothing", time.Unix(0, 0), 10, ""},
			{"no size", old, -1, ""},
		} {
			if got := Validator(tt.modified, tt.size); got != tt.want {
				t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
			}
		}
	})
}

func TestText(t *testing.T) {
	long := fmt.Sprintf("%0300d", 1)
	for in, want := range map[string]string{
		"":                       "",
		"plain text":             "plain text",
		"two\r\nlines\t\x1b[31m": "two lines [31m",
		"\x80\xff":               "?",
		long:                     long[:maxText] + "…",
	} {
		if got := Text(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}
