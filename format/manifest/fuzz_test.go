package manifest_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spate/format/manifest"
)

// Whatever a manifest holds: reading in pieces, resuming behind any part and writing it anew give the same parts.
func FuzzDecoder(f *testing.F) {
	for _, in := range []string{
		"", "a", "--", "(*)", "\uFEFF", "\r", "a\r\n--\r\nb\r\n", "(*)a\n(*)(*) b\n--\n--\n(*)\n--\n\n# c\n-- d",
		"\uFEFF\uFEFFa\n\uFEFF--\n(*)--\n", " a \r\r\n\t--\t\nb\rc\n--", "a#size=5&sha256=00\n--\n%zz",
		strings.Repeat("x", 4100) + "\r\n--\ny",
	} {
		f.Add([]byte(in))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		parts, lines, err := all(manifest.NewDecoder(bytes.NewReader(in)))
		checkReaders(t, in, parts, err)
		checkResume(t, in, parts, lines)
		checkEncode(t, parts)
		lint := manifest.Lint(bytes.NewReader(in), func(manifest.Warning) bool { return true })
		if fmt.Sprint(lint) != fmt.Sprint(err) {
			t.Errorf("Lint: %v, Decoder: %v", lint, err)
		}
	})
}

func checkResume(t *testing.T, in []byte, parts []manifest.Part, lines []int) {
	t.Helper()
	for i, p := range parts[:min(len(parts), 20)] {
		if i > 0 && p.End <= parts[i-1].End || p.End > int64(len(in)) || len(p.Alternatives) == 0 {
			t.Fatalf("part %d: %+v", i+1, p)
		}
		rest, _, _ := all(manifest.NewDecoderAt(bytes.NewReader(in[p.End:]), p.End, lines[i]))
		if diff := cmp.Diff(spell(parts[i+1:]), spell(rest)); diff != "" {
			t.Errorf("resumed behind part %d:\n%s", i+1, diff)
		}
	}
}

// checkEncode leaves out the parts that can be read but not written.
func checkEncode(t *testing.T, parts []manifest.Part) {
	t.Helper()
	var kept []manifest.Part
	var b bytes.Buffer
	e := manifest.NewEncoder(&b)
	for _, p := range parts {
		err := e.Encode(p)
		if err == nil {
			kept = append(kept, p)
			continue
		}
		odd := false
		for _, a := range p.Alternatives {
			odd = odd || a == "--" || strings.HasPrefix(a, "\uFEFF")
		}
		if !odd {
			t.Errorf("%q: %v", p.Alternatives, err)
		}
	}
	back, _, err := all(manifest.NewDecoder(&b))
	if diff := cmp.Diff(kept, back, sameParts); diff != "" || err != nil {
		t.Errorf("read back: %v\n%s", err, diff)
	}
}

// What an Encoder accepts is read back as it was, whatever it is.
func FuzzEncoder(f *testing.F) {
	f.Add("http://h/1|http://g/1||*http://h/2", "|")
	f.Add("a,,(*),,\uFEFF,, --,,--,,b", ",")
	f.Add("*a\r;b\rc;;\n", ";")
	f.Fuzz(func(t *testing.T, in, sep string) {
		var want []manifest.Part
		var b bytes.Buffer
		e := manifest.NewEncoder(&b)
		for text := range strings.SplitSeq(in, sep+sep) {
			text, star := strings.CutPrefix(text, "*")
			p := manifest.Part{Alternatives: strings.Split(text, sep), Cacheable: star}
			before := b.Len()
			if err := e.Encode(p); err == nil && len(p.Alternatives) > 0 {
				want = append(want, p)
			} else if b.Len() != before {
				t.Fatalf("%q written although refused: %v", p.Alternatives, err)
			}
		}
		got, _, err := all(manifest.NewDecoder(&b))
		if diff := cmp.Diff(want, got, sameParts); diff != "" || err != nil {
			t.Errorf("%v\n%s", err, diff)
		}
	})
}
