package wire

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const sha1 = "da39a3ee5e6b4b0d3255bfef95601890afd80709"

var all = []Command{LocalChunks, WhereChunk, GetChunkFrom, LocationUnknown, RequestChunk}

func local(chunk, port int) Message {
	return Message{Command: LocalChunks, Chunk: chunk, Addrs: []Addr{{"localhost", port}}}
}

func where(chunk int) Message { return Message{Command: WhereChunk, Chunk: chunk} }

func request(chunk int) Message { return Message{Command: RequestChunk, Chunk: chunk} }

func unknown(chunk int) Message { return Message{Command: LocationUnknown, Chunk: chunk} }

func from(chunk int, addrs ...Addr) Message {
	return Message{Command: GetChunkFrom, Chunk: chunk, Addrs: addrs}
}

// drain calls Next until there is no more, which is what it returns in the end.
func drain(d *Decoder) (list []Message, skipped []string, last error) {
	for {
		m, err := d.Next()
		bad, isBad := errors.AsType[*SyntaxError](err)
		switch {
		case err == nil:
			list = append(list, m)
		case isBad:
			skipped = append(skipped, bad.Text)
		default:
			return list, skipped, err
		}
	}
}

// What comes in one write and is followed by nothing: what is there at once, why there is no more, and what a pause
// adds.
func TestOneWrite(t *testing.T) {
	a, b := Addr{"localhost", 7000}, Addr{"10.0.0.2", 80}
	tests := []struct {
		name, in string
		want     []Message
		last     error
		quiet    []Message
		skipped  string // of the end of the stream, too
	}{
		{"nothing", "", nil, ErrMore, nil, ""},
		{"bare, a port that cannot grow", "LOCAL_CHUNKS,2,localhost,7901", []Message{local(2, 7901)}, ErrMore, nil, ""},
		{"the least of these", "LOCAL_CHUNKS,2,localhost,6554", []Message{local(2, 6554)}, ErrMore, nil, ""},
		{"the largest port that can grow", "LOCAL_CHUNKS,2,localhost,6553", nil, ErrGrowing, []Message{local(2, 6553)}, ""},
		{"five digits", "LOCAL_CHUNKS,2,localhost,10000", []Message{local(2, 10000)}, ErrMore, nil, ""},
		{"LF", "LOCAL_CHUNKS,2,localhost,70\n", []Message{local(2, 70)}, ErrMore, nil, ""},
		{"CRLF", "WHERE_CHUNK,3\r\nWHERE_CHUNK,4\r\n", []Message{where(3), where(4)}, ErrMore, nil, ""},
		{"NUL, as of a buffer of C", "WHERE_CHUNK,3\x00\x00\x00WHERE_CHUNK,4\x00", []Message{where(3), where(4)}, ErrMore, nil, ""},
		{"glued behind digits", "LOCAL_CHUNKS,2,localhost,7901WHERE_CHUNK,3", []Message{local(2, 7901)}, ErrGrowing, []Message{where(3)}, ""},
		{"glued behind few digits", "LOCAL_CHUNKS,2,localhost,70LOCAL_CHUNKS,3,localhost,70WHERE_CHUNK,1",
			[]Message{local(2, 70), local(3, 70)}, ErrGrowing, []Message{where(1)}, ""},
		{"a word has begun", "WHERE_CHUNK,3WHERE_CH", []Message{where(3)}, ErrMore, nil, "WHERE_CH"},
		{"an index that cannot grow", "WHERE_CHUNK,214748365", []Message{where(214748365)}, ErrMore, nil, ""},
		{"the largest index", "WHERE_CHUNK,2147483647", []Message{where(MaxChunk)}, ErrMore, nil, ""},
		{"a larger one", "WHERE_CHUNK,2147483648\n", nil, ErrMore, nil, "WHERE_CHUNK,2147483648"},
		{"zero", "WHERE_CHUNK,0\n", nil, ErrMore, nil, "WHERE_CHUNK,0"},
		{"zeros in front", "WHERE_CHUNK,007\n", []Message{where(7)}, ErrMore, nil, ""},
		{"negative", "WHERE_CHUNK,-1\n", nil, ErrMore, nil, "WHERE_CHUNK,-1"},
		{"port 0", "LOCAL_CHUNKS,1,localhost,0\n", nil, ErrMore, nil, "LOCAL_CHUNKS,1,localhost,0"},
		{"port 65536", "LOCAL_CHUNKS,1,localhost,65536\n", nil, ErrMore, nil, "LOCAL_CHUNKS,1,localhost,65536"},
		{"port 65536, bare", "LOCAL_CHUNKS,1,localhost,65536", nil, ErrMore, nil, "LOCAL_CHUNKS,1,localhost,65536"},
		{"no host", "LOCAL_CHUNKS,1,,7000\n", nil, ErrMore, nil, "LOCAL_CHUNKS,1,,7000"},
		{"no host, but blanks", "LOCAL_CHUNKS,1,a b,7000\n", nil, ErrMore, nil, "LOCAL_CHUNKS,1,a b,7000"},
		{"IPv6", "LOCAL_CHUNKS,1,::1,7000", []Message{{Command: LocalChunks, Chunk: 1, Addrs: []Addr{{"::1", 7000}}}}, ErrMore, nil, ""},
		{"cut short by the next", "LOCAL_CHUNKS,1,localhostWHERE_CHUNK,3\n", []Message{where(3)}, ErrMore, nil, "LOCAL_CHUNKS,1,localhost"},
		{"half a message", "LOCAL_CHUNKS,1,localhost", nil, ErrMore, nil, "LOCAL_CHUNKS,1,localhost"},

		{"one place", "GET_CHUNK_FROM,1,localhost,7000", nil, ErrGrowing, []Message{from(1, a)}, ""},
		{"two places", "GET_CHUNK_FROM,1,localhost,7000,10.0.0.2,80\n", []Message{from(1, a, b)}, ErrMore, nil, ""},
		{"no place", "GET_CHUNK_FROM,1,", nil, ErrGrowing, []Message{from(1)}, ""},
		{"a comma too many", "GET_CHUNK_FROM,1,localhost,7000,", nil, ErrGrowing, []Message{from(1, a)}, ""},
		{"cut within a host", "GET_CHUNK_FROM,1,localhost,7000,10.0", nil, ErrGrowing, nil, "10.0"},
		{"cut in front of a port", "GET_CHUNK_FROM,1,localhost,7000,10.0.0.2,", nil, ErrGrowing, nil, "10.0.0.2,"},
		{"a place that is none", "GET_CHUNK_FROM,1,localhost,7000,None,None\n", []Message{from(1, a)}, ErrMore, nil, "None,None"},
		{"unknown", "CHUNK_LOCATION_UNKNOWN,12\n", []Message{unknown(12)}, ErrMore, nil, ""},
		{"unknown, with blanks", "CHUNK LOCATION UNKNOWN,12", nil, ErrGrowing, []Message{unknown(12)}, ""},
		{"a greeting", "ConnectedGET_CHUNK_FROM,1,localhost,7000\n", []Message{from(1, a)}, ErrMore, nil, "Connected"},
		{"a greeting in a line", "Connected\nCHUNK_LOCATION_UNKNOWN,1\n", []Message{unknown(1)}, ErrMore, nil, "Connected"},
		{"a greeting alone", "Connected", nil, ErrMore, nil, "Connected"},
		{"glued answers", "GET_CHUNK_FROM,1,localhost,7000CHUNK_LOCATION_UNKNOWN,2GET_CHUNK_FROM,3,10.0.0.2,80",
			[]Message{from(1, a), unknown(2)}, ErrGrowing, []Message{from(3, b)}, ""},

		{"request, bare", "REQUEST_CHUNK,5", nil, ErrGrowing, []Message{request(5)}, ""},
		{"request, a line", "REQUEST_CHUNK,5\n", []Message{request(5)}, ErrMore, nil, ""},
		{"request with an address", "REQUEST_CHUNK,5,localhost,7000", []Message{request(5)}, ErrMore, nil, "localhost,7000"},
		{"request with half an address", "REQUEST_CHUNK,5,localho", []Message{request(5)}, ErrMore, nil, "localho"},
		{"request with something else", "REQUEST_CHUNK,5 please\n", []Message{request(5)}, ErrMore, nil, "please"},

		{"five fields", "LOCAL_CHUNKS,1," + sha1 + ",localhost,7000",
			[]Message{{LocalChunks, 1, sha1, []Addr{a}}}, ErrMore, nil, ""},
		{"a list with a hash", "GET_CHUNK_FROM,1," + sha1 + ",localhost,7000,10.0.0.2,80\n",
			[]Message{{GetChunkFrom, 1, sha1, []Addr{a, b}}}, ErrMore, nil, ""},
		{"a hash that is too short is a host", "LOCAL_CHUNKS,1," + sha1[1:] + ",7000",
			[]Message{{LocalChunks, 1, "", []Addr{{sha1[1:], 7000}}}}, ErrMore, nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := NewDecoder(all...)
			d.Write([]byte(tt.in))
			got, skipped, last := drain(d)
			d.Quiet()
			quiet, more, still := drain(d)
			d.End()
			_, rest, _ := drain(d)
			skipped = append(append(skipped, more...), rest...)
			if diff := cmp.Diff(tt.want, got); diff != "" || last != tt.last {
				t.Errorf("%v, want %v\n%s", last, tt.last, diff)
			}
			if diff := cmp.Diff(tt.quiet, quiet); diff != "" || still != ErrMore {
				t.Errorf("after a pause: %v\n%s", still, diff)
			}
			if got := strings.Join(skipped, "|"); got != tt.skipped {
				t.Errorf("skipped %q, want %q", got, tt.skipped)
			}
		})
	}
}

