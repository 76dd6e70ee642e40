package journal

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spate/format/span"
)

// example is that of docs/spec/journal.md.
const example = `spate-journal 1 9d2c5f0e1b7a4468 {"origins":[{"url":"https://a.example/big.iso?sig=xxxxx","validator":"\"v7\""}],"size":3145728,"piece_size":1048576} 7929c9d9
+ 0 65536 8a9136aa 7ff2e64e
+ 65536 131072 e3069283 8b049c86
sync 433ebf43
+ 1048576 1114112 46dd794e 2d69d416
synced c65f4f6f
place {"at":0,"part":0,"url":"https://a.example/1"} 14e6676e
- 1048576 1114112 76f8f57d
`

func TestExample(t *testing.T) {
	spec, err := os.ReadFile("../../docs/spec/journal.md")
	must(t, err)
	if !strings.Contains(string(spec), example) {
		t.Errorf("docs/spec/journal.md has another example than\n%s", withChecks(example))
	}
	if want := withChecks(example); want != example {
		t.Errorf("the checks are\n%s", want)
	}
	got, err := decode(strings.NewReader(example))
	must(t, err)
	want := &State{
		Header: Header{Origins: []Origin{{"https://a.example/big.iso?sig=xxxxx", `"v7"`}}, Size: 3 << 20, PieceSize: 1 << 20},
		Ranges: []Range{{sp(0, 131072), Combine(0x8a9136aa, 0xe3069283, 65536), true}},
		Places: []Place{{URL: "https://a.example/1"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// withChecks is text with the checks that its lines ought to have.
func withChecks(text string) string {
	var c chain
	var b []byte
	for line := range strings.Lines(text) {
		b = c.line(b, []byte(regexp.MustCompile(` [0-9a-f]{8}\n$`).ReplaceAllString(line, "")))
	}
	return string(b)
}

func TestWritesTheExample(t *testing.T) {
	disk := newDisk()
	j, err := create(disk, name, &State{Header: Header{
		Origins: []Origin{{"https://a.example/big.iso?sig=1234", `"v7"`}}, Size: 3 << 20, PieceSize: 1 << 20}})
	must(t, err)
	must(t, j.Add(sp(0, 65536), 0x8a9136aa))
	must(t, j.Add(sp(65536, 131072), 0xe3069283))
	must(t, j.sync(func() error { return j.Add(sp(1048576, 1114112), 0x46dd794e) }))
	must(t, j.Note(Place{URL: "https://a.example/1"}))
	_, err = j.Forget(sp(1048576, 1048577))
	must(t, err)
	number := regexp.MustCompile(`^spate-journal 1 [0-9a-f]{16}`)
	if got := withChecks(number.ReplaceAllString(string(disk.text()), "spate-journal 1 9d2c5f0e1b7a4468")); got != example {
		t.Error(cmp.Diff(example, got))
	}
}

// lines is a journal of any content, with right checks.
func lines(h string, more ...string) []byte {
	var c chain
	b := c.line(nil, []byte(kindHeader), []byte(version), []byte("0123456789abcdef"), []byte(h))
	for _, l := range more {
		b = c.line(b, []byte(l))
	}
	return b
}

// What a line says is looked at although its check is right: the writer may be of another version, or nobody's friend.
func TestLinesThatMakeNoSense(t *testing.T) {
	const h = `{"size":1000,"piece_size":100}`
	tests := []struct {
		name, line string
		err        error
		torn       bool
		bytes      int64 // of all ranges, with "+ 10 20" before and "+ 30 40" behind
	}{
		{"right", "+ 20 30 00000000", nil, false, 30},
		{"a kind of later, to be passed over", "hint 1 2 3", nil, false, 20},
		{"a kind of later, not to be", "Gap 1 2", ErrVersion, false, 0},
		{"no kind", "", ErrVersion, false, 0},
		{"a confirmation without a sync", "synced", nil, false, 20},
		{"something more in it", "sync now", nil, false, 20},
		{"forgetting nothing", "- 100 200", nil, false, 20},
		{"overlap", "+ 19 21 00000000", nil, true, 10},
		{"beyond the size", "+ 990 1001 00000000", nil, true, 10},
		{"negative", "+ -5 5 00000000", nil, true, 10},
		{"turned round", "+ 60 50 00000000", nil, true, 10},
		{"empty", "+ 50 50 00000000", nil, true, 10},
		{"too large for a number", "+ 50 9223372036854775808 00000000", nil, true, 10},
		{"no numbers", "+ a b c", nil, true, 10},
		{"no CRC", "+ 50 60", nil, true, 10},
		{"a CRC too long", "+ 50 60 000000000", nil, false, 30},
		{"a CRC too large", "+ 50 60 100000000", nil, true, 10},
		{"forgetting what", "- 5", nil, true, 10},
		{"who gave it, of nobody", "from 10 20 -1", nil, false, 20},
		{"who gave it, of none of the origins", "from 10 20 0", nil, true, 10},
		{"who gave nothing", "from 10 10 -1", nil, true, 10},
		{"who gave what", "from 10 20", nil, true, 10},
		{"a place that is no JSON", "place {", nil, true, 10},
		{"a place before the file", `place {"at":-1}`, nil, true, 10},
		{"a place without end", `place {"url":"` + strings.Repeat("x", maxPlace) + `"}`, nil, true, 10},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := decode(bytes.NewReader(lines(h, "+ 10 20 00000000", tt.line, "+ 30 40 00000000")))
			if !errors.Is(err, tt.err) {
				t.Fatalf("%v, want %v", err, tt.err)
			}
			if err == nil && (got.Torn != tt.torn || got.Covered().Bytes() != tt.bytes) {
				t.Errorf("%+v", got)
			}
		})
	}
}

// A reader's memory is bounded, whatever the file says.
func TestHostile(t *testing.T) {
	tooMany := make([]string, MaxRanges+10)
	for i := range tooMany {
		tooMany[i] = "+ " + string(number(int64(2*i))) + " " + string(number(int64(2*i+1))) + " 00000000"
	}
	got, err := decode(bytes.NewReader(lines(`{"size":-1,"piece_size":1}`, tooMany...)))
	must(t, err)
	if len(got.Ranges) != MaxRanges || !got.Torn {
		t.Errorf("%d ranges, torn: %v", len(got.Ranges), got.Torn)
	}
	places := make([]string, 4*maxPlaces)
	for i := range places {
		places[i] = `place {"url":"` + strings.Repeat("x", 1000) + `"}`
	}
	got, err = decode(bytes.NewReader(lines(`{}`, places...)))
	must(t, err)
	if len(got.Places) > maxPlaces || got.Torn {
		t.Errorf("%d places, torn: %v", len(got.Places), got.Torn)
	}
}

// Whatever a file holds, either it is no journal, or what it says can be written and read again, and any prefix of it
// says no more than some of what was recorded up to there.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(example))
	f.Add([]byte(example[:300]))
	f.Add(lines(`{"size":1000,"piece_size":7}`, "+ 0 3 00000001", "+ 3 7 00000002", "sync", "synced", "- 1 2", "hint", "place {}"))
	f.Add(lines(`{"size":-1}`, "+ 9223372036854775806 9223372036854775807 ffffffff", "sync", "+ 0 1 0"))
	f.Add(lines(`{"origins":[{"url":"http://u:p@h/?key=1#f","validator_base64":"//4="}],"digests":[{"algorithm":"md5"},{"algorithm":"later","value":"00FF"}]}`))
	f.Add(lines(`{"digests":[{"algorithm":"md5","value":"no hexadecimal"}]}`))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, text := range [][]byte{text, []byte(withChecks(string(text)))} {
			s, err := decode(bytes.NewReader(text))
			if err != nil {
				continue
			}
			wantSound(t, s)
			wantAgain(t, s)
		}
	})
}

