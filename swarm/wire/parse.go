package wire

import "bytes"

// An extent tells how much of a message is there. They are ordered.
type extent uint8

const (
	bad     extent = iota // no message, whatever follows
	short                 // the beginning of one
	partial               // a whole one, and the beginning of what may be added to it
	grows                 // a whole one; what follows could belong to it
	sure                  // a whole one; what follows does not belong to it
)

// A spelling is a way in which a message can begin.
type spelling struct {
	text    []byte
	command Command
}

var spellings = []spelling{
	{[]byte("LOCAL_CHUNKS,"), LocalChunks},
	{[]byte("WHERE_CHUNK,"), WhereChunk},
	{[]byte("GET_CHUNK_FROM,"), GetChunkFrom},
	{[]byte("CHUNK_LOCATION_UNKNOWN,"), LocationUnknown},
	{[]byte("CHUNK LOCATION UNKNOWN,"), LocationUnknown},
	{[]byte("REQUEST_CHUNK,"), RequestChunk},
}

// spelled returns what p begins with, if that is how a message begins.
func spelled(p []byte) (spelling, bool) {
	for _, s := range spellings {
		if bytes.HasPrefix(p, s.text) {
			return s, true
		}
	}
	return spelling{}, false
}

// couldSpell tells whether p is the beginning of how a message begins.
func couldSpell(p []byte) bool {
	for _, s := range spellings {
		if bytes.HasPrefix(s.text, p) {
			return true
		}
	}
	return false
}

// parse reads the message of s from p, which is what follows s.text; n is how much of p belongs to it. No index that is meant is
// more than maxChunk; one that is counts for what it says. The address that some add to RequestChunk does not belong to it:
// what is asked for is known without.
func parse(s spelling, p []byte, maxChunk int) (m Message, n int, ext extent) {
	m.Command = s.command
	if m.Chunk, n, ext = number(p, MaxChunk); ext < grows {
		return m, n, ext
	}
	if m.Chunk > maxChunk/10 {
		ext = sure
	}
	switch s.command {
	case LocalChunks:
		return parseLocal(m, p, n)
	case GetChunkFrom:
		return parseList(m, p, n)
	}
	return m, n, ext
}

func parseLocal(m Message, p []byte, n int) (Message, int, extent) {
	switch {
	case n == len(p):
		return m, n, short
	case p[n] != ',':
		return m, n, bad
	}
	var l int
	n++
	m.SHA1, l = hash(p[n:])
	n += l
	a, l, ext := address(p[n:])
	m.Addrs = []Addr{a}
	return m, n + l, ext
}

// parseList takes the addresses up to the first that is none. A list without any is the answer that nobody has it.
func parseList(m Message, p []byte, n int) (Message, int, extent) {
	more, l, ext := goesOn(p[n:])
	if !more {
		return m, n, ext
	}
	m.SHA1, l = hash(p[n+l:])
	if l > 0 {
		n += l // the comma in front of it, and not the one behind
	}
	for {
		more, l, ext = goesOn(p[n:])
		if !more {
			return m, n + l, ext
		}
		a, k, ext := address(p[n+l:])
		switch {
		case ext == bad:
			return m, n + l, sure
		case ext == short && n+l == len(p):
			return m, n + l, grows
		case ext == short:
			return m, n, partial
		}
		m.Addrs = append(m.Addrs, a)
		n += l + k
		if ext == grows {
			return m, n, grows
		}
	}
}

// goesOn tells whether p begins with a comma, and its length; if not, what that means for a message that may be longer.
func goesOn(p []byte) (bool, int, extent) {
	switch {
	case len(p) == 0:
		return false, 0, grows
	case p[0] != ',':
		return false, 0, sure
	}
	return true, 1, short
}

// hash returns the SHA-1 that p begins with, and its length with the comma behind it; 0 if it does not begin with one.
func hash(p []byte) (string, int) {
	const digits = 40
	if len(p) <= digits || p[digits] != ',' {
		return "", 0
	}
	for _, c := range p[:digits] {
		if !isDigit(c) && (c|0x20 < 'a' || c|0x20 > 'f') {
			return "", 0
		}
	}
	return string(p[:digits]), digits + 1
}

func address(p []byte) (Addr, int, extent) {
	n := bytes.IndexByte(p[:min(len(p), MaxHost+1)], ',')
	switch {
	case n < 0 && len(p) <= MaxHost && isHost(p):
		return Addr{}, 0, short
	case n <= 0 || !isHost(p[:n]):
		return Addr{}, 0, bad
	}
	port, l, ext := number(p[n+1:], MaxPort)
	return Addr{string(p[:n]), port}, n + 1 + l, ext
}

// isHost tells whether p can be (the beginning of) a host: a name, or an address of either version.
func isHost(p []byte) bool {
	for _, c := range p {
		isLetter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !isLetter && !isDigit(c) && bytes.IndexByte([]byte("-._:%[]"), c) < 0 {
			return false
		}
	}
	return true
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// number reads a decimal number from 1 to limit. One that no further digit could follow is sure. More digits than
// fit are no number: what would be cut off does not become another one.
func number(p []byte, limit int) (v, n int, ext extent) {
	for n < len(p) && isDigit(p[n]) {
		if v = v*10 + int(p[n]-'0'); v > limit || n == maxDigits {
			return 0, 0, bad
		}
		n++
	}
	switch {
	case n == len(p) && v == 0:
		return 0, 0, short
	case v == 0:
		return 0, 0, bad
	case n == len(p) && n < maxDigits && v*10 <= limit:
		return v, n, grows
	}
	return v, n, sure
}

// maxDigits are those of MaxChunk; zeros in front count.
const maxDigits = 10