// A list that a pause found unfinished is as long as it is when the stream ends, or the next answer begins.
func TestUnfinishedList(t *testing.T) {
	want := []Message{from(1, Addr{"localhost", 7000})}
	for _, in := range []string{"GET_CHUNK_FROM,1,localhost,7000,10.0.0.2,", "GET_CHUNK_FROM,1,localhost,7000,10.0"} {
		d := NewDecoder(all...)
		d.Write([]byte(in))
		d.Quiet()
		if got, _, err := drain(d); got != nil || err != ErrMore {
			t.Errorf("%q: %v, %v", in, got, err)
		}
		d.End()
		if got, _, _ := drain(d); !cmp.Equal(got, want) {
			t.Errorf("%q, then the end: %v", in, got)
		}
		d = NewDecoder(all...)
		d.Write([]byte(in + "CHUNK_LOCATION_UNKNOWN,2\n"))
		if got, _, _ := drain(d); !cmp.Equal(got, append(want, unknown(2))) {
			t.Errorf("%q, then another: %v", in, got)
		}
	}
}

// A message in segments with pauses between: only what is certain, or was whole at a pause, is taken.
func TestSegments(t *testing.T) {
	d := NewDecoder(all...)
	for _, s := range []string{"LOCAL_CH", "UNKS,1", "2,loc", "alhost", ",", "70"} {
		d.Write([]byte(s))
		if got, skipped, err := drain(d); got != nil || skipped != nil || err != ErrMore && s != "70" {
			t.Fatalf("behind %q: %v %q %v", s, got, skipped, err)
		}
		if s == "70" {
			break
		}
		d.Quiet()
		if got, skipped, err := drain(d); got != nil || skipped != nil || err != ErrMore {
			t.Fatalf("a pause behind %q: %v %q %v", s, got, skipped, err)
		}
	}
	d.Write([]byte("01"))
	if got, _, err := drain(d); !cmp.Equal(got, []Message{local(12, 7001)}) || err != ErrMore {
		t.Errorf("%v, %v", got, err)
	}
}

