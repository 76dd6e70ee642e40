package journal

import (
	"bufio"
	"bytes"
	"errors"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"

	"spate/format/span"
)

// A journal is lines: "KIND FIELDS… CHECK\n". CHECK is the CRC32C of every byte of the file before it, as eight lower
// case hexadecimal digits; so a line is only what it is where it stands, and nothing behind a damaged one counts.
const (
	kindHeader  = "spate-journal" // version, random number, JSON
	kindAdd     = "+"             // offset, end, CRC32C of the bytes
	kindForget  = "-"             // offset, end
	kindBegin   = "sync"          // a sync of FILE.part begins
	kindConfirm = "synced"        // it has ended: what stands before the last "sync" is durable
	kindPlace   = "place"         // JSON
	kindFrom    = "from"          // offset, end, number of the origin; passed over by older readers
	version     = "1"
	checkLen    = 8
	maxLine     = 256 << 10 // bounds what a reader holds
	maxPlace    = 64 << 10  // the same of a place, of which it holds many
)

// A chain is where the next line goes: behind off bytes, whose CRC32C is sum.
type chain struct {
	off int64
	sum uint32
}

// line appends a record to buf, and c moves behind it. A field must not contain a line feed.
func (c *chain) line(buf []byte, fields ...[]byte) []byte {
	start := len(buf)
	for _, f := range fields {
		buf = append(append(buf, f...), ' ')
	}
	buf = appendHex(buf, crc32.Update(c.sum, castagnoli, buf[start:]))
	buf = append(buf, '\n')
	c.pass(buf[start:])
	return buf
}

func (c *chain) pass(line []byte) {
	c.off += int64(len(line))
	c.sum = crc32.Update(c.sum, castagnoli, line)
}

func appendHex(buf []byte, crc uint32) []byte {
	const digits = "0123456789abcdef"
	for shift := 28; shift >= 0; shift -= 4 {
		buf = append(buf, digits[crc>>shift&0xf])
	}
	return buf
}

func number(n int64) []byte { return strconv.AppendInt(nil, n, 10) }

// header has a number of its own in each journal, so that the lines of another one, left in blocks of the disk that this
// one was given, are not in their place even where the headers are the same otherwise.
func (c *chain) header(buf []byte, h *Header) []byte {
	id := rand.Uint64()
	number := appendHex(appendHex(nil, uint32(id>>32)), uint32(id))
	return c.line(buf, []byte(kindHeader), []byte(version), number, h.encode())
}

func (c *chain) add(buf []byte, x run) []byte {
	return c.line(buf, []byte(kindAdd), number(x.Off), number(x.End), appendHex(nil, x.crc))
}

func (c *chain) forget(buf []byte, x span.Span) []byte {
	return c.line(buf, []byte(kindForget), number(x.Off), number(x.End))
}

func (c *chain) from(buf []byte, x Given) []byte {
	return c.line(buf, []byte(kindFrom), number(x.Off), number(x.End), number(int64(x.Origin)))
}

func (c *chain) place(buf []byte, p Place) []byte {
	return c.line(buf, []byte(kindPlace), p.encode())
}

func (c *chain) sign(buf []byte, kind string) []byte { return c.line(buf, []byte(kind)) }

// next reads a line and returns it without its check; io.EOF at the end, errTorn for what is no whole line or not in its
// place, any other error as the reader's.
func (c *chain) next(r *bufio.Reader) ([]byte, error) {
	line, err := r.ReadSlice('\n')
	switch {
	case errors.Is(err, io.EOF) && len(line) == 0:
		return nil, io.EOF
	case errors.Is(err, io.EOF), errors.Is(err, bufio.ErrBufferFull):
		return nil, errTorn
	case err != nil:
		return nil, err
	}
	body := len(line) - checkLen - 1
	if body < 1 || line[body-1] != ' ' {
		return nil, errTorn
	}
	var check [checkLen]byte
	if !bytes.Equal(line[body:body+checkLen], appendHex(check[:0], crc32.Update(c.sum, castagnoli, line[:body]))) {
		return nil, errTorn
	}
	c.pass(line)
	return line[:body-1], nil
}

var errTorn = errors.New("torn")

// encode is l, while no sync is under way, as a file of its own.
func encode(h *Header, l *ledger) ([]byte, chain) {
	var c chain
	buf := c.header(nil, h)
	for _, p := range l.places {
		buf = c.place(buf, p)
	}
	for _, x := range l.durable {
		buf = c.add(buf, x)
	}
	if len(l.durable) > 0 {
		buf = c.sign(c.sign(buf, kindBegin), kindConfirm)
	}
	for _, x := range slices.Concat(l.syncing, l.fresh) {
		buf = c.add(buf, x)
	}
	for _, x := range l.given() {
		buf = c.from(buf, x)
	}
	return buf, c
}
