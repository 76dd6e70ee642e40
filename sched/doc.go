// Package sched decides who fetches which bytes of one object: over how many connections, from which mirrors, and what to do
// when one is slow, silent, lying or gone. It is a pure state machine: no I/O, no clock, no goroutine. Events carry the time.
//
// # The driver
//
// One mutex around Step. Each event is given to Step, each action returned is done in order; an action that can be answered on
// the spot (Cut: CutDone; Close and Drop: Closed) may be answered at once, from within the list, or later; in the latter case
// before any later event of that connection. What such an answer leads to is done behind the actions returned before: one
// queue of actions. Times never go back. Exactly one timer, set by WakeAt, reports Tick.
//
// A connection is a number from 1. Open gives it a range [Off, End): the driver asks the source, reports Opened, and Progress as
// the bytes are *written*. Before each read a worker claims [off, off+buffer) under its own lock; Cut takes that lock, lowers the
// range's end to what it is asked for, or to what is claimed if that is more, and reports the end granted by CutDone. Every range ends
// by exactly one of: Progress with Off at its end (then the connection is idle, and may be given the next Open), Failed, Closed. If a cut
// grants what has been written already, Progress with that Off is still due.
//
// A hedge is a range that another connection still has: its bytes stay in memory, Progress tells how many there are, and Keep
// says which of them to write (Off == End: none of them any more), Drop to forget them. A probe is compared with what is in the
// file, and answered by Verified instead of the last Progress.
//
// A driver that does not read, because its consumer does not, says so at least each second by Progress with an unchanged Off:
// that is no silence.
//
// # The states of a connection
//
//	 Open          Opened           Progress at the end
//	──────► opening ──────► reading ───────────────────► idle ──Open──► opening …
//	           │               │  ▲ Cut, CutDone: a       │
//	           │               └──┘ shorter range         │
//	           ├──Failed───────┴─────Failed──────────► gone: the rest of its range is free
//	           └──Close─► closing ──Closed──────────────► gone, likewise
//
// Every byte of the object is in exactly one of: done, the range of one living connection, gaps (free). What is cut off stays with
// its connection until CutDone, what a closed connection has until Closed. The size is that of the first answer.
package sched