// Who knows the last chunk does not wait for more digits than its index has.
func TestMaxChunk(t *testing.T) {
	for in, want := range map[string][]Message{
		"6": nil, "7": {request(7)}, "64": {request(64)}, "65": {request(65)}, "700": {request(700)}, "6\n": {request(6)},
	} {
		d := NewDecoder(RequestChunk)
		d.MaxChunk = 64
		d.Write([]byte("REQUEST_CHUNK," + in))
		if got, _, err := drain(d); !cmp.Equal(got, want) {
			t.Errorf("%q: %v, %v", in, got, err)
		}
	}
}

// What is not for the reader is skipped, and does not hide what is.
func TestOtherCommands(t *testing.T) {
	d := NewDecoder(LocalChunks, WhereChunk)
	d.Write([]byte("REQUEST_CHUNK,1WHERE_CHUNK,2GET_CHUNK_FROM,3,localhost,7000WHERE_CHUNK,4\n"))
	got, skipped, _ := drain(d)
	if !cmp.Equal(got, []Message{where(2), where(4)}) || !cmp.Equal(skipped, []string{"REQUEST_CHUNK,1", "GET_CHUNK_FROM,3,localhost,7000"}) {
		t.Errorf("%v, skipped %q", got, skipped)
	}
}

// More than MaxMessage bytes without a message are not taken, however they come, and nothing comes after them.
func TestTooLong(t *testing.T) {
	line := strings.Repeat("x", 1023) + "\n"
	tests := map[string]struct {
		in   string
		want error
	}{
		"garbage, n":     {strings.Repeat("x", MaxMessage), ErrMore},
		"garbage, n+1":   {strings.Repeat("x", MaxMessage+1), ErrTooLong},
		"lines, n":       {strings.Repeat(line, MaxMessage/1024), ErrMore},
		"lines, n+1":     {strings.Repeat(line, MaxMessage/1024) + "x", ErrTooLong},
		"line ends, n":   {strings.Repeat("\n", MaxMessage), ErrMore},
		"line ends, n+1": {strings.Repeat("\n", MaxMessage+1), ErrTooLong},
		"a message, n+1": {"WHERE_CHUNK," + strings.Repeat("x", MaxMessage+1-12), ErrTooLong},
		"its end at n":   {strings.Repeat("\n", MaxMessage-13) + "WHERE_CHUNK,3\n" + strings.Repeat("\n", MaxMessage-1), ErrMore},
		"its end at n+1": {strings.Repeat("\n", MaxMessage-12) + "WHERE_CHUNK,3\n", ErrTooLong},
	}
	for name, tt := range tests {
		for _, size := range []int{1, 1000, 1 << 20} {
			d := NewDecoder(LocalChunks, WhereChunk)
			var last error
			for rest := []byte(tt.in); len(rest) > 0; {
				n := min(size, len(rest))
				d.Write(rest[:n])
				rest = rest[n:]
				_, _, last = drain(d)
			}
			if last != tt.want {
				t.Errorf("%s, by %d: %v, want %v", name, size, last, tt.want)
			}
			if last == ErrTooLong {
				d.Write([]byte("\nWHERE_CHUNK,3\n"))
				if _, err := d.Next(); err != ErrTooLong {
					t.Errorf("%s, then: %v", name, err)
				}
			}
		}
	}
}

