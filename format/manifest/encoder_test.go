package manifest_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"spate/format/manifest"
)

func encode(parts ...manifest.Part) (string, error) {
	var b strings.Builder
	e := manifest.NewEncoder(&b)
	for _, p := range parts {
		if err := e.Encode(p); err != nil {
			return b.String(), err
		}
	}
	return b.String(), nil
}

// sameParts compares what an Encoder can keep.
var sameParts = cmp.Options{cmpopts.IgnoreFields(manifest.Part{}, "Line", "End"), cmpopts.EquateEmpty()}

func TestEncoder(t *testing.T) {
	one := manifest.Part{Alternatives: []string{"a", "b c"}}
	star := manifest.Part{Alternatives: []string{"c"}, Cacheable: true}
	tests := []struct {
		name  string
		parts []manifest.Part
		want  string
	}{
		{"nothing", nil, ""},
		{"one part", []manifest.Part{one}, "a\nb c\n"},
		{"cacheable", []manifest.Part{star}, "(*)\nc\n"},
		{"separators between parts only", []manifest.Part{one, star, one}, "a\nb c\n--\n(*)\nc\n--\na\nb c\n"},
		{"parts that add nothing", []manifest.Part{{}, one, {Cacheable: true}, star, {}}, "a\nb c\n--\n(*)\nc\n"},
		{"position does not matter", []manifest.Part{{Alternatives: []string{"a"}, Line: 9, End: 99}}, "a\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := encode(test.parts...)
			if got != test.want || err != nil {
				t.Errorf("got %q, %v; want %q", got, err, test.want)
			}
		})
	}
}

func TestEncoderRefuses(t *testing.T) {
	x := strings.Repeat("x", manifest.MaxLine)
	tests := []struct {
		name         string
		alternatives []string
		ok           bool
	}{
		{"empty", []string{"a", ""}, false},
		{"separator", []string{"--"}, false},
		{"almost a separator", []string{"---", "./--"}, true},
		{"mark", []string{"(*)"}, false},
		{"mark in front", []string{"(*)a"}, false},
		{"mark inside", []string{"a(*)"}, true},
		{"BOM in front", []string{"\uFEFFa"}, false},
		{"BOM inside", []string{"a\uFEFF"}, true},
		{"blank in front", []string{" a"}, false},
		{"blank behind", []string{"a\t"}, false},
		{"CR in front", []string{"\ra"}, false},
		{"CR behind", []string{"a\r"}, false},
		{"CR inside", []string{"a\rb"}, true},
		{"LF", []string{"a\nb"}, false},
		{"line n", []string{x}, true},
		{"line n+1", []string{x + "x"}, false},
		{"part n", strings.Fields(strings.Repeat(x+" ", 16)), true},
		{"part n+1", append(strings.Fields(strings.Repeat(x+" ", 16)), "x"), false},
		{"alternatives n", strings.Fields(strings.Repeat("x ", manifest.MaxAlternatives)), true},
		{"alternatives n+1", strings.Fields(strings.Repeat("x ", manifest.MaxAlternatives+1)), false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			part := manifest.Part{Alternatives: test.alternatives}
			got, err := encode(part)
			if (err == nil) != test.ok || (got != "") != test.ok {
				t.Fatalf("%d bytes written, %v", len(got), err)
			}
			if !test.ok {
				return
			}
			back, _, err := all(manifest.NewDecoder(strings.NewReader(got)))
			if diff := cmp.Diff([]manifest.Part{part}, back, sameParts); diff != "" || err != nil {
				t.Errorf("read back: %v\n%s", err, diff)
			}
		})
	}
}

// A refused part leaves the Encoder as it was.
func TestEncoderGoesOn(t *testing.T) {
	var b strings.Builder
	e := manifest.NewEncoder(&b)
	for _, a := range []string{"--", "a", "", "b"} {
		err := e.Encode(manifest.Part{Alternatives: []string{a}})
		if (err != nil) != (a == "--" || a == "") {
			t.Errorf("%q: %v", a, err)
		}
	}
	if b.String() != "a\n--\nb\n" {
		t.Errorf("wrote %q", b.String())
	}
}

// After a failed write nothing is written any more: the place would be wrong.
func TestEncoderWriteError(t *testing.T) {
	full := errors.New("disk full")
	calls := 0
	e := manifest.NewEncoder(writes(func(p []byte) (int, error) {
		calls++
		return 1, full
	}))
	for range 3 {
		if err := e.Encode(manifest.Part{Alternatives: []string{"abc"}}); !errors.Is(err, full) {
			t.Errorf("got %v", err)
		}
	}
	if calls != 1 {
		t.Errorf("%d writes", calls)
	}
}

// writes is a function that is a Writer.
type writes func(p []byte) (int, error)

func (f writes) Write(p []byte) (int, error) { return f(p) }
