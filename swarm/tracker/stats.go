package tracker

import (
	"sync/atomic"

	"spate/swarm/wire"
)

// Stats are counted since the tracker has begun, but for what there is at the moment.
type Stats struct {
	Connections   int // at the moment
	Registrations int // at the moment: chunks of addresses
	Chunks        int // at the moment, that someone has
	Peers         int // at the moment: addresses

	Accepted     int64 // connections
	Refused      int64 // of these: there were too many
	TimedOut     int64 // of these: silent for too long, or slow to read
	LocalChunks  int64 // messages
	WhereChunk   int64
	GetChunkFrom int64
	Unknown      int64 // answers that nobody has it
	Garbage      int64 // what was no message
	Unregistered int64 // registrations for which there was no room
	Probes       int64 // questions by UDP
}

type tally struct {
	accepted, refused, timedOut, garbage, unregistered, probes atomic.Int64
	messages                                                   [wire.RequestChunk + 1]atomic.Int64
}

func (t *tally) count(c wire.Command) { t.messages[c].Add(1) }

// Stats are those of the moment. They may be asked for at any time.
func (s *Server) Stats() Stats {
	t := &s.tally
	st := Stats{Accepted: t.accepted.Load(), Refused: t.refused.Load(), TimedOut: t.timedOut.Load(),
		LocalChunks: t.messages[wire.LocalChunks].Load(), WhereChunk: t.messages[wire.WhereChunk].Load(),
		GetChunkFrom: t.messages[wire.GetChunkFrom].Load(), Unknown: t.messages[wire.LocationUnknown].Load(),
		Garbage: t.garbage.Load(), Unregistered: t.unregistered.Load(), Probes: t.probes.Load()}
	st.Registrations, st.Chunks, st.Peers = s.registry.extent()
	s.mu.Lock()
	st.Connections = len(s.conns)
	s.mu.Unlock()
	return st
}
