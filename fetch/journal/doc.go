// Package journal is the durable record of what of FILE.part is there: FILE.spate, beside it.
//
// A download writes FILE.part at many places at once, so its length says nothing. The journal says which ranges were
// written, with the CRC32C of each, and which of them are known to be durable. Its format is docs/spec/journal.md.
//
// The life of a journal, each step by who holds the lock of FILE.part; the journal has none of its own:
//
//	s, err := Read(path)              // what was recorded; fs.ErrNotExist: begin with a State of a Header alone
//	s, err = Verify(ctx, part, s, nil) // what of that is still true
//	j, err := Create(path, s)         // durable before the first byte is written out of order
//	j.Add(r, crc)                     // after r was written to part
//	j.Sync(part)                      // every second or 64 MiB
//	j.Remove()                        // after FILE.part got its final name, or Close: to be resumed
//
// What survives: a process that is killed loses what it has not added, and nothing else. A power cut loses at most what
// was added since the last Sync. Nothing that is lost is ever taken for there: what no Sync has confirmed counts only
// where FILE.part, read again, has that CRC32C.
package journal

import "errors"

// Ext is what the name of the journal of FILE ends in, in place of ".part".
const Ext = ".spate"

var (
	// ErrCorrupt is the error of a file that is no journal, or one whose header is damaged. Nothing is known of FILE.part.
	ErrCorrupt = errors.New("not a journal, or a damaged one")
	// ErrVersion is the error of a journal that a later version has written and this one must not interpret.
	ErrVersion = errors.New("a journal of a later version")
	// ErrOverlap is the error of a range that was recorded already, in part or whole: to write its bytes anew, forget it
	// before.
	ErrOverlap = errors.New("range is recorded already")
	// ErrTooMany is the error of a range that would be one too many to keep: there are MaxRanges, with gaps between them.
	ErrTooMany = errors.New("too many ranges with gaps between them")

	errRange  = errors.New("no range of the file")
	errHeader = errors.New("header out of range")
	errLong   = errors.New("record too long")
)
