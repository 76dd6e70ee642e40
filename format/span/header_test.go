package span_test

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"testing"

	"spate/format/span"
)

// all is what a header that counts for nothing gives, none what no byte answers.
var all, none []span.Span = nil, []span.Span{}

func of(bounds ...int64) (spans []span.Span) {
	for i := 0; i < len(bounds); i += 2 {
		spans = append(spans, span.Span{Off: bounds[i], End: bounds[i+1]})
	}
	return spans
}

func TestParseRange(t *testing.T) {
	long := strings.Repeat("9", 400)
	tests := []struct {
		value string
		size  int64
		want  []span.Span // empty: unsatisfiable
	}{
		{"bytes=0-499", 10000, of(0, 500)}, // RFC 9110 §14.1.2
		{"bytes=500-999", 10000, of(500, 1000)},
		{"bytes=-500", 10000, of(9500, 10000)},
		{"bytes=9500-", 10000, of(9500, 10000)},
		{"bytes=0-0,-1", 10000, of(0, 1, 9999, 10000)},
		{"bytes= 0-0, 4500-5499, -1000", 10000, of(0, 1, 4500, 5500, 9000, 10000)},
		{"bytes=500-600,601-999", 10000, of(500, 1000)},
		{"bytes=500-700,601-999", 10000, of(500, 1000)},

		{"bytes=0-", 10, of(0, 10)},
		{"bytes=0-1", 10, of(0, 2)},
		{"bytes=9-", 10, of(9, 10)},
		{"bytes=9-9", 10, of(9, 10)},
		{"bytes=9-10", 10, of(9, 10)},
		{"bytes=8-8", 10, of(8, 9)},
		{"bytes=0-8", 10, of(0, 9)},
		{"bytes=00-0008", 10, of(0, 9)},
		{"bytes=-9", 10, of(1, 10)},
		{"bytes=-10", 10, of(0, 10)},
		{"bytes=-11", 10, of(0, 10)},
		{"BYTES=1-2", 10, of(1, 3)},
		{"bYtEs=1-2", 10, of(1, 3)},

		// beyond the end
		{"bytes=10-", 10, none},
		{"bytes=10-20", 10, none},
		{"bytes=11-", 10, none},
		{"bytes=-0", 10, none},
		{"bytes=-000", 10, none},
		{"bytes=-0,10-", 10, none},
		{"bytes=10-,5-6", 10, of(5, 7)},
		{"bytes=-0,0-0", 10, of(0, 1)},

		// nothing
		{"bytes=0-", 0, none},
		{"bytes=0-0", 0, none},
		{"bytes=-0", 0, none},
		{"bytes=-1", 0, all},
		{"bytes=7-,-1", 0, all},

		// great
		{"bytes=0-" + long, 10, of(0, 10)},
		{"bytes=9-" + long, 10, of(9, 10)},
		{"bytes=-" + long, 10, of(0, 10)},
		{"bytes=" + long + "-", 10, none},
		{"bytes=" + long + "-" + long, 10, none},
		{"bytes=" + long + "-" + long[1:], 10, all},
		{"bytes=" + long + "9-" + long + "8", 10, all},
		{"bytes=000" + long + "8-" + long + "9", 10, none},
		{"bytes=9223372036854775806-9223372036854775807", math.MaxInt64, of(math.MaxInt64-1, math.MaxInt64)},
		{"bytes=9223372036854775807-", math.MaxInt64, none},
		{"bytes=0-,0-,0-", math.MaxInt64, all}, // the sum is beyond int64
		{"bytes=-9223372036854775808", math.MaxInt64, of(0, math.MaxInt64)},

		// no ranges of bytes
		{"", 10, all},
		{"bytes", 10, all},
		{"bytes=", 10, all},
		{"bytes=,", 10, all},
		{"bytes= , ,\t", 10, all},
		{"bytes=-", 10, all},
		{"bytes=--1", 10, all},
		{"bytes=1--2", 10, all},
		{"bytes=1", 10, all},
		{"bytes=+1-2", 10, all},
		{"bytes=1-+2", 10, all},
		{"bytes=0x1-0x2", 10, all},
		{"bytes=1-2;", 10, all},
		{"bytes=1-2 3-4", 10, all},
		{"bytes=1 -2", 10, all},
		{"bytes=1- 2", 10, all},
		{"bytes=a-b", 10, all},
		{"bytes=٣-٤", 10, all},
		{"bytes=1-2,x", 10, all},
		{"bytes=99-,x", 10, all},
		{"bytes=0-0, bytes=2-2", 10, all},
		{"bytes=\n1-2", 10, all},
		{"bytes =1-2", 10, all},
		{" bytes=1-2", 10, all},
		{"byteſ=1-2", 10, all},
		{"byte=1-2", 10, all},
		{"items=1-2", 10, all},
		{"seconds=1-2", 10, all},
		{"=1-2", 10, all},
		{"bytes==1-2", 10, all},

		// last < first
		{"bytes=5-4", 10, all},
		{"bytes=10-9", 10, all},
		{"bytes=0-1,5-4", 10, all},

		// a list
		{"bytes=1-2 \t", 10, of(1, 3)},
		{"bytes=1-2,", 10, of(1, 3)},
		{"bytes=,1-2", 10, of(1, 3)},
		{"bytes=\t,, ,\t1-2\t ,, ", 10, of(1, 3)},
		{"bytes=0-0 ,\t200-200", 1000, of(0, 1, 200, 201)},

		// merged, in the order asked for
		{"bytes=0-9,89-99", 1000, of(0, 100)}, // a gap of 79
		{"bytes=0-9,90-99", 1000, of(0, 10, 90, 100)},
		{"bytes=89-99,0-9", 1000, of(0, 100)},
		{"bytes=90-99,0-9", 1000, of(90, 100, 0, 10)},
		{"bytes=500-509,0-9,700-709,515-520", 1000, of(500, 521, 0, 10, 700, 710)},
		{"bytes=0-9,200-209,80-99,150-159", 1000, of(0, 210)},
		{"bytes=0-99,10-19", 1000, of(0, 100)},
		{"bytes=10-19,0-99", 1000, of(0, 100)},
		{"bytes=7-7,7-7", 1000, of(7, 8)},

		// a sum over the size
		{"bytes=0-4,5-9", 10, of(0, 10)},
		{"bytes=0-4,4-9", 10, all},
		{"bytes=0-,0-0", 10, all},
		{"bytes=-9,0-1", 10, all},
		{"bytes=0-9,10-", 10, of(0, 10)},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%.40s of %d", tt.value, tt.size), func(t *testing.T) {
			got, err := span.ParseRange(tt.value, tt.size)
			isNone := tt.want != nil && len(tt.want) == 0
			if errors.Is(err, span.ErrUnsatisfiable) != isNone || !slices.Equal(got, tt.want) {
				t.Errorf("%v, %v, want %v", got, err, tt.want)
			}
		})
	}
}

