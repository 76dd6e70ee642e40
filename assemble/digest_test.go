package assemble_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"

	"spate/assemble"
	"spate/event"
	"spate/internal/farm"
	"spate/source"
)

// promising is a part whose alternatives carry digests or sizes. In its lines SHA stands for the right digest, and N for
// the right size.
type promising struct {
	name   string
	lines  []string
	want   string   // "": the right bytes; "corrupt", "fails": what the stream comes to
	kinds  []string // of the failures, where the part is read ahead
	direct string   // what it comes to where it is read as it arrives, if not the same
	last   int      // requests of the last alternative; 0: 1
}

func promisingCases() []promising {
	const sha, n = "#sha256=SHA", "#size=N"
	corrupt, network := []string{"corrupt"}, []string{"network"}
	return []promising{
		{name: "kept", lines: []string{"good" + sha + "&size=N", "spare"}},
		{name: "kept, in parts", lines: []string{"good!often" + sha, "spare"}},
		{name: "kept, by two", lines: []string{"good!cut" + sha, "good" + sha}, kinds: network},
		{name: "kept, by two, one of which promises nothing", lines: []string{"good!cut", "good" + sha}, kinds: network},
		{name: "kept, by two, the other promises nothing", lines: []string{"good!cut" + sha, "good"}, kinds: network},
		{name: "broken", lines: []string{"bad" + sha, "good" + sha}, kinds: corrupt, direct: "corrupt"},
		{name: "broken, the next promises nothing", lines: []string{"bad" + sha, "good"}, kinds: corrupt, direct: "corrupt"},
		{name: "broken, the next answers no ranges", lines: []string{"bad" + sha, "good!fromzero" + sha}, kinds: corrupt, direct: "corrupt"},
		{name: "broken twice", lines: []string{"bad" + sha, "bad!fromzero" + sha, "good" + sha}, kinds: []string{"corrupt", "corrupt"},
			direct: "corrupt"},
		{name: "broken by all", lines: []string{"bad" + sha, "bad!fromzero" + sha}, want: "corrupt", kinds: []string{"corrupt", "corrupt"}},
		{name: "broken by the only one", lines: []string{"bad" + sha}, want: "corrupt", kinds: corrupt},
		{name: "broken by the beginning", lines: []string{"bad!cut" + sha, "good" + sha}, kinds: []string{"network", "corrupt"},
			direct: "corrupt", last: 2},
		{name: "broken by the end", lines: []string{"good!cut" + sha, "bad!end" + sha, "good" + sha},
			kinds: []string{"network", "corrupt", "corrupt"}, direct: "corrupt"},
		{name: "another one", lines: []string{"good!cut" + sha, "good#sha256=" + digest(nil), "good" + sha},
			kinds: []string{"network", "changed"}},
		{name: "of the size, kept", lines: []string{"good" + n, "spare"}},
		{name: "of the size, kept without a length", lines: []string{"good!nolength" + n, "spare"}},
		{name: "of the size, longer", lines: []string{"long" + n, "good"}, kinds: corrupt},
		{name: "of the size, shorter", lines: []string{"short" + n, "good"}, kinds: corrupt},
		{name: "of the size, longer without a length", lines: []string{"long!nolength" + n, "good"}, kinds: corrupt},
		{name: "of the size, shorter without a length", lines: []string{"short!nolength" + n, "good"}, kinds: network},
		{name: "of the size, longer without a length, alone", lines: []string{"long!nolength" + n}, want: "corrupt", kinds: corrupt},
		{name: "of the size, shorter without a length, alone", lines: []string{"short!nolength" + n}, want: "fails", kinds: network},
		{name: "of another size", lines: []string{"good!cut", "good#size=1", "good"}, kinds: []string{"network", "changed"}},
		{name: "of a manifest", lines: []string{"inner.parts" + sha, "inner" + n, "good"}, kinds: []string{"corrupt", "corrupt"}},
		{name: "of no bytes", lines: []string{"good#size=0", "good"}, kinds: corrupt},
	}
}

