package fetch

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"spate/fetch/journal"
	"spate/format/span"
)

// Resume opens what an earlier download has left of the file at path: FILE.part, of which a journal beside it says what is
// there, and which agrees with it (see [journal.Verify]; all is read again where Options.VerifyAll is set). Where there is no such
// thing it is nil, without an error: [Create] begins anew.
//
// Errors are those of Create. A journal of a later version is [journal.ErrVersion].
func Resume(ctx context.Context, path string, opts *Options) (*File, error) {
	if err := Check(path, opts); err != nil {
		return nil, err
	}
	part, err := openLeft(path + Ext)
	if part == nil || err != nil {
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
	s, err = journal.Verify(ctx, f.part, s, &journal.Check{Strict: f.opts.VerifyAll})
	if err != nil || len(s.Ranges) == 0 {
		return nil, err
	}
	return s, nil
}

// dropJournal removes the journal of what was left behind: of a FILE.part that is new it would tell lies. f is locked.
func (f *File) dropJournal() error {
	if _, err := journal.Read(f.path + journal.Ext); err != nil && !errors.Is(err, journal.ErrVersion) {
		return nil // there is none, or what is no journal is somebody else's
	}
	return ignoreGone(os.Remove(f.path + journal.Ext))
}

// distrust makes sure that nothing goes on with the file: as a whole it is wrong, and which of its bytes are is not known.
func (f *File) distrust() error {
	if f.journal == nil {
		return nil
	}
	err := f.journal.Remove()
	f.journal = nil
	return err
}

// leave ends a file that is not whole: with its journal, and no longer than it need be, if it has any bytes.
func (f *File) leave(written *span.Set) {
	if written.Len() == 0 {
		f.Discard()
		return
	}
	if f.part != nil {
		f.part.Truncate(written.Bounds().End) // that it is too long does no harm
	}
	f.Keep()
}
