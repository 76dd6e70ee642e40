package peer

import (
	"fmt"

	"spate/event"
)

// Words says an event of a Peer in a line of words; "" is what nobody has to be told.
func Words(e event.Event) string {
	switch e.Type {
	case event.Listening:
		return "listening on " + e.Origin
	case event.Tracker:
		if e.Error != "" {
			return "tracker " + e.Origin + ": " + e.Error
		}
		return "the tracker at " + e.Origin + " is there"
	case event.Chunk:
		return fmt.Sprintf("chunk %d from %s, %d bytes", e.Chunk, e.Origin, e.Bytes)
	case event.Failed:
		if e.Chunk == 0 {
			return e.Error
		}
		return fmt.Sprintf("chunk %d from %s: %s", e.Chunk, e.Origin, e.Error)
	case event.Unverified:
		return fmt.Sprintf("chunk %d: nothing proves that it is whole", e.Chunk)
	case event.Waiting:
		switch {
		case e.Chunk == 0:
			return "waiting for " + e.Error
		case e.Origin != "":
			return fmt.Sprintf("waiting for chunk %d, from %s: %s", e.Chunk, e.Origin, e.Error)
		}
		return fmt.Sprintf("waiting for chunk %d: %s", e.Chunk, e.Error)
	case event.Served:
		if e.Error != "" {
			return fmt.Sprintf("chunk %d to %s: %s", e.Chunk, e.Origin, e.Error)
		}
	case event.Done:
		return "all chunks are here"
	}
	return ""
}
