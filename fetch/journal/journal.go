package journal

import (
	"errors"
	"io/fs"
	"os"
	"sync"

	"spate/format/span"
)

// tempExt is what the name of a journal ends in that is not whole; there is one beside a journal for a moment only.
const tempExt = ".new"

// slack is how many lines more than it has ranges a journal may grow to before a Sync writes it anew.
const slack = 1 << 14

// A Journal is one that is written. It is safe for concurrent use. After Close and Remove its methods fail with
// [fs.ErrClosed].
//
// An error of writing leaves the journal as it was: what was being recorded is not. (The disk is full, mostly.) After an
// error of syncing nothing is certain, and no later Sync can make it so: the system tells of bytes that it could not
// write once only. Every method returns that error from then on; the journal is to be closed and read again.
type Journal struct {
	path   string
	name   string // of path, without its folder
	disk   disk
	header Header

	// Lock order: syncing, mu. Who holds syncing is the only one to change file.
	syncing sync.Mutex
	mu      sync.Mutex // guards what follows
	file    file
	end     chain // of file
	lines   int   // in file, at least
	buf     []byte
	ledger  *ledger
	broken  error // what every method returns
}

// Create writes a journal that says what s says, and opens it. What was at path before is replaced, at once and
// whole: a crash leaves either. The journal is durable when Create returns, its name as well. A State of nothing but a
// Header is that of a new file; one from [Verify] is how a download goes on. The caller holds the lock of FILE.part.
//
// Ranges of s that are out of bounds or overlap are an error.
func Create(path string, s *State) (*Journal, error) {
	dir, name := in(path)
	j, err := create(dir, name, s)
	if err != nil {
		return nil, failed("create", path, cause(err))
	}
	j.path = path
	return j, nil
}

func create(d disk, name string, s *State) (*Journal, error) {
	if err := s.Header.check(); err != nil {
		return nil, err
	}
	l, err := s.ledger()
	if err != nil {
		return nil, err
	}
	j := &Journal{path: name, name: name, disk: d, header: s.Header.clone(), ledger: l}
	if _, err := j.rewrite(); err != nil {
		return nil, err
	}
	return j, nil
}

func (s *State) ledger() (*ledger, error) {
	l := newLedger(&s.Header)
	put := func(durable bool) error {
		for _, r := range s.Ranges {
			if r.Durable != durable {
				continue
			}
			if err := l.check(r.Span); err != nil {
				return err
			}
			l.add(run{r.Span, r.CRC})
		}
		return nil
	}
	if err := put(true); err != nil {
		return nil, err
	}
	l.begin()
	l.confirm()
	for _, g := range s.Given {
		if g.Off < 0 || g.Empty() || !l.mayGive(g.Origin) {
			return nil, errRange
		}
		l.give(g.Span, g.Origin)
	}
	for _, p := range s.Places {
		if err := p.check(); err != nil {
			return nil, err
		}
		l.note(p)
	}
	return l, put(false)
}

// Add records that the bytes of x were written to FILE.part, and that crc is their CRC32C. The record is there when Add
// returns, not durable: see [Journal.Sync]. A range that crosses no boundary of a piece is best: it can become one with
// its neighbours.
//
// Who gave the bytes is not said, or is who gave those that were there before: see [Journal.AddFrom].
//
// An empty x, and one beyond the size, is an error; [ErrOverlap] one that was recorded, [ErrTooMany] one that cannot be
// kept.
func (j *Journal) Add(x span.Span, crc uint32) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.broken != nil {
		return j.broken
	}
	return j.add(run{x, crc}, nil)
}

// AddFrom is Add of bytes that came from one of the header's Origins, by its number; -1: from another one.
func (j *Journal) AddFrom(x span.Span, crc uint32, origin int) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.broken != nil:
		return j.broken
	case !j.ledger.mayGive(origin):
		return j.failed("add to", errRange)
	case !j.ledger.tells(x, origin):
		return j.add(run{x, crc}, nil)
	}
	return j.add(run{x, crc}, &Given{x, origin})
}

// add is Add for who holds mu; by is nil where nothing is to be said of who gave it.
func (j *Journal) add(r run, by *Given) error {
	err := j.ledger.check(r.Span)
	if err == nil {
		err = j.append(func(c *chain, buf []byte) []byte {
			if by != nil {
				buf = c.from(buf, *by)
			}
			return c.add(buf, r)
		})
	}
	if err == nil {
		if by != nil {
			j.lines++
			j.ledger.give(by.Span, by.Origin)
		}
		j.ledger.add(r)
	}
	return j.failed("add to", err)
}

