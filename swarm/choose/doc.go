// Package choose decides which chunk a peer of a swarm fetches next and from whom, what it asks the tracker, and, for its uploads,
// who is served next. It is pure: no I/O, no clock, no goroutine. Whoever drives it tells the time, which never goes back.
//
// # The driver of a Chooser
//
// One mutex around it. What happens is told as it happens: Have, Located, Unanswered, Connected,
// Progress, Ended. After each of them, and at
// Wake, it calls Questions, asks the tracker each of them, and Next: it closes what is to be cancelled, then begins what is to be begun.
// A question is open until it is answered by Located, or until Unanswered says that no open one will be. A request is open until Ended,
// or until Next has cancelled it; what is told of it afterwards changes nothing.
//
// Progress is due with the first byte of a request, at once: until then the request counts as waiting in its giver's queue. That
// can take as long as it likes, costs nobody anything, and is given up as soon as the chunk has begun to come from elsewhere.
//
// # How it decides
//
//   - next.go: each source has at most one request. A source that has none is asked for the chunk fewest others have, as far as is
//     known. Of chunks that a single peer has, first those that are this peer's own (rank.go); then in an order of its own, so that
//     peers which know the same do not want the same.
//   - hedge.go: where a source has nothing else for us, it is asked for what waits elsewhere, or comes so slowly from there that it would
//     be here twice as soon. What has begun to come cancels what waits; what is here, the rest.
//   - trust.go: who fails is left alone for a while, longer each time; who gave wrong bytes, for longer, where another has the chunk.
//   - ask.go: each chunk once, as fast as the window allows, in the peer's own order; then again, the longest unasked first: some
//     questions for each chunk that arrives, and a few each second. So messages are O(peers × chunks), whatever the number of holders.
//   - queue.go: few uploads at a time. Of those waiting, the one whose chunk was given least often; of these, whose remote has waited
//     longest; and nobody is overtaken for ever.
//
// docs/design/0004-who-gets-which-chunk.md says why, and what was measured.
package choose
