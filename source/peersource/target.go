package peersource

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"spate/source"
	"spate/source/conn"
	"spate/source/driver"
	"spate/swarm/wire"
)

// A target is a URL in the terms of a swarm.
type target struct {
	rawURL      string
	tracker     string // host:port
	first, last int    // chunks
	chunk, size int64  // of all but the last ones, and of the whole file-set; size is -1 where it is not known
}

// parse reads a URL that is to be opened.
func parse(rawURL string) (target, error) {
	plain := conn.WithoutFragment(rawURL)
	t := target{rawURL: rawURL, size: -1}
	base, query, isSized := strings.Cut(plain, "?")
	u, err := conn.ParseURL(base, "peer")
	if err != nil {
		return t, err
	}
	if u.User != nil {
		return t, malformed("a tracker knows no users")
	}
	t.tracker = conn.HostPort(u, wire.TrackerPort)
	if err := t.setChunks(strings.TrimPrefix(u.Path, "/")); err != nil || !isSized {
		return t, err
	}
	return t, t.setSizes(query)
}

func (t *target) setChunks(path string) error {
	text, end, isSet := strings.Cut(path, "-")
	first, err := number(text, wire.MaxChunk)
	if err != nil || first == 0 || isSet && first != 1 {
		return malformed("wanted is a chunk, as in peer://HOST:PORT/7, or all of them, as in peer://HOST:PORT/1-64")
	}
	t.first, t.last = int(first), int(first)
	if isSet {
		last, err := number(end, wire.MaxChunk)
		if err != nil || last == 0 {
			return malformed("wanted are all chunks, as in peer://HOST:PORT/1-64")
		}
		t.last = int(last)
	}
	return nil
}

func (t *target) setSizes(query string) error {
	values, err := url.ParseQuery(query)
	if err != nil {
		return malformed("its query makes no sense")
	}
	const wanted = "behind its ? stands nothing but chunk=BYTES&size=TOTAL"
	if len(values) != 2 || len(values["chunk"]) != 1 || len(values["size"]) != 1 {
		return malformed(wanted)
	}
	const most = 1 << 62
	if t.chunk, err = number(values.Get("chunk"), most); err != nil || t.chunk == 0 {
		return malformed(wanted)
	}
	if t.size, err = number(values.Get("size"), most); err != nil {
		return malformed(wanted)
	}
	if need := (t.size-1)/t.chunk + 1; t.first != t.last && t.size > 0 && need > int64(t.last) {
		return malformed(fmt.Sprintf("%d bytes are %d chunks of %d", t.size, need, t.chunk))
	}
	return nil
}

// number reads digits as a program writes them.
func number(text string, most uint64) (int64, error) {
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil || n > most || strconv.FormatUint(n, 10) != text {
		return 0, strconv.ErrRange
	}
	return int64(n), nil
}

// isSized tells whether all sizes are known.
func (t *target) isSized() bool { return t.size >= 0 }

// sizeOf is that of a chunk; -1 where it is not known.
func (t *target) sizeOf(chunk int) int64 {
	if !t.isSized() {
		return -1
	}
	return min(t.chunk, max(t.size-t.start(chunk), 0))
}

// start is where a chunk begins in the file-set; the size of that at most. It needs sizes.
func (t *target) start(chunk int) int64 {
	before := int64(chunk - 1)
	if before > 0 && t.chunk > t.size/before {
		return t.size
	}
	return before * t.chunk
}

// length is that of what the URL names; -1 where it is not known.
func (t *target) length() int64 {
	if t.first == t.last {
		return t.sizeOf(t.first)
	}
	return t.size
}

// at is the chunk that has the byte at off, which there is, and where in it that is. It needs sizes.
func (t *target) at(off int64) (chunk int, skip int64) {
	return t.first + int(off/t.chunk), off % t.chunk
}

func malformed(why string) error {
	return driver.Classed(source.KindMalformed, errors.New("malformed URL: "+why))
}
