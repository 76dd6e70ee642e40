package assemble

import (
	"context"
	"hash/maphash"
	"slices"

	"spate/format/manifest"
	"spate/source"
)

// A stock is where a part's bytes come from: a pull, or a joined fill. read counts what it returns in the part's
// tally; it is used by one goroutine.
type stock interface {
	read(ctx context.Context, b []byte) (int, error)
	info() source.Info
	Close()
}

// A Leaf is one part of the stream that is data; or the place where none of a part's alternatives was left; or a
// check of what was replayed.
//
// Its fields belong to the goroutine that opens it until opened is closed, then to the walker until it is handed on,
// then to its fetcher until its pipe has ended. The reader has start and reset.
type Leaf struct {
	c     *cont // the part, as of the beginning of this execution
	spot  *spot
	start *mark   // where the part starts in the stream
	reset *mark   // not nil: the reader goes back to here first, to compare what is replayed
	after *listed // the part as listed; nil for one that was not reached through a manifest

	peek    bool        // only its size is wanted
	untold  bool        // it is not told yet that it is asked for
	resumed *resumption // not nil: the beginning is there
	arrival *mark       // not nil: the first leaf of a stream of which this much is there

	cur      int     // the alternative that is being read
	next     int     // the first one not tried
	errs     []error // why those before failed
	spent    int     // 1 + an alternative that was read out of turn, from the cache, and broke; 0: none
	direct   int64   // > 0: begin at this offset of the part, which was read up to there already
	promised bool    // some alternative has a digest
	wrong    bool    // what the reader has seen is wrong: the part is given up, and begun again with alternative next
	whole    bool    // what is left needs the part from its first byte, to compare
	early    bool    // its alternatives failed before it was the head, maybe because so much was asked for at once
	dead     bool    // none of the part's alternatives answered
	isCheck  bool    // no part: the reader must have reached c.need by now
	fatal    error   // the stream ends here
	idle     idling  // opens since the leaf before

	intake
	runner
	answer answer // as it was handed to the reader
	pipe   *pipe  // nil: it was not handed to the reader
}

// An intake is where a leaf's bytes come from, and what is known of them. The opener sets it, for the walker at first,
// for the fetcher when an alternative has failed.
type intake struct {
	t      tally
	size   int64  // of the part as far as known, else -1
	digest []byte // promised by what is being read
	mixed  bool   // of bytes of several alternatives
	unlike bool   // it is not known yet that what is read is of what is there
	cached bool   // served without a request of its own
	stock  stock
	doc    *pull // the answer is a manifest
}

// A runner is the goroutine of a leaf: it opens, and then does what it is told. It is of the walker's making.
type runner struct {
	opened  chan struct{}              // closed when stock or doc is there, or none
	then    chan func(context.Context) // what the goroutine does next
	cancel  context.CancelFunc         // ends the goroutine and the stock
	finish  func()                     // gives back the leaf's place; calling it again does nothing
	stopped chan struct{}              // closed when the goroutine has ended
}

// An answer is what the first alternative that answered has told. The fetcher may be at another one by now.
type answer struct {
	info   source.Info
	off    int64 // of the part, where it begins
	size   int64
	cached bool
	cur    int // the alternative
	next   int // the first one not tried then
}

// idling counts opens without a byte between them.
type idling struct {
	opens int // requests
	again int // those for manifests that were opened since the last byte
}

// close ends what the leaf is read from.
func (i *intake) close() {
	if i.stock != nil {
		i.stock.Close()
	}
	if i.doc != nil {
		i.doc.Close()
	}
}

// discard ends a leaf that will not be read any more.
func (l *Leaf) discard() {
	if l.cancel != nil {
		l.cancel()
		l.finish()
	}
}

// abandon discards a leaf that the reader has not reached. What it began to fetch for the memo is not what reading in
// order would have fetched by now.
func (l *Leaf) abandon() {
	if l.spot != nil {
		l.spot.unread.Store(true)
	}
	l.discard()
}

// urls is what the part may be cached under, hashed: a part can have very many.
func (l *Leaf) urls(seed maphash.Seed) map[uint64]struct{} {
	urls := make(map[uint64]struct{})
	for _, line := range l.c.part.Alternatives {
		if to, err := l.c.resolve(line); err == nil {
			urls[maphash.String(seed, to.url)] = struct{}{}
		}
	}
	return urls
}

// mayBeDocument reports whether an alternative has a manifest's name.
func (l *Leaf) mayBeDocument() bool {
	return slices.ContainsFunc(l.c.part.Alternatives, func(line string) bool { return manifest.IsManifest(line, "") })
}