// wantSound checks what is promised of a State.
func wantSound(t *testing.T, s *State) {
	t.Helper()
	end := int64(0)
	for _, r := range s.Ranges {
		if r.Off < end || r.Empty() || s.Header.Size >= 0 && r.End > s.Header.Size {
			t.Errorf("%+v", s.Ranges)
		}
		end = r.End
	}
	if len(s.Ranges) > MaxRanges || len(s.Places) > maxPlaces {
		t.Errorf("%d ranges, %d places", len(s.Ranges), len(s.Places))
	}
}

// wantAgain writes s and reads it. What it is by default, it is from the second time on.
func wantAgain(t *testing.T, s *State) {
	t.Helper()
	var last *State
	for range 2 {
		disk := newDisk()
		j, err := create(disk, name, s)
		must(t, err)
		next, err := decode(bytes.NewReader(disk.text()))
		must(t, err)
		if next.Torn || !covers(next.Covered(), s.Covered()) || !covers(s.Covered(), next.Covered()) {
			t.Errorf("%+v became %+v", s, next)
		}
		if diff := cmp.Diff(j.State().Ranges, next.Ranges); diff != "" {
			t.Error(diff)
		}
		last, s = s, next
	}
	last.Torn = false
	url := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".URL" }, cmp.Ignore())
	if diff := cmp.Diff(last, s, url); diff != "" {
		t.Error(diff)
	}
}

