package sched

import "time"

// ActionType is what the driver is to do.
type ActionType int

// The actions, and which fields of Action they carry.
const (
	// Open: ask Source for [Off, End) (End < 0: to the end) on Conn, which is new, or idle. Fresh: dial; otherwise the connection of
	// before is to be used (if it is gone after all, dialing is right). Hedge: keep the bytes in memory until Keep or Drop.
	// Probe: compare with the bytes held, answer by Verified. Restart: what is there is void, all begins anew. Plain: the source has no
	// sensible answer to ranges, so the whole is to be asked for without one.
	// Answered by Opened or Failed.
	Open ActionType = iota
	// Cut: lower the end of Conn's range to End, or as near to it as its next read allows. Answered by CutDone.
	Cut
	// Close: end Conn. Answered by Closed (or by Failed, if that was faster).
	Close
	// Drop: as Close, for a hedge that has lost: what it holds is void.
	Drop
	// Keep: the hedge Conn, which is done, has won: write its bytes [Off, End), its range from now on, and report Progress at its end.
	// Where that is empty nothing is to be done.
	Keep
	// WakeAt: report Tick at At, unless another event comes first and asks anew; a later WakeAt replaces an earlier one.
	WakeAt
	// SetAside: Source is not used any more, because of Class.
	SetAside
	// Finished: every byte is there. No action follows.
	Finished
	// GiveUp: Class says why, Faults what became of each source. No action follows.
	GiveUp
)

// Fault is the last failure of a source, None if it had none.
type Fault struct {
	Source int
	Class  Class
}

// Action is what the driver is to do, in the order given.
type Action struct {
	Type                         ActionType
	Conn, Source                 int
	Off, End                     int64
	Fresh, Hedge, Probe, Restart bool
	Plain                        bool
	At                           time.Duration
	Class                        Class
	Faults                       []Fault
}
