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
// Cut and Close may come while the answer is awaited: the cut is granted at once, the request is given up. Where a cut leaves more
// than Drain bytes of an answer unread, its HTTP/1.1 connection ends with the range; the next Open of that number has Fresh set.
//
// A hedge is a range that another connection still has: its bytes stay in memory, Progress tells how many there are, and Keep
// says which of them to write (Off == End: none of them any more), Drop to forget them. What is to be written is a range like any other:
// it ends by Progress at its end, Failed or Closed. A probe is compared with what is in the
// file, and answered by Verified. Where that waits, for whatever it may be, Progress at its end, before it, says that its source has given
// all, and is not silent. What it is compared with is there when Open is given out; of a stream,
// with Kept, it may be gone a moment later.
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
//
// # How it decides
//
//   - claim.go: a free range goes to whoever is idle: 4 s of work at its own rate, or, where all ends within 6 s, its share, so that all
//     end together. The first in order, within the window; what a connection goes on with contiguously if that is not far. While
//     connections are held up by us (an unchanged Off) a quarter of the window at most. In sequential order whoever waits at the end of
//     the window loses his range to what would move it, if nobody else may fetch that.
//   - rate.go: rates decay while nothing comes, so that who is slow or silent is taken from long before it is replaced. A new connection
//     counts as its source's others do, at first as 2 MiB/s.
//   - steal.go: where nothing is free and somebody idle, the connection that would end last is cut to its share: if that moves the end
//     by more than max(δ, √(δ·T/n)), δ the set-up of a request (at least 10 ms), T the time left, n the connections.
//     Not from one that is held up: its rate is not its own, and what waits for us does not come sooner from elsewhere.
//   - tail.go: where nothing can be cut off either, the last range is asked for once more: at most 2 % (1 to 8 MiB) in all. Not
//     where all connections share a limit of ours. Where it is far slower than others of its source were, and would take more
//     than a second, the copy is expected to be as fast as those were, though they have ended.
//   - ramp.go: without a number asked for, each host has 1, 2, 4, 8 connections while a doubling gives 15 % more, measured over 0.4 s
//     or 4 δ. What a host refuses sets its ceiling to what worked, and one more is tried after a cool-down.
//   - mirrors.go: connections are spread evenly, then by what they give, at most 4 : 1; whoever fell silent comes after the others until it
//     has given all of a range. A mirror first has 64 KiB of what is there compared, and again after it was silent.
//     One that has proved to have other bytes later is set aside, and all that it gave is free again.
//   - pieces.go: where pieces have digests no mirror is compared. A piece that is wrong is free again, and given to one connection as a
//     whole. Who gave it is set aside; the only one once it was wrong three times, or three were in a row; all once it was 16 times.
//   - watch.go: a connection that is silent for max(3 s, 5 δ) is replaced, for ReadTimeout where nothing else gets on or could be tried;
//     each time that its source has given nothing the next may be silent twice as long. Where nothing comes from its source, all that was
//     asked of that is given up, and another is asked first. One that is 4 times slower than the median of two or more peers for 0.3 s, or
//     20 times slower than it was for 3 s, is replaced, too.
//   - retry.go: where nobody has ranges, all begins anew with whoever had that least often, at most ten times with each. Three
//     tries of a source that never answered; one that was given up before ReadTimeout, to ask another, is none. Later failures are retried
//     at once, then after 0.2 s, doubling to 30 s, for RetryMax after the last byte. Retry-After is obeyed for the whole host.
//     RetryMax does not count while whoever takes the bytes leaves nothing to be done, and is not over before each source that was not
//     asked since has had 4 s.
package sched