func TestParseRangeOfMany(t *testing.T) {
	var set []string
	for i := range span.MaxRanges {
		set = append(set, fmt.Sprintf("%d-%d", i*100, i*100))
	}
	const size = 1 << 20
	if got, err := span.ParseRange("bytes="+strings.Join(set, ",")+",,", size); len(got) != span.MaxRanges || err != nil {
		t.Errorf("%d ranges: %v, %v", len(set), got, err)
	}
	for _, more := range []string{"900000-900000", "0-0", "9999999-"} {
		if got, err := span.ParseRange("bytes="+strings.Join(set, ",")+","+more, size); got != nil || err != nil {
			t.Errorf("one more, %s: %v, %v", more, got, err)
		}
	}
	if got, err := span.ParseRange("bytes="+strings.Repeat("9999999-,", span.MaxRanges+1), size); got != nil || err != nil {
		t.Errorf("as many behind the end: %v, %v", got, err)
	}
}

var (
	grammar = regexp.MustCompile(`^[bB][yY][tT][eE][sS]=[ \t]*([0-9]+-[0-9]*|-[0-9]+)?([ \t]*,[ \t]*([0-9]+-[0-9]*|-[0-9]+)?)*[ \t]*$`)
	oneOf   = regexp.MustCompile(`([0-9]*)-([0-9]*)`)
)

