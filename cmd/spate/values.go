package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"spate/source/limit"
)

// span is a length of time on the command line: a [pflag.Value]. It reads seconds without a unit (20, 0.5) and
// what [time.ParseDuration] reads (20s, 2m, 1h30m, 500ms). It is never negative.
type span struct{ d *time.Duration }

var errSpan = errors.New("want a time as 20 (seconds), 20s, 2m or 1h30m")

func (s span) Set(text string) error {
	d, err := parseSpan(strings.TrimSpace(text))
	if err != nil {
		return err
	}
	*s.d = d
	return nil
}

func (s span) Type() string { return "TIME" }

func (s span) String() string {
	if s.d == nil || *s.d == 0 {
		return "0"
	}
	return s.d.String()
}

func parseSpan(text string) (time.Duration, error) {
	if digits := strings.Trim(text, "0123456789."); digits == "" && text != "" {
		text += "s"
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 || strings.HasPrefix(text, "-") {
		return 0, errSpan
	}
	return d, nil
}

// rate is a limit of rate, or a timetable of limits, on the command line: a [pflag.Value].
type rate struct{ table *limit.Timetable }

func (r rate) Set(text string) error {
	table, err := limit.ParseRate(text)
	if err == nil {
		*r.table = table
	}
	return err
}

func (r rate) Type() string { return "RATE|TIMETABLE" }

func (r rate) String() string {
	if r.table == nil {
		return ""
	}
	return r.table.String()
}

// another sets another flag as if that had been given.
type another struct{ own *pflag.Flag }

func (a another) Set(text string) error {
	a.own.Changed = true
	return a.own.Value.Set(text)
}

func (a another) Type() string { return a.own.Value.Type() }

func (a another) String() string { return "" }

// kibRate sets another flag, a rate, as if that had been given: a number without a unit is of KiB, as in rclone.
type kibRate struct{ another }

func (r kibRate) Set(text string) error {
	words := strings.Fields(text)
	for i, w := range words {
		if last := w[len(w)-1]; '0' <= last && last <= '9' {
			words[i] += "K"
		}
	}
	return r.another.Set(strings.Join(words, " "))
}

// count is a whole number on the command line: a [pflag.Value] that is never below min.
type count struct {
	n   *int64
	min int64
}

func (c count) Set(text string) error {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 32)
	if err != nil {
		return errors.New("want a whole number up to 2147483647")
	}
	if n < c.min {
		return fmt.Errorf("want at least %d", c.min)
	}
	*c.n = n
	return nil
}

func (c count) Type() string { return "N" }

func (c count) String() string {
	if c.n == nil {
		return "0"
	}
	return strconv.FormatInt(*c.n, 10)
}

// choice is one word of a few on the command line: a [pflag.Value].
type choice struct {
	word  *string
	words []string
}

func (c choice) Set(text string) error {
	if !slices.Contains(c.words, text) {
		return fmt.Errorf("want %s", strings.Join(c.words, " or "))
	}
	*c.word = text
	return nil
}

func (c choice) Type() string { return strings.Join(c.words, "|") }

func (c choice) String() string {
	if c.word == nil {
		return ""
	}
	return *c.word
}
