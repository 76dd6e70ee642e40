package sftpsource

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"sync/atomic"
)

// Packets of SFTP that a server sends, of those that were asked for.
const (
	packetVersion = 2
	packetStatus  = 101
	packetHandle  = 102
	packetData    = 103
	packetAttrs   = 105
)

// What the flags of a packet of attributes tell.
const (
	hasSize     = 1 << 0
	hasOwner    = 1 << 1
	hasMode     = 1 << 2
	hasTimes    = 1 << 3
	hasExtended = 1 << 31
)

const (
	maxPacket   = 256 << 10
	maxExtended = 64
)

var errPacket = errors.New("a packet that makes no sense")

// A guard hands on what a server sends, packet by packet, and ends the connection at one that the client would not
// survive: it trusts the lengths inside of packets.
type guard struct {
	r       *bufio.Reader
	ready   []byte // checked, to be handed on
	through int    // bytes behind ready that need no check
	attrs   atomic.Uint32
	touch   atomic.Pointer[func()] // is called for what comes
	buf     []byte
	err     error
}

func newGuard(r io.Reader) *guard { return &guard{r: bufio.NewReader(r), buf: make([]byte, 0, 512)} }

// Read hands on whole packets only.
func (g *guard) Read(p []byte) (int, error) {
	if g.err != nil {
		return 0, g.err
	}
	if len(g.ready) == 0 && g.through == 0 {
		if g.err = g.next(); g.err != nil {
			return 0, g.err
		}
	}
	if len(g.ready) > 0 {
		n := copy(p, g.ready)
		g.ready = g.ready[n:]
		return n, nil
	}
	n, err := g.r.Read(p[:min(len(p), g.through)])
	g.through -= n
	if touch := g.touch.Load(); touch != nil {
		(*touch)()
	}
	return n, err
}

// next reads the head of a packet of data, or the whole of another one: length, type, content.
func (g *guard) next() error {
	if err := g.fetch(5); err != nil {
		return err
	}
	length := int(binary.BigEndian.Uint32(g.buf))
	if length < 5 || length > maxPacket {
		return fmt.Errorf("%w: %d bytes", errPacket, length)
	}
	kind := g.buf[4]
	rest := length - 1
	if kind == packetData {
		rest = 8
	}
	if err := g.fetch(5 + rest); err != nil {
		return err
	}
	if !g.sound(kind, length-1, g.buf[5:]) {
		return fmt.Errorf("%w: of type %d", errPacket, kind)
	}
	if kind == packetData {
		g.through = length - 9
	}
	g.ready = g.buf
	return nil
}

// fetch reads until buf has n bytes; it begins anew where everything in it was handed on.
func (g *guard) fetch(n int) error {
	if n == 5 {
		g.buf = g.buf[:0]
	}
	have := len(g.buf)
	for cap(g.buf) < n {
		g.buf = append(g.buf[:cap(g.buf)], 0)
	}
	g.buf = g.buf[:n]
	_, err := io.ReadFull(g.r, g.buf[have:])
	if err == io.EOF && have > 0 {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// sound checks the content of a packet, size bytes, of which b are there.
func (g *guard) sound(kind byte, size int, b []byte) bool {
	switch kind {
	case packetVersion:
		return true
	case packetStatus:
		return size >= 8
	case packetHandle, packetData: // an empty handle is none, and no data are told by a status
		return size > 8 && int64(binary.BigEndian.Uint32(b[4:])) == int64(size-8)
	case packetAttrs:
		return g.soundAttrs(b)
	}
	return false
}

func (g *guard) soundAttrs(b []byte) bool {
	if len(b) < 8 {
		return false
	}
	flags := binary.BigEndian.Uint32(b[4:])
	g.attrs.Store(flags)
	b = b[8:]
	if flags&hasSize != 0 && (len(b) < 8 || binary.BigEndian.Uint64(b) > math.MaxInt64) {
		return false
	}
	if flags&hasExtended == 0 {
		return true
	}
	at := 0
	for _, field := range []struct {
		flag uint32
		size int
	}{{hasSize, 8}, {hasOwner, 8}, {hasMode, 4}, {hasTimes, 8}} {
		if flags&field.flag != 0 {
			at += field.size
		}
	}
	return len(b) >= at+4 && binary.BigEndian.Uint32(b[at:]) <= maxExtended
}

// told reports whether the attributes that came last had all of flags.
func (g *guard) told(flags uint32) bool { return g.attrs.Load()&flags == flags }
