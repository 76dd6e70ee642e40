package sched

import "time"

// EventType is what happened.
type EventType int

// The events, and which fields of Event they carry beside At. The driver reports the events of one connection in the order in
// which they happened; in particular CutDone before anything that happened after the cut.
const (
	// Start is the first event, once.
	Start EventType = iota
	// Opened: Conn's answer has begun. Size (-1: unknown), Off (the one asked for), End of the answer's body (-1: unknown; less
	// than was asked where the origin caps), Seekable (it was a 206), Setup (from asking to the answer).
	Opened
	// Progress: Conn has written (a hedge: holds) its bytes up to Off. Where Off is the end of the range, the range is done and the
	// connection idle: this is reported once for each range, also where a cut moved the end. EOF: the answer has ended at Off, and
	// End was not known: Off is the object's size.
	Progress
	// CutDone answers Cut: the range of Conn ends at End, what it granted. Only this frees the rest.
	CutDone
	// Closed answers Close and Drop: nothing beyond Off will come from Conn.
	Closed
	// Failed: Conn is gone, nothing beyond Off will come from it; Class, RetryAfter (0: none given).
	Failed
	// Frontier: the object is hashed, or handed on, in order up to Off.
	Frontier
	// Verified: with Conn set, the answer to a probe: OK says whether its bytes were those held; the connection is idle. With Conn 0,
	// a piece, all of which was written, was checked: Off, End, OK, Source (-1: several, or not known). A bad piece is fetched again.
	Verified
	// Disproved: Source has bytes that are not the object's. Ranges, all that it gave and that is not of a living connection, and what
	// its living connections have of theirs, are void; it is set aside.
	Disproved
	// Tick: time has passed; asked for by WakeAt, harmless at any time.
	Tick
)

// Class is why a connection failed.
type Class int

// The classes. None is no failure.
const (
	None             Class = iota
	Network                // reset, cut short, unreachable, name not found
	Timeout                // nothing came for too long
	Busy                   // 429, 503
	Refused                // connection refused
	Gone                   // 4xx, login page: asking again is of no use, unless it has answered before
	Changed                // another object than the one begun: validator, size
	Corrupt                // the bytes differ from those held or from their digest
	RangeUnsupported       // a 200 to a request that did not begin at 0
)

var classNames = [...]string{"none", "network", "timeout", "busy", "refused", "gone", "changed", "corrupt", "range unsupported"}

func (c Class) String() string {
	if c < 0 || int(c) >= len(classNames) {
		return "unknown"
	}
	return classNames[c]
}

// Event is what the driver tells. At never goes back. Where it is far behind the Tick that was asked for, with nothing told between, the
// process did not run: what passed meanwhile is nobody's silence, and RetryMax does not count it.
type Event struct {
	Type       EventType
	At         time.Duration // since the start, by a monotonic clock
	Conn       int           // from 1, as given by Open
	Off, End   int64
	Size       int64
	Seekable   bool
	EOF        bool
	OK         bool
	Source     int
	Ranges     []Range
	Setup      time.Duration
	Class      Class
	RetryAfter time.Duration
}