// A list is longer than that where other trackers have so many peers.
func TestLongList(t *testing.T) {
	want := from(1)
	for i := range 30_000 {
		want.Addrs = append(want.Addrs, Addr{"192.168.100.100", 10000 + i})
	}
	d := NewDecoder(GetChunkFrom)
	for rest := want.Append(nil); len(rest) > 0; rest = rest[min(1000, len(rest)):] {
		d.Write(rest[:min(1000, len(rest))])
		if got, _, err := drain(d); got != nil || err == ErrTooLong {
			t.Fatalf("%d, %v", len(got), err)
		}
	}
	d.Quiet()
	if got, err := d.Next(); err != nil || !cmp.Equal(got, want) {
		t.Errorf("%d addresses, %v", len(got.Addrs), err)
	}
}

// What was taken is not kept.
func TestKeepsNothing(t *testing.T) {
	d := NewDecoder(all...)
	d.Write([]byte(strings.Repeat("WHERE_CHUNK,3\n", 1000) + "WHERE"))
	drain(d)
	if cap(d.buf) > 64 {
		t.Errorf("%d bytes for 5", cap(d.buf))
	}
	d.Write([]byte("_CHUNK,3\n"))
	drain(d)
	if d.buf != nil {
		t.Errorf("%d bytes for none", cap(d.buf))
	}
}
