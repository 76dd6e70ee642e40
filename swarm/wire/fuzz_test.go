package wire

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The oracle sees the whole of a stream that has ended, and says by regular expressions what is in it.
var (
	oracleCut   = regexp.MustCompile(`[\r\n\x00]|LOCAL_CHUNKS,|WHERE_CHUNK,|GET_CHUNK_FROM,|CHUNK[_ ]LOCATION[_ ]UNKNOWN,|REQUEST_CHUNK,`)
	oracleForm  = regexp.MustCompile(`^([A-Z][A-Z _]+),(\d+)((?:,[0-9a-fA-F]{40},)?)(.*)`)
	oracleAddr  = regexp.MustCompile(`^,([A-Za-z0-9._:%\[\]-]{1,255}),(\d+)`)
	oracleMixed = regexp.MustCompile(`CHUNK_LOCATION UNKNOWN|CHUNK LOCATION_UNKNOWN`)
	oracleLong  = regexp.MustCompile(`\d{5}`)
)

func oracle(in string) (list []Message) {
	cuts := append(oracleCut.FindAllStringIndex(in, -1), []int{len(in)})
	for i, c := range cuts[:len(cuts)-1] {
		if m, ok := oracleRun(in[c[0]:cuts[i+1][0]]); ok {
			list = append(list, m)
		}
	}
	return list
}

func oracleRun(run string) (m Message, ok bool) {
	f := oracleForm.FindStringSubmatch(run)
	if f == nil {
		return m, false
	}
	m.Command = Command(slices.Index(words[:], strings.ReplaceAll(f[1], " ", "_")))
	if m.Chunk, ok = oracleNumber(f[2], MaxChunk); !ok {
		return m, false
	}
	rest := f[3] + f[4]
	if f[3] != "" && (m.Command == LocalChunks || m.Command == GetChunkFrom) {
		m.SHA1, rest = f[3][1:41], ","+f[4]
	}
	most := map[Command]int{LocalChunks: 1, GetChunkFrom: len(run)}[m.Command]
	for len(m.Addrs) < most {
		a := oracleAddr.FindStringSubmatch(rest)
		if a == nil {
			break
		}
		port, ok := oracleNumber(a[2], MaxPort)
		if !ok {
			break
		}
		m.Addrs = append(m.Addrs, Addr{a[1], port})
		rest = rest[len(a[0]):]
	}
	return m, m.Command != LocalChunks || len(m.Addrs) == 1
}

func oracleNumber(s string, limit int) (int, bool) {
	v, err := strconv.Atoi(s)
	return v, err == nil && v > 0 && v <= limit && len(s) <= 10
}

// decode reads in, cut behind each index of cuts, and asks for messages between where eager.
func decode(in string, cuts []int, eager bool) (list []Message, skipped []string) {
	d := NewDecoder(all...)
	from := 0
	for _, c := range append(cuts, len(in)) {
		d.Write([]byte(in[from:c]))
		from = c
		if eager {
			l, s, _ := drain(d)
			list, skipped = append(list, l...), append(skipped, s...)
		}
	}
	d.End()
	l, s, _ := drain(d)
	return append(list, l...), append(skipped, s...)
}

// each is a cut behind every byte.
func each(in string) (cuts []int) {
	for i := range len(in) {
		cuts = append(cuts, i)
	}
	return cuts
}

func FuzzDecoder(f *testing.F) {
	for _, s := range []string{
		"", "LOCAL_CHUNKS,2,localhost,7901WHERE_CHUNK,3", "Connected", "WHERE_CHUNK,1\r\nWHERE_CHUNK,12\n\x00WHERE_CHUNK,123",
		"LOCAL_CHUNKS,1," + sha1 + ",localhost,7000\nGET_CHUNK_FROM,1," + sha1 + ",a,1,b,2,\n", "REQUEST_CHUNK,5,localhost,70,x",
		"CHUNK LOCATION UNKNOWN,3CHUNK_LOCATION_UNKNOWN,4CHUNK_LOCATION_UNKNOWN", "GET_CHUNK_FROM,1,a,1,b,x\nGET_CHUNK_FROM,2",
		"LOCAL_CHUNKS,2,local\nhost,7901", "LOCAL_CHUNKLOCAL_CHUNKS,2,h,1", "GET_GET_CHUNK_FROM,1,[::1],80WHERE_CHUNK,00000000001",
	} {
		f.Add(s, byte(3))
	}
	f.Fuzz(func(t *testing.T, in string, cut byte) {
		if len(in) > 1000 || oracleMixed.MatchString(in) {
			t.Skip()
		}
		want := oracle(in)
		got, skipped := decode(in, nil, false)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("whole, %q\n%s", in, diff)
		}
		if again, _ := decode(in, each(in), false); !cmp.Equal(want, again) {
			t.Errorf("cut everywhere, %q: %v", in, again)
		}
		if oracleLong.MatchString(in) { // a number that may be out of range, which is known only when all of it has come
			return
		}
		for _, cuts := range [][]int{each(in), {int(cut) % (len(in) + 1)}} {
			again, s := decode(in, cuts, true)
			if diff := cmp.Diff(want, again); diff != "" {
				t.Errorf("read while it comes, cut at %v, %q\n%s", cuts, in, diff)
			}
			if a, b := strings.Join(s, ""), strings.Join(skipped, ""); a != b {
				t.Errorf("skipped %q, of the whole %q", a, b)
			}
		}
	})
}

// What was read reads the same again once it is written.
func FuzzRoundTrip(f *testing.F) {
	f.Add("LOCAL_CHUNKS,2,localhost,7901WHERE_CHUNK,3GET_CHUNK_FROM,1,"+sha1+",a,1,b,2", "\n")
	f.Add("CHUNK LOCATION UNKNOWN,3REQUEST_CHUNK,5", "")
	f.Fuzz(func(t *testing.T, in, between string) {
		if len(in) > 1000 || strings.Trim(between, "\r\n\x00 \t,") != "" {
			t.Skip()
		}
		want, _ := decode(in, nil, false)
		var text []byte
		for i := range want {
			text = append(want[i].Append(text), between...)
		}
		if got, skipped := decode(string(text), nil, false); !cmp.Equal(want, got) || skipped != nil {
			t.Errorf("%q: %v, want %v; skipped %q", text, got, want, skipped)
		}
	})
}