// serveCopies serves the right bytes and others, each with a few manners.
func serveCopies(f *farm.Farm, data []byte) {
	copies := map[string][]byte{
		"good": data, "bad": altered(data, 100), "bad!end": altered(data, len(data)-1),
		"long": append(bytes.Clone(data), 'x'), "short": data[:len(data)-1], "spare": text("spare", 10),
	}
	serve(f, "/inner.parts", lines("good"))
	f.Serve("/inner", farm.Resource{Body: lines("good"), MediaType: "text/parts-manifest"})
	for name, d := range copies {
		f.Serve("/"+name, fine(d))
		f.Serve("/"+name+"!cut", farm.Resource{Body: d, BreakAt: breakAt})
		f.Serve("/"+name+"!often", farm.Resource{Body: d, BreakAfter: 10_000})
		f.Serve("/"+name+"!fromzero", fineFromZero(d))
		f.Serve("/"+name+"!nolength", farm.Resource{Body: d, NoLength: true})
	}
}

func (p promising) serve(f *farm.Farm, data []byte, before ...string) {
	serveCopies(f, data)
	l := lines(append(before, p.lines...)...)
	l = bytes.ReplaceAll(l, []byte("SHA"), []byte(digest(data)))
	l = bytes.ReplaceAll(l, []byte("=N"), []byte("="+strconv.Itoa(len(data))))
	serve(f, "/m.parts", l)
}

// TestPromisesAhead: what proves wrong before it is handed on comes from the next alternative.
func TestPromisesAhead(t *testing.T) {
	for _, c := range promisingCases() {
		t.Run(c.name, c.ahead)
	}
}

// ahead holds back the part before until all that must fail has failed.
func (p promising) ahead(t *testing.T) {
	f, data, gate := grow(t), text("data", breakSize), make(chan struct{})
	p.serve(f, data, "first", "--")
	f.Serve("/first", farm.Resource{Body: []byte("first"), StallAt: 3, Release: gate})
	failed := make(chan struct{}, 10)
	opts := &assemble.Options{Events: func(e event.Event) {
		if e.Type == event.Failed {
			failed <- struct{}{}
		}
	}}
	r := open(t, web(t, nil), f.URL("/m.parts"), opts)
	r.want([]byte("fir"))
	for range p.kinds {
		within(t, "failing ahead", func() { <-failed })
	}
	if len(p.kinds) > 0 && p.want == "" { // an event comes a little before what is wrong is dropped
		last, _, _ := strings.Cut(p.lines[len(p.lines)-1], "#")
		if err := f.Wait(patient(t), farm.Arrived, "/"+last, max(p.last, 1)); err != nil {
			t.Error(err)
		}
	}
	close(gate)
	r.want([]byte("st"))
	var got []byte
	var err error
	within(t, "reading the rest", func() { got, err = io.ReadAll(r) })
	p.judge(t, got, err, data)
	wantRequests(t, f, map[string]int{"/spare": 0})
}

// TestPromisesAsRead: what proves wrong after its beginning was handed on ends the stream, unless that can be taken back.
func TestPromisesAsRead(t *testing.T) {
	for _, c := range promisingCases() {
		t.Run(c.name, func(t *testing.T) {
			t.Run("to a file", func(t *testing.T) { c.asRead(t, true) })
			t.Run("to a file, marked", func(t *testing.T) { c.asRead(t, true, "(*)") })
			if c.direct != "" {
				c.want = c.direct
			}
			t.Run("to a pipe", func(t *testing.T) { c.asRead(t, false) })
			t.Run("to a pipe, marked", func(t *testing.T) { c.asRead(t, false, "(*)") })
		})
	}
}

