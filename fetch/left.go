package fetch

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"

	"spate/fetch/journal"
	"spate/format/span"
	"spate/internal/osfile"
)

// Resume opens what an earlier download has left of the file at path: FILE.part, of which a journal beside it says what is
// there, and which agrees with it (see [journal.Verify]; all is read again where Options.VerifyAll is set). Where there is no such
// thing it is nil, without an error: [Create] begins anew.
//
// Errors are those of Create. A journal of a later version is [journal.ErrVersion].
func Resume(ctx context.Context, path string, opts *Options) (*File, error) {
	look := checkOutput
	if opts.isAtOnce() {
		look = checkTarget
	}
	if err := look(path, opts); err != nil {
		return nil, err
	}
	part, err := openLeft(path + Ext)
	if part == nil || err != nil {
		return nil, err
	}
	if err := checkJournal(path); err != nil {
		part.Close()
		return nil, err
	}
	f := &File{path: path, part: part}
	if opts != nil {
		f.opts = *opts
	}
	if f.left, err = readLeft(ctx, f); f.left == nil {
		f.Keep()
		return nil, err
	}
	return f, nil
}

// openLeft opens and locks FILE.part; nil where there is none.
func openLeft(path string) (*os.File, error) {
	if osfile.IsNothing(path) {
		return nil, nil
	}
	if err := checkPart(path); err != nil {
		return nil, ignoreGone(err)
	}
	part, err := os.OpenFile(path, os.O_RDWR|openFlags, 0)
	if err != nil {
		return nil, ignoreGone(err)
	}
	if err = claim(part); err == nil {
		return part, nil
	}
	part.Close()
	if errors.Is(err, errReplaced) {
		return nil, nil
	}
	return nil, err
}

// readLeft is what the journal of f says, as far as it is true; nil if that is nothing.
func readLeft(ctx context.Context, f *File) (*journal.State, error) {
	s, err := journal.Read(f.path + journal.Ext)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, journal.ErrCorrupt) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if s.Header.Size < 0 && len(s.Places) == 0 { // no answer could prove to be of the same object
		return nil, nil
	}
	s, err = journal.Verify(ctx, f.part, s, &journal.Check{Strict: f.opts.VerifyAll})
	if err != nil || len(s.Ranges) == 0 {
		return nil, err
	}
	return s, nil
}

// refetchLast takes the last range out of what was there, so that it is fetched again; it is compared nevertheless.
func (f *File) refetchLast() {
	f.sample = f.left.Ranges
	f.left.Ranges = f.sample[:len(f.sample)-1]
}

// toCompare is what was there.
func (f *File) toCompare() []journal.Range {
	if f.sample != nil {
		return f.sample
	}
	return f.left.Ranges
}

// dropJournal removes the journal of what was left behind: of a FILE.part that is new it would tell lies. That the name is taken by
// something else is an error. f is locked.
func (f *File) dropJournal() error {
	name := f.path + journal.Ext
	if isThere, err := checkOurs(name); err != nil || !isThere {
		return err
	}
	return ignoreGone(os.Remove(name))
}

// beginJournal makes a journal that says what is there. What has the name under which it is written first, and is somebody else's,
// stays, which is an error.
func (f *File) beginJournal(there *journal.State) error {
	if err := f.checkSuccessor(); err != nil {
		return err
	}
	j, err := journal.Create(f.path+journal.Ext, there)
	if err == nil {
		f.journal = j
	}
	return err
}

// checkSuccessor is the error of beginJournal that can be known beforehand.
func (f *File) checkSuccessor() error {
	_, err := checkOurs(journal.Names(f.path + journal.Ext)[1])
	return err
}

// checkJournal refuses what has a name that the journal of path takes, and is somebody else's: a journal would replace it.
func checkJournal(path string) error {
	for _, name := range journal.Names(path + journal.Ext) {
		if _, err := checkOurs(name); err != nil {
			return err
		}
	}
	return nil
}

