package main

import (
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// size is a number of bytes on the command line: a [pflag.Value]. It reads a decimal number with or without a
// fraction and a unit, in upper or lower case: none or B is bytes; K, M, G, T, P and KiB, MiB, GiB, TiB, PiB are
// powers of 1024; KB, MB, GB, TB, PB are powers of 1000. A fraction of a byte is dropped.
type size struct {
	bytes *int64
	min   int64
}

// units by their lower-case names; "" is none.
var units = map[string]int64{
	"": 1, "b": 1,
	"k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40, "p": 1 << 50,
	"kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40, "pib": 1 << 50,
	"kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12, "pb": 1e15,
}

var errSize = errors.New("want a size as 10M, 10MiB (both 1024·1024 bytes) or 10MB (1000·1000)")

func (s size) Set(text string) error {
	n, err := parseSize(text)
	if err != nil {
		return err
	}
	if n < s.min {
		return fmt.Errorf("want at least %d", s.min)
	}
	*s.bytes = n
	return nil
}

func (s size) Type() string { return "SIZE" }

// String is the value in a form that Set reads back: 64MiB, or plain bytes where no unit divides it.
func (s size) String() string {
	if s.bytes == nil || *s.bytes == 0 {
		return "0"
	}
	for _, u := range []string{"TiB", "GiB", "MiB", "KiB"} {
		if f := units[strings.ToLower(u)]; *s.bytes%f == 0 {
			return strconv.FormatInt(*s.bytes/f, 10) + u
		}
	}
	return strconv.FormatInt(*s.bytes, 10)
}

func parseSize(text string) (int64, error) {
	number, unit := splitUnit(strings.TrimSpace(text))
	factor, ok := units[strings.ToLower(unit)]
	if !ok || number == "" || len(number) > 30 {
		return 0, errSize
	}
	r, ok := new(big.Rat).SetString(number)
	if !ok {
		return 0, errSize
	}
	r.Mul(r, new(big.Rat).SetInt64(factor))
	n := new(big.Int).Quo(r.Num(), r.Denom())
	if !n.IsInt64() {
		return 0, errors.New("too large")
	}
	return n.Int64(), nil
}

// splitUnit cuts text behind its leading digits and dots; blanks between number and unit are dropped.
func splitUnit(text string) (number, unit string) {
	i := strings.IndexFunc(text, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
	if i < 0 {
		return text, ""
	}
	return text[:i], strings.TrimSpace(text[i:])
}

// formatBytes is n for people: "512 B", "1.5 KiB", "64.0 MiB".
func formatBytes(n int64) string {
	if n < 1<<10 {
		return fmt.Sprintf("%d B", n)
	}
	f, unit := float64(n), ""
	for _, u := range []string{"KiB", "MiB", "GiB", "TiB", "PiB"} {
		f, unit = f/1024, u
		if f < 1024 {
			break
		}
	}
	return fmt.Sprintf("%.1f %s", f, unit)
}
