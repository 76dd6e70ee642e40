package fetch

import (
	"io"

	"spate/format/span"
)

// A store has the bytes of an object, in whatever order they come. It may be used from any goroutine.
type store interface {
	io.ReaderAt // what was put

	// put has b from then on, and asks joins whether that goes together with what is beside it. Without an error of that b counts, its
	// bytes are the store's, and they are passed on.
	put(b block, joins func() error) error

	pin(x span.Span) io.ReaderAt // has x, which was put, for as long as it is wanted; no lock is held up by it
}

// A ledger says what of a store counts.
type ledger interface {
	restart()                 // makes void what was put, before anything is put anew
	forget(x span.Span) error // takes back x, which is wrong, before anything of it is put anew

	// disown takes back x, which giver gave, before anything of it is put anew. What else giver gives, and has put, is void.
	disown(giver int, x *span.Set) error
}

// A target is where an object goes: a file and its journal, or a window in memory.
type target interface {
	store
	ledger

	end(whole bool) error // is called once all was put that will be; nothing but forget may follow
}
