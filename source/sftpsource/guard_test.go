package sftpsource

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"testing"
	"testing/iotest"
)

// packet has its length before it.
func packet(kind byte, content ...any) []byte {
	var b bytes.Buffer
	b.WriteByte(kind)
	for _, c := range content {
		switch c := c.(type) {
		case string:
			_ = binary.Write(&b, binary.BigEndian, uint32(len(c)))
			b.WriteString(c)
		case []byte:
			b.Write(c)
		case int:
			_ = binary.Write(&b, binary.BigEndian, uint32(c))
		}
	}
	return append(binary.BigEndian.AppendUint32(nil, uint32(b.Len())), b.Bytes()...)
}

var soundPackets = [][]byte{
	packet(packetVersion, 3, "name", "value"),
	packet(packetStatus, 7, 0),
	packet(packetStatus, 7, 2, "no such file", "en"),
	packet(packetHandle, 7, "h"),
	packet(packetData, 7, "x"),
	packet(packetData, 7, string(make([]byte, 32<<10))),
	packet(packetAttrs, 7, 0),
	packet(packetAttrs, 7, hasSize, 0, 10),
	packet(packetAttrs, 7, hasSize|hasOwner|hasMode|hasTimes|hasExtended, 0, 10, 1, 1, 0o644, 2, 3, 0),
}

func TestGuardHandsOn(t *testing.T) {
	stream := bytes.Join(soundPackets, nil)
	for name, r := range map[string]io.Reader{"at once": bytes.NewReader(stream), "bytewise": iotest.OneByteReader(bytes.NewReader(stream))} {
		got, err := io.ReadAll(newGuard(r))
		if err != nil || !bytes.Equal(got, stream) {
			t.Errorf("%s: %d of %d bytes, %v", name, len(got), len(stream), err)
		}
	}
	if err := iotest.TestReader(newGuard(bytes.NewReader(stream)), stream); err != nil {
		t.Error(err)
	}
}

func TestGuardStops(t *testing.T) {
	for name, p := range map[string][]byte{
		"nothing in it":              {0, 0, 0, 0},
		"the type alone":             {0, 0, 0, 1, packetStatus},
		"too long":                   binary.BigEndian.AppendUint32(nil, maxPacket+1),
		"as long as can be":          {0xff, 0xff, 0xff, 0xff, packetData},
		"status without code":        packet(packetStatus, 7),
		"handle without length":      packet(packetHandle, 7),
		"empty handle":               packet(packetHandle, 7, ""),
		"handle beyond the end":      packet(packetHandle, 7, 1000),
		"handle before the end":      packet(packetHandle, 7, 1, []byte("xy")),
		"data beyond the end":        packet(packetData, 7, 1000, []byte("x")),
		"data far beyond the end":    packet(packetData, 7, -1, []byte("x")),
		"data before the end":        packet(packetData, 7, 1, []byte("xy")),
		"no data":                    packet(packetData, 7, ""),
		"data without length":        packet(packetData, 7),
		"attributes without flags":   packet(packetAttrs, 7),
		"no size":                    packet(packetAttrs, 7, hasSize, 0),
		"negative size":              packet(packetAttrs, 7, hasSize, -1, -1),
		"too many extensions":        packet(packetAttrs, 7, hasExtended, maxExtended+1),
		"extensions without number":  packet(packetAttrs, 7, hasExtended|hasSize, 0, 10),
		"names, which nobody wanted": packet(104, 7, 1, "x", "x", 0),
		"something else":             packet(200, 7),
	} {
		got, err := io.ReadAll(newGuard(bytes.NewReader(append(packet(packetStatus, 1, 0), p...))))
		if err == nil || len(got) > 13 {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
}

func TestGuardNotesWhatIsTold(t *testing.T) {
	g := newGuard(bytes.NewReader(packet(packetAttrs, 7, hasSize|hasTimes, 0, 10, 1, 2)))
	if _, err := io.ReadAll(g); err != nil || !g.told(hasSize) || !g.told(hasSize|hasTimes) || g.told(hasMode) || g.told(hasSize|hasMode) {
		t.Errorf("%v, flags %x", err, g.attrs.Load())
	}
}

// FuzzGuard: whatever comes, what is handed on is sound.
func FuzzGuard(f *testing.F) {
	for _, p := range soundPackets {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		got, err := io.ReadAll(newGuard(bytes.NewReader(stream)))
		if !bytes.HasPrefix(stream, got) {
			t.Fatal("other bytes are handed on")
		}
		if again, e := io.ReadAll(newGuard(bytes.NewReader(got))); !bytes.Equal(again, got) || errors.Is(e, errPacket) {
			t.Fatalf("%v, then %v", err, e)
		}
	})
}
