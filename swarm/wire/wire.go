// Package wire is the text that the swarm speaks: the messages of the assignment (its sections 2 and 3), the lines that it
// wants logged (section 5), and the dialect that adds a chunk's SHA-1. docs/spec/tracker.md has each rule and its reason.
//
// The assignment gives messages no framing, and programs differ in what they make of that. What this package writes is
// bare: no newline, to go out in one write. What it reads is whatever was met: see [Decoder].
package wire

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// MaxChunk is the largest index of a chunk; the least is 1.
	MaxChunk = 1<<31 - 1
	// MaxPort is the largest port; the least is 1.
	MaxPort = 1<<16 - 1
	// MaxHost is how many bytes a host has at most.
	MaxHost = 255
	// MaxMessage is how many bytes may come without a message among them. A tracker keeps to it in what it answers.
	MaxMessage = 64 << 10
)

// QuietTime is how long nothing comes before what could still grow is taken to be complete: long enough for the second
// of two segments, short enough not to be noticed in a chunk's time.
const QuietTime = 30 * time.Millisecond

// Command is the kind of a message. The zero value is none.
type Command uint8

// What is said, and by whom to whom.
const (
	_               Command = iota
	LocalChunks             // client to tracker: I have this chunk, at this address; there is no answer
	WhereChunk              // client to tracker
	GetChunkFrom            // tracker to client: these have it
	LocationUnknown         // tracker to client: nobody has it
	RequestChunk            // client to client: answered by the bytes alone
)

var words = [...]string{
	LocalChunks:     "LOCAL_CHUNKS",
	WhereChunk:      "WHERE_CHUNK",
	GetChunkFrom:    "GET_CHUNK_FROM",
	LocationUnknown: "CHUNK_LOCATION_UNKNOWN",
	RequestChunk:    "REQUEST_CHUNK",
}

// String is the word that a message of the kind begins with.
func (c Command) String() string {
	if int(c) < len(words) {
		return words[c]
	}
	return ""
}

// An Addr is where a peer serves, as it was registered: the host is never resolved, nor made uniform.
type Addr struct {
	Host string
	Port int
}

// String is HOST,PORT, as on the wire.
func (a Addr) String() string { return string(a.append(nil)) }

func (a Addr) append(b []byte) []byte {
	b = append(append(b, a.Host...), ',')
	return strconv.AppendInt(b, int64(a.Port), 10)
}

// A Message is one message, in either dialect.
type Message struct {
	Command Command
	Chunk   int
	SHA1    string // 40 hexadecimal digits, as they were written; "" in the plain dialect
	Addrs   []Addr // of LocalChunks one; of RequestChunk whom is asked, which is logged, not sent
}

// Append appends m as it goes over TCP, bare, in one write. A RequestChunk goes without its address.
func (m Message) Append(b []byte) []byte {
	if m.Command == RequestChunk {
		m.Addrs = nil
	}
	return m.appendAll(b)
}

func (m Message) appendAll(b []byte) []byte {
	b = append(append(b, m.Command.String()...), ',')
	b = strconv.AppendInt(b, int64(m.Chunk), 10)
	if m.SHA1 != "" {
		b = append(append(b, ','), m.SHA1...)
	}
	for _, a := range m.Addrs {
		b = a.append(append(b, ','))
	}
	return b
}

// LogLine is the line that the log of actions gets when entity has sent m, and, of a tracker, when it was received;
// without a newline. Hosts that are this machine's own are localhost in it, whatever the message says. A RequestChunk is
// logged with the address of whom is asked.
func (m Message) LogLine(entity string) string {
	if slices.ContainsFunc(m.Addrs, func(a Addr) bool { return a.Host != Localhost && a.IsLoopback() }) {
		m.Addrs = slices.Clone(m.Addrs)
		for i := range m.Addrs {
			if m.Addrs[i].IsLoopback() {
				m.Addrs[i].Host = Localhost
			}
		}
	}
	return string(m.appendAll(append([]byte(entity), ',')))
}

// Localhost is what the assignment calls every host.
const Localhost = "localhost"

// The assignment has its tracker at the port TrackerPort of this machine.
const (
	TrackerPort    = "5100"
	DefaultTracker = Localhost + ":" + TrackerPort
)

// IsValid tells whether a message can have a.
func (a Addr) IsValid() bool {
	return a.Host != "" && len(a.Host) <= MaxHost && isHost([]byte(a.Host)) && 1 <= a.Port && a.Port <= MaxPort
}

// IsLoopback tells whether a names this machine: localhost, 127.0.0.0/8 or ::1, that also in brackets.
func (a Addr) IsLoopback() bool {
	if strings.EqualFold(a.Host, Localhost) {
		return true
	}
	ip, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(a.Host, "["), "]"))
	return err == nil && ip.Unmap().IsLoopback()
}

// What is asked and answered by UDP on a tracker's port, to tell a tracker that reads every message from one that loses
// some: over TCP nothing goes that the assignment does not know. The answer is no longer than the question, so that
// nobody is sent more than was sent in his name.
const (
	TrackerQuestion = "SPATE_TRACKER?1"
	TrackerAnswer   = "SPATE_TRACKER,1"
)
