package farm

import (
	"bytes"
	"io"
	"testing"
	"time"
)

func TestRanges(t *testing.T) {
	const size = 100
	cases := []struct {
		name, header  string
		status        int
		off, end      int
		contentRange  string
		noRange, tail bool
	}{
		{name: "from the start", header: "bytes=0-", status: 206, off: 0, end: 100, contentRange: "bytes 0-99/100"},
		{name: "from within", header: "bytes=26-", status: 206, off: 26, end: 100, contentRange: "bytes 26-99/100"},
		{name: "one byte", header: "bytes=5-5", status: 206, off: 5, end: 6, contentRange: "bytes 5-5/100"},
		{name: "beyond the end", header: "bytes=90-200", status: 206, off: 90, end: 100, contentRange: "bytes 90-99/100"},
		{name: "last byte", header: "bytes=99-", status: 206, off: 99, end: 100, contentRange: "bytes 99-99/100"},
		{name: "suffix", header: "bytes=-10", status: 206, off: 90, end: 100, contentRange: "bytes 90-99/100"},
		{name: "long suffix", header: "bytes=-200", status: 206, off: 0, end: 100, contentRange: "bytes 0-99/100"},
		{name: "at the end", header: "bytes=100-", status: 416, contentRange: "bytes */100"},
		{name: "behind the end", header: "bytes=101-", status: 416, contentRange: "bytes */100"},
		{name: "empty suffix", header: "bytes=-0", status: 416, contentRange: "bytes */100"},
		{name: "several", header: "bytes=0-1,3-4", status: 200, end: 100},
		{name: "backwards", header: "bytes=5-4", status: 200, end: 100},
		{name: "other unit", header: "lines=5-", status: 200, end: 100},
		{name: "nonsense", header: "bytes=x-", status: 200, end: 100},
		{name: "ignored", header: "bytes=5-", noRange: true, status: 200, end: 100},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f, client := grow(t, Resource{Body: letters(size), NoRange: c.noRange})
			a := ask(t.Context(), client, f.URL("/x"), "Range", c.header)
			a.want(t, c.status, letters(size)[c.off:c.end])
			if got := a.header.Get("Content-Range"); got != c.contentRange {
				t.Errorf("Content-Range %q, want %q", got, c.contentRange)
			}
		})
	}
}

func TestIfRange(t *testing.T) {
	modified := time.Date(2008, 5, 21, 12, 0, 0, 0, time.UTC)
	f, c := grow(t, Resource{Body: letters(10), ETag: `"1"`, ModTime: modified})
	for condition, status := range map[string]int{`"1"`: 206, `"2"`: 200, `W/"1"`: 200,
		"Wed, 21 May 2008 12:00:00 GMT": 206, "Wed, 21 May 2008 12:00:01 GMT": 200} {
		a := ask(t.Context(), c, f.URL("/x"), "Range", "bytes=4-", "If-Range", condition)
		if a.status != status {
			t.Errorf("%s: %d, want %d", condition, a.status, status)
		}
	}
}

// alphabet generates the same as letters.
func alphabet(off int64, p []byte) int {
	for i := range p {
		p[i] = 'a' + byte((off+int64(i))%26)
	}
	return len(p)
}

func TestGenerated(t *testing.T) {
	f, c := grow(t, Resource{Gen: alphabet, Size: 100_000})
	ask(t.Context(), c, f.URL("/x")).want(t, 200, letters(100_000))
	ask(t.Context(), c, f.URL("/x"), "Range", "bytes=70000-").want(t, 206, letters(100_000)[70_000:])
}

func TestGeneratedEndsWhereGenDoes(t *testing.T) {
	gen := func(off int64, p []byte) int { return copy(p, letters(40_000)[min(off, 40_000):]) }
	f, c := grow(t, Resource{Gen: gen})
	a := ask(t.Context(), c, f.URL("/x"))
	a.want(t, 200, letters(40_000))
	if a.length != -1 {
		t.Error("length", a.length)
	}
}

func TestEndless(t *testing.T) {
	f, c := grow(t, Resource{Gen: alphabet})
	ask(t.Context(), c, f.URL("/x"), "Range", "bytes=26-51").want(t, 206, letters(26))
	resp, err := c.Get(f.URL("/x"))
	if err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 1<<20)
	if _, err := io.ReadFull(resp.Body, got); err != nil || !bytes.Equal(got, letters(1<<20)) {
		t.Error("other bytes, or", err)
	}
	resp.Body.Close()
	if err := f.Wait(t.Context(), Ended, "/x", 2); err != nil {
		t.Error(err)
	}
}