// asRead has the first 1000 bytes handed on before the rest is there.
func (p promising) asRead(t *testing.T, rewind bool, before ...string) {
	f, data, gate := grow(t), text("data", breakSize), make(chan struct{})
	p.serve(f, data, before...)
	var out bytes.Buffer
	opts := &assemble.Options{Ahead: 1}
	if rewind {
		opts.Rewind = func(off int64) error {
			out.Truncate(int(off))
			return nil
		}
	}
	client := web(t, nil)
	r := open(t, pausing(client, 1000, gate), f.URL("/m.parts"), opts)
	first := make([]byte, 1000)
	within(t, "reading the beginning", func() {
		n, _ := io.ReadFull(r, first)
		out.Write(first[:n])
	})
	close(gate)
	var err error
	within(t, "reading the rest", func() { _, err = io.Copy(&out, r) })
	p.judge(t, out.Bytes(), err, data)
}

func (p promising) judge(t *testing.T, got []byte, err error, data []byte) {
	t.Helper()
	switch p.want {
	case "":
		(&outcome{data: got, err: err}).want(t, data)
	case "corrupt":
		if !errors.Is(err, source.ErrCorrupt) {
			t.Errorf("%d bytes, then %v; want ErrCorrupt", len(got), err)
		}
	case "fails":
		if err == nil {
			t.Errorf("%d bytes and no error", len(got))
		}
	}
}

// TestRewound: the offset that is taken back, where other parts come before and after.
func TestRewound(t *testing.T) {
	f, data, gate := grow(t), text("data", breakSize), make(chan struct{})
	serveCopies(f, data)
	serve(f, "/m.parts", lines("spare", "--", "bad#sha256="+digest(data), "good", "--", "spare"))
	spare := text("spare", 10)
	var out bytes.Buffer
	var rewound []int64
	opts := &assemble.Options{Rewind: func(off int64) error {
		rewound = append(rewound, off)
		out.Truncate(int(off))
		return nil
	}}
	r := open(t, pausing(web(t, nil), 1000, gate), f.URL("/m.parts"), opts)
	first := make([]byte, 1010)
	within(t, "reading the beginning", func() { io.ReadFull(r, first) })
	out.Write(first)
	close(gate)
	var err error
	within(t, "reading the rest", func() { _, err = r.WriteTo(&out) })
	(&outcome{data: out.Bytes(), err: err}).want(t, slices.Concat(spare, data, spare))
	if !slices.Equal(rewound, []int64{10}) {
		t.Errorf("rewound to %v, want 10", rewound)
	}
	if n := r.Stats().Parts; n != 3 {
		t.Errorf("%d parts, want 3", n)
	}
}

// TestRewindFails: its error ends the stream.
func TestRewindFails(t *testing.T) {
	f, data, gate := grow(t), text("data", breakSize), make(chan struct{})
	serveCopies(f, data)
	serve(f, "/m.parts", lines("bad#sha256="+digest(data), "good"))
	no := errors.New("no way back")
	opts := &assemble.Options{Rewind: func(int64) error { return no }}
	r := open(t, pausing(web(t, nil), 1000, gate), f.URL("/m.parts"), opts)
	r.want(text("data", 1000)[:100])
	close(gate)
	within(t, "reading", func() {
		if _, err := io.Copy(io.Discard, r); !errors.Is(err, no) {
			t.Errorf("error %v, want %v", err, no)
		}
	})
}

// TestPromiseOfWhatIsAskedFor: the URL that the caller asks for may promise as well.
func TestPromiseOfWhatIsAskedFor(t *testing.T) {
	f, data := grow(t), text("data", breakSize)
	serveCopies(f, data)
	sha := "#sha256=" + digest(data)
	for path, want := range map[string]error{"/good" + sha: nil, "/good#size=40000": nil, "/bad" + sha: source.ErrCorrupt,
		"/long#size=40000": source.ErrCorrupt, "/long!nolength#size=40000": source.ErrCorrupt, "/inner.parts" + sha: source.ErrCorrupt} {
		out := read(t, web(t, nil), f.URL(path), nil)
		if want == nil {
			out.want(t, data)
		} else if !errors.Is(out.err, want) {
			t.Errorf("%s: %d bytes, then %v; want %v", path, len(out.data), out.err, want)
		}
	}
}