// Whatever is done to a journal, what is read is what it says, and that is what a plain list of bytes says.
func FuzzScript(f *testing.F) {
	f.Add(uint64(1), []byte{0, 1, 2, 3, 4, 5, 6, 7})
	f.Add(uint64(2), []byte("aaaabaaaacaaaad"))
	f.Fuzz(func(t *testing.T, seed uint64, ops []byte) {
		rnd := rand.New(rand.NewPCG(seed, 0))
		disk, there := newDisk(), [300]byte{} // 0: not; 1: written; 2: durable
		j, err := create(disk, name, &State{Header: Header{Size: 300, PieceSize: 16}})
		must(t, err)
		for _, op := range ops[:min(len(ops), 500)] {
			off := rnd.Int64N(300)
			apply(t, j, op%8, sp(off, min(300, off+1+rnd.Int64N(20))), there[:])
		}
		got, err := decode(bytes.NewReader(disk.text()))
		must(t, err)
		if diff := cmp.Diff(j.State(), got, cmp.FilterPath(func(p cmp.Path) bool { return p.String() == "Header" }, cmp.Ignore())); diff != "" {
			t.Error(diff)
		}
		var is [300]byte
		for _, r := range got.Ranges {
			for i := r.Off; i < r.End; i++ {
				is[i] = 1
				if r.Durable {
					is[i] = 2
				}
			}
		}
		if is != there {
			t.Errorf("%v\nwant\n%v", is, there)
		}
	})
}

func apply(t *testing.T, j *Journal, op byte, x span.Span, there []byte) {
	t.Helper()
	switch op {
	case 0:
		must(t, j.sync(func() error { return nil }))
		for i := range there {
			there[i] = min(there[i], 1) * 2
		}
	case 1:
		gone, err := j.Forget(x)
		must(t, err)
		for x := range gone.All() {
			clear(there[x.Off:x.End])
		}
	case 2:
		j.lines += slack // the next sync writes it anew
	default:
		err := j.Add(x, uint32(x.Off))
		taken := bytes.ContainsAny(there[x.Off:x.End], "\x01\x02")
		if taken != errors.Is(err, ErrOverlap) || !taken && err != nil {
			t.Errorf("Add(%v) = %v", x, err)
		}
		for i := x.Off; err == nil && i < x.End; i++ {
			there[i] = 1
		}
	}
}