// oracle reads value by the grammar and with numbers that have no bounds: the ranges as they were asked for.
func oracle(value string, size int64) (asked []span.Span, isIgnored bool) {
	if !grammar.MatchString(value) {
		return nil, true
	}
	end := big.NewInt(size)
	sum, n := new(big.Int), 0
	for _, m := range oneOf.FindAllStringSubmatch(value, -1) {
		n++
		first, hasFirst := new(big.Int).SetString(m[1], 10)
		last, hasLast := new(big.Int).SetString(m[2], 10)
		switch {
		case !hasFirst && last.Sign() > 0 && size == 0:
			isIgnored = true
			continue
		case !hasFirst:
			first, last = new(big.Int).Sub(end, last), new(big.Int).Sub(end, big.NewInt(1))
			if first.Sign() < 0 {
				first.SetInt64(0)
			}
		case hasLast && last.Cmp(first) < 0:
			return nil, true
		case !hasLast || last.Cmp(end) >= 0:
			last = new(big.Int).Sub(end, big.NewInt(1))
		}
		if first.Cmp(end) < 0 {
			s := span.Span{Off: first.Int64(), End: last.Int64() + 1}
			sum.Add(sum, big.NewInt(s.Len()))
			asked = append(asked, s)
		}
	}
	return asked, isIgnored || n == 0 || n > 64 || sum.Cmp(end) > 0
}

// Whatever is asked for: what comes of it is what the grammar says, each span begins and ends where one that was asked for
// does, no two are near each other, and nothing is left out.
func FuzzParseRange(f *testing.F) {
	for _, value := range []string{
		"bytes=0-", "bytes=0-1", "bytes=-5", "bytes=-0", "bytes=5-4", "Bytes= 0-0 ,,\t300-400,-1", "bytes=500-600,0-10,590-700,1000-",
		"bytes=99999999999999999999999-99999999999999999998", "items=0-1", "bytes=,", "bytes=9223372036854775807-", "bytes=0-,0-,0-",
		"bytes=" + strings.Repeat("1-1,", 65),
	} {
		f.Add(value, int64(0))
		f.Add(value, int64(1000))
		f.Add(value, int64(math.MaxInt64))
	}
	f.Fuzz(func(t *testing.T, value string, size int64) {
		if size < 0 {
			return
		}
		got, err := span.ParseRange(value, size)
		asked, isIgnored := oracle(value, size)
		switch {
		case isIgnored:
			if got != nil || err != nil {
				t.Fatalf("%q of %d: %v, %v; it counts for nothing", value, size, got, err)
			}
		case len(asked) == 0:
			if got != nil || !errors.Is(err, span.ErrUnsatisfiable) {
				t.Fatalf("%q of %d: %v, %v; it is not satisfiable", value, size, got, err)
			}
		case err != nil:
			t.Fatalf("%q of %d: %v", value, size, err)
		default:
			checkMerged(t, asked, got)
		}
	})
}

func checkMerged(t *testing.T, asked, got []span.Span) {
	t.Helper()
	holder := func(s span.Span) int {
		for i, g := range got {
			if g.Contains(s) {
				return i
			}
		}
		t.Fatalf("%v of %v is not in %v", s, asked, got)
		return 0
	}
	seen, begins, ends := 0, map[int64]bool{}, map[int64]bool{}
	for _, s := range asked {
		i := holder(s)
		if i > seen {
			t.Fatalf("%v became %v: not in order", asked, got)
		}
		seen = max(seen, i+1)
		begins[s.Off], ends[s.End] = true, true
	}
	for i, g := range got {
		if !begins[g.Off] || !ends[g.End] || g.Empty() {
			t.Fatalf("%v became %v: %v was not asked for", asked, got, g)
		}
		for _, h := range got[:i] {
			if h.End > g.Off-span.MinGap && g.End > h.Off-span.MinGap {
				t.Fatalf("%v became %v: %v and %v are near each other", asked, got, g, h)
			}
		}
	}
	if seen != len(got) {
		t.Fatalf("%v became %v", asked, got)
	}
}
