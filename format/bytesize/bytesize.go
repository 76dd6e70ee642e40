// Package bytesize reads and writes numbers of bytes as people write them.
//
// A size is a decimal number, with a fraction if need be, and a unit in upper or lower case: none or B is bytes; K, M, G, T, P
// and KiB, MiB, GiB, TiB, PiB are powers of 1024; KB, MB, GB, TB, PB are powers of 1000. A fraction of a byte is dropped.
package bytesize

import (
	"errors"
	"math/big"
	"strconv"
	"strings"
)

// units by their lower-case names; "" is none.
var units = map[string]int64{
	"": 1, "b": 1,
	"k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40, "p": 1 << 50,
	"kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40, "pib": 1 << 50,
	"kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12, "pb": 1e15,
}

// The errors of [Parse].
var (
	ErrSyntax = errors.New("want a size as 10M, 10MiB (both 1024·1024 bytes) or 10MB (1000·1000)")
	ErrRange  = errors.New("too large")
)

// Parse reads a size. It is never negative. Blanks around it, and between number and unit, are allowed.
func Parse(text string) (int64, error) {
	number, unit := splitUnit(strings.TrimSpace(text))
	factor, ok := units[strings.ToLower(unit)]
	if !ok || number == "" || len(number) > 30 {
		return 0, ErrSyntax
	}
	r, ok := new(big.Rat).SetString(number)
	if !ok {
		return 0, ErrSyntax
	}
	r.Mul(r, new(big.Rat).SetInt64(factor))
	n := new(big.Int).Quo(r.Num(), r.Denom())
	if !n.IsInt64() {
		return 0, ErrRange
	}
	return n.Int64(), nil
}

// Format is n, which is not negative, in a form that Parse reads back: 64MiB, or plain bytes where no unit divides it.
func Format(n int64) string {
	if n == 0 {
		return "0"
	}
	for _, u := range []string{"TiB", "GiB", "MiB", "KiB"} {
		if f := units[strings.ToLower(u)]; n%f == 0 {
			return strconv.FormatInt(n/f, 10) + u
		}
	}
	return strconv.FormatInt(n, 10)
}

// splitUnit cuts text behind its leading digits and dots; blanks between number and unit are dropped.
func splitUnit(text string) (number, unit string) {
	i := strings.IndexFunc(text, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
	if i < 0 {
		return text, ""
	}
	return text[:i], strings.TrimSpace(text[i:])
}
