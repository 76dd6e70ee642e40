package main

import (
	"fmt"
	"strconv"

	"spate/swarm/wire"
)

// A plan is who registers what. Each chunk comes to have the same number of holders, so that every answer's length is known
// beforehand: it can be read to its end without waiting for a pause.
type plan struct {
	clients       int
	registrations int // of all together
}

// holders is how many clients have each chunk.
const holders = 10

// The addresses are those of nobody: trackers do not connect to them. All are equally long.
const (
	host      = "127.0.0.1"
	firstPort = 20000
)

func (p plan) check() error {
	switch {
	case p.clients < holders || firstPort+p.clients > wire.MaxPort:
		return fmt.Errorf("%d clients: there can be %d to %d", p.clients, holders, wire.MaxPort-firstPort)
	case p.registrations < p.clients || p.registrations%(holders*p.clients) != 0:
		return fmt.Errorf("%d registrations are not the same for %d clients and %d holders", p.registrations, p.clients, holders)
	}
	return nil
}

// each is how many chunks a client registers.
func (p plan) each() int { return p.registrations / p.clients }

// chunks is how many there are.
func (p plan) chunks() int { return p.registrations / holders }

// chunk is the index of the one that a client registers as its jth. A client has none twice.
func (p plan) chunk(client, j int) int { return (client*p.each()+j)%p.chunks() + 1 }

// registration is the message of that.
func (p plan) registration(client, j int) []byte {
	m := wire.Message{Command: wire.LocalChunks, Chunk: p.chunk(client, j), Addrs: []wire.Addr{{Host: host, Port: firstPort + client}}}
	return m.Append(nil)
}

// A question is one to the tracker, with what is known of its answer.
type question struct {
	text   []byte
	prefix string
	length int // of the answer, with the prefix
}

// where asks for a chunk that is registered by all who are to. With an end the tracker need not wait for more digits.
func (p plan) where(chunk int, hasEnd bool) question {
	q := ask(chunk, hasEnd)
	q.prefix = wire.GetChunkFrom.String() + "," + strconv.Itoa(chunk) + ","
	q.length = len(q.prefix) + holders*len(host+",20000,") - 1
	return q
}

// sync asks for a chunk that nobody has: its answer says that all that was sent before has been read.
func (p plan) sync() question {
	chunk := p.chunks() + 1
	q := ask(chunk, true)
	q.prefix = wire.LocationUnknown.String() + "," + strconv.Itoa(chunk)
	q.length = len(q.prefix)
	return q
}

func ask(chunk int, hasEnd bool) question {
	m := wire.Message{Command: wire.WhereChunk, Chunk: chunk}
	text := m.Append(nil)
	if hasEnd {
		text = append(text, '\n')
	}
	return question{text: text}
}
