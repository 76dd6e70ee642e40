package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"spate/assemble"
	"spate/fetch"
	"spate/source"
)

func TestComingBack(t *testing.T) {
	now := time.Date(2026, 3, 4, 14, 58, 30, 0, time.Local)
	for _, test := range []struct {
		wait time.Duration
		want string
	}{
		{1, "in 1 s"},
		{59 * time.Second, "in 59 s"},
		{time.Minute, "in 60 s"},
		{time.Minute + 1, "in 2 min, at 15:00"},
		{2*time.Hour + 5*time.Minute, "in 2 h 5 min, at 17:04"},
		{3 * time.Hour, "in 3 h, at 17:59"},
		{24 * time.Hour, "in 24 h, at 14:59 on 5 March"},
	} {
		if got := comingBack(test.wait, now); got != test.want {
			t.Errorf("%v: %q, want %q", test.wait, got, test.want)
		}
	}
}

// Whoever has to come back is told when: of several origins, at the earliest.
func TestHintToComeBack(t *testing.T) {
	busy := func(after time.Duration) error {
		return &source.Error{Op: "open", URL: "http://a/", Kind: source.KindStatus, Status: 503, RetryAfter: after, Err: errors.New("503")}
	}
	for name, err := range map[string]error{
		"one":     busy(30 * time.Second),
		"mirrors": &fetch.MirrorsError{Errs: []error{busy(0), busy(time.Hour), busy(30 * time.Second)}},
		"a part":  &assemble.PartError{Manifest: "http://a/m.parts", Errs: []error{busy(30 * time.Second), busy(2 * time.Minute)}},
	} {
		if got := hintOf(err); got != "come back in 30 s" {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := hintOf(busy(0)); strings.Contains(got, "come back") {
		t.Errorf("not told: %q", got)
	}
}
