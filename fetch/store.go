package fetch

import (
	"io"

	"spate/format/span"
)

// A store is where the bytes of an object go, in whatever order they come: a file and its journal, or a window in memory.
//
// put, begin and ReadAt may be called from any goroutine.
type store interface {
	io.ReaderAt // what was put

	begin() error                // must have returned before anything is put out of order
	put(b block) error           // owns the bytes of b from then on, and passes them on
	restart()                    // makes void what was put, before anything is put anew
	forget(x span.Span) error    // takes back x, which is wrong, before anything of it is put anew
	pin(x span.Span) io.ReaderAt // has x, which was put, for as long as it is wanted; no lock is held up by it
	end(whole bool) error        // is called last, once all was put that will be
}