// checkOurs refuses what has that name, and is no journal. It reports whether there is anything.
func checkOurs(name string) (isThere bool, err error) {
	if osfile.IsNothing(name) {
		return false, nil
	}
	_, err = journal.Read(name)
	if errors.Is(err, journal.ErrCorrupt) && !journal.Was(name) {
		return true, failed("create", name, journal.ErrCorrupt)
	}
	return !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENAMETOOLONG), nil
}

// distrust makes sure that nothing goes on with the file: as a whole it is wrong, and which of its bytes are is not known; or how long it is
// to be is not.
func (f *File) distrust() error {
	if f.journal == nil {
		return nil
	}
	err := f.journal.Remove()
	f.journal = nil
	return err
}

// leave ends a file that is not whole: with its journal, and no longer than it need be, if it has any bytes. It reports whether they are left.
func (f *File) leave(written *span.Set) bool {
	if written.Len() == 0 || f.Replaced() {
		f.Discard()
		return false
	}
	if f.part != nil {
		f.part.Truncate(written.Bounds().End) // that it is too long does no harm
	}
	f.Keep()
	return true
}

// Origin is what the journal of a File from [Resume] says of the origin that has that URL; false if it is none.
func (f *File) Origin(url string) (journal.Origin, bool) { return f.left.Header.Origin(url) }

// There is how many bytes of a File from [Resume] are there.
func (f *File) There() int64 {
	if f.size > 0 { // since GoOn
		return f.size
	}
	return f.left.Covered().Bytes()
}

// Places are those that were noted of a File from [Resume], in the order of their notes.
func (f *File) Places() []journal.Place { return f.left.Places }

// InOrder reports whether a File from [Resume] was written in order, as a stream of which the size was not known.
func (f *File) InOrder() bool { return len(f.left.Places) > 0 && f.left.Header.Size < 0 }

// GoOn makes a File from [Resume] one that is written in order, as one of [Create] with these options, from behind the
// bytes that are there without a gap, which are its Size then. It reports false if it was not written in order before. With
// SHA256 all of these bytes are read. FILE.part and its journal stay as they are until something is written, or taken
// back, or the file gets its name.
func (f *File) GoOn(ctx context.Context, opts *Options) (bool, error) {
	var left journal.State
	var end int64
	for _, r := range f.left.Ranges {
		if r.Off != end {
			break
		}
		end = r.End
		left.Ranges = append(left.Ranges, r)
	}
	for _, p := range f.left.Places {
		if p.At <= end {
			left.Places = append(left.Places, p)
		}
	}
	if end == 0 || len(left.Places) == 0 {
		return false, nil
	}
	f.opts, f.size, f.held = *opts, end, true
	f.keepJournal(left)
	if !f.opts.SHA256 {
		return true, nil
	}
	f.digest = newDigest()
	return true, f.digest.rewind(Attentive(ctx, f), end)
}

// proceed makes what was left the beginning of what is written now.
func (f *File) proceed() error {
	if !f.held {
		return nil
	}
	if err := f.part.Truncate(f.size); err != nil {
		return err
	}
	if _, err := f.part.Seek(f.size, io.SeekStart); err != nil {
		return err
	}
	if o := f.ordered; o != nil {
		o.mu.Lock()
		defer o.mu.Unlock()
		if err := o.begin(); err != nil {
			return err
		}
	}
	f.held = false
	return nil
}

// Attentive is r until ctx ends; what is read after that fails with its cause.
func Attentive(ctx context.Context, r io.ReaderAt) io.ReaderAt { return attentive{ctx, r} }

type attentive struct {
	ctx context.Context
	r   io.ReaderAt
}

func (a attentive) ReadAt(p []byte, off int64) (int, error) {
	if a.ctx.Err() != nil {
		return 0, context.Cause(a.ctx)
	}
	return a.r.ReadAt(p, off)
}