// Note records where bytes come from that are written next.
func (j *Journal) Note(p Place) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.broken != nil {
		return j.broken
	}
	err := p.check()
	if err == nil {
		err = j.append(func(c *chain, buf []byte) []byte { return c.place(buf, p) })
	}
	if err == nil {
		j.ledger.note(p)
	}
	return j.failed("add to", err)
}

// Forget takes back what was recorded of the bytes of x, because they have proved to be wrong. It returns what is no
// longer recorded: more than x, where ranges have become one. That is to be written anew, and may be from then on: that
// it is forgotten is durable.
func (j *Journal) Forget(x span.Span) (*span.Set, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.broken != nil {
		return nil, j.broken
	}
	gone := j.ledger.touched(x)
	if gone.Len() == 0 {
		return gone, nil
	}
	// Who touches x begins before it or ends behind it only as the first or the last: between these, all are touched.
	if err := j.append(func(c *chain, buf []byte) []byte { return c.forget(buf, gone.Bounds()) }); err != nil {
		return nil, j.failed("add to", err)
	}
	j.ledger.forget(x)
	if err := j.file.Sync(); err != nil {
		return nil, j.breaks("sync", err)
	}
	return gone, nil
}

// Restart takes back all that was recorded, and makes h the header: what is written from then on is another object's. It is
// durable when Restart returns.
func (j *Journal) Restart(h Header) error {
	if err := h.check(); err != nil {
		return failed("restart", j.path, err)
	}
	j.syncing.Lock()
	defer j.syncing.Unlock()
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.broken != nil {
		return j.broken
	}
	old := j.file
	j.header, j.ledger = h.clone(), newLedger(&h)
	if _, err := j.rewrite(); err != nil {
		return j.breaks("restart", err)
	}
	old.Close() // nothing in it counts any more
	return nil
}

// Sync makes the bytes of part durable, then records that all ranges are whose Add returned before Sync began. Others
// may be added meanwhile. It is also what keeps the journal small: now and then (16,384 records) it writes it anew, and
// Add waits for that. Without anything new it does nothing.
func (j *Journal) Sync(part *os.File) error {
	return j.sync(func() error { return dataSync(part) })
}

func (j *Journal) sync(flush func() error) error {
	j.syncing.Lock()
	defer j.syncing.Unlock()
	if todo, err := j.begin(); err != nil || !todo {
		return err
	}
	if err := flush(); err != nil {
		return j.doubt(err)
	}
	if err := j.confirm(); err != nil {
		return err
	}
	if err := j.file.Sync(); err != nil {
		return j.doubt(err)
	}
	return j.compact()
}

func (j *Journal) begin() (todo bool, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.broken != nil {
		return false, j.broken
	}
	if len(j.ledger.fresh)+len(j.ledger.syncing) == 0 {
		return false, nil
	}
	if err := j.append(func(c *chain, buf []byte) []byte { return c.sign(buf, kindBegin) }); err != nil {
		return false, j.failed("add to", err)
	}
	j.ledger.begin()
	return true, nil
}

func (j *Journal) confirm() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.broken != nil {
		return j.broken
	}
	err := j.append(func(c *chain, buf []byte) []byte { return c.sign(buf, kindConfirm) })
	if err == nil {
		j.ledger.confirm()
	}
	return j.failed("add to", err)
}

// compact writes the journal anew where it has grown far beyond what it says.
func (j *Journal) compact() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.broken != nil || j.lines < 2*j.ledger.lines()+slack {
		return j.broken
	}
	old := j.file
	replaced, err := j.rewrite()
	switch {
	case err == nil:
		old.Close() // nothing in it counts any more
	case replaced:
		return j.breaks("replace", err)
	default:
		j.lines /= 2 // the old one is as good; that it could not be done is no reason to try each time
	}
	return nil
}

// State is what the journal says now.
func (j *Journal) State() *State {
	j.mu.Lock()
	defer j.mu.Unlock()
	return &State{Header: j.header.clone(), Ranges: j.ledger.ranges(), Given: j.ledger.given(), Places: append([]Place(nil), j.ledger.places...)}
}

// Close closes the journal, which stays to be read. It syncs nothing.
func (j *Journal) Close() error {
	j.syncing.Lock()
	defer j.syncing.Unlock()
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file == nil {
		return nil
	}
	f := j.file
	j.file, j.broken = nil, failed("use", j.path, fs.ErrClosed)
	return f.Close()
}

// Remove closes the journal and removes it. That it is gone need not be durable: one that has come back is of no use
// without FILE.part. Removing a journal that was closed is the way to drop it.
func (j *Journal) Remove() error {
	return errors.Join(j.Close(), j.disk.remove(j.name), j.disk.remove(j.name+tempExt))
}
