package fetch

import (
	"cmp"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"

	"spate/fetch/journal"
	"spate/internal/osfile"
)

// A File is a file that is being written, as FILE.part. It ends with one of Commit, Keep and Discard; the latter two do
// nothing once it has ended, so that a deferred one is the way to clean up. After the end Write, Rewind, Finish and
// Commit fail with [fs.ErrClosed]. A File is not safe for concurrent use.
//
// Errors are of type [*fs.PathError]. What the system said passes [errors.Is]: [fs.ErrPermission], a full disk as
// syscall.ENOSPC.
type File struct {
	path   string   // the final one
	part   *os.File // locked; nil while finished and once ended
	size   int64    // bytes written
	opts   Options
	digest *digest // nil: none wanted

	modTime time.Time // that it shall have; zero: that of the last write

	left    *journal.State   // of one that was resumed: what of it was there
	sample  []journal.Range  // of that, what can be compared, though it is fetched again; nil: left.Ranges
	journal *journal.Journal // nil: none yet
	ordered *ordered         // who keeps it, of what is written in order; nil: nobody, or who writes at many places
	held    bool             // FILE.part and the journal are still as they were left

	finished fs.FileInfo // FILE.part as it was closed; nil while it is open and once ended
}

// Create begins the file at path, which does not appear before Commit. The folder must exist.
//
// A file that exists at path is an error that is [fs.ErrExist], unless Overwrite is set; a directory, a device and the
// like are errors in any case. A FILE.part that a live process writes is [ErrInUse]. One that was left behind is
// dropped and begun anew, with its journal ([Resume] goes on with it). A FILE.part that is no regular file, be it a symbolic link, is an
// error and stays as it is.
//
// The file's permissions are 0666 as the umask allows.
func Create(path string, opts *Options) (*File, error) {
	if !opts.isAtOnce() {
		if err := checkTarget(path, opts); err != nil {
			return nil, err
		}
	}
	part, err := openPart(path)
	if err != nil {
		return nil, cmp.Or(checkFolder(path), err)
	}
	f := &File{path: path, part: part}
	if opts != nil {
		f.opts = *opts
	}
	err = f.dropJournal()
	if err == nil && f.opts.Journal != nil {
		err = f.checkSuccessor()
	}
	if err != nil {
		return nil, errors.Join(err, f.Discard())
	}
	if f.opts.SHA256 {
		f.digest = newDigest()
	}
	f.keepJournal(journal.State{})
	return f, nil
}

// keepJournal begins the journal of what is written in order, if there is to be one. left is what it says already.
func (f *File) keepJournal(left journal.State) {
	if f.opts.Journal == nil || journal.CheckName(f.path+journal.Ext) != nil {
		return
	}
	left.Header = *f.opts.Journal
	f.ordered = newOrdered(f, left)
}

// Note records where the bytes come from that are written next, if there is a journal of what is written in order.
func (f *File) Note(p journal.Place) error {
	if f.ordered == nil {
		return nil
	}
	return f.ordered.note(p)
}

// Path is the final name, as given to Create.
func (f *File) Path() string { return f.path }

// Size is how many bytes were written and not taken back.
func (f *File) Size() int64 { return f.size }

// Write appends p. It fails on a file that is finished.
func (f *File) Write(p []byte) (int, error) {
	if f.part == nil {
		return 0, failed("write", f.path, fs.ErrClosed)
	}
	if err := f.proceed(); err != nil {
		return 0, err
	}
	n, err := f.part.Write(p)
	if f.ordered != nil && n > 0 {
		if cause := f.ordered.add(f.size, p[:n]); err == nil {
			err = cause
		}
	}
	f.size += int64(n)
	if f.digest != nil {
		f.digest.add(p[:n])
	}
	return n, err
}

// WriteAt writes p at off, wherever that is. It is safe for concurrent use, and not to be mixed with Write: what is
// written so is not hashed.
func (f *File) WriteAt(p []byte, off int64) (int, error) {
	if f.part == nil {
		return 0, failed("write", f.path, fs.ErrClosed)
	}
	return f.part.WriteAt(p, off)
}

// Rewind takes back what was written from offset off on: the next Write goes there, also in a file that was finished.
// An off that is negative, or beyond Size, is an error. It may read some of the file again where SHA256 is wanted.
func (f *File) Rewind(off int64) error {
	if f.ended() {
		return failed("rewind", f.path, fs.ErrClosed)
	}
	if off < 0 || off > f.size {
		return failed("rewind", f.path, errRewind)
	}
	if err := f.resume(); err != nil {
		return err
	}
	if err := f.proceed(); err != nil {
		return err
	}
	if f.ordered != nil {
		if err := f.ordered.rewind(off); err != nil {
			return err
		}
	}
	if err := f.part.Truncate(off); err != nil {
		return err
	}
	if _, err := f.part.Seek(off, io.SeekStart); err != nil {
		return err
	}
	f.size = off
	if f.digest == nil {
		return nil
	}
	if err := f.digest.rewind(f.part, off); err != nil {
		return failed("rewind", f.path, err)
	}
	return nil
}

// SHA256 is the digest of what was written, 32 bytes; nil where Options did not ask for it. It may be called at any
// time, also after the end.
func (f *File) SHA256() []byte {
	if f.digest == nil {
		return nil
	}
	return f.digest.sum()
}

// Replaced reports whether FILE.part is no longer the file that is written: somebody has removed it, or put something else in its place.
func (f *File) Replaced() bool {
	if err := f.resume(); err != nil || f.part == nil {
		return errors.Is(err, errReplaced)
	}
	return errors.Is(same(f.part), errReplaced)
}

// Keep ends the file and leaves what was written as FILE.part, with its journal, if it has one.
func (f *File) Keep() error {
	f.finished = nil
	if f.part == nil {
		return nil
	}
	err := f.settle()
	if f.journal != nil {
		f.journal.Close() // what it says is said
	}
	return errors.Join(err, f.closePart())
}

// settle makes the journal of what was written in order say all of it.
func (f *File) settle() error {
	if f.ordered == nil {
		return nil
	}
	f.ordered.stop()
	return f.ordered.sync()
}

// Discard ends the file and removes FILE.part, if that is still the file that was written, and its journal.
func (f *File) Discard() error {
	if f.ended() {
		return nil
	}
	err := f.remove()
	f.Keep() // what is gone need not be kept well
	if errors.Is(err, errReplaced) || errors.Is(err, ErrInUse) {
		return nil
	}
	return err
}

func (f *File) remove() error {
	if err := f.resume(); err != nil {
		return err
	}
	if err := same(f.part); err != nil {
		return err
	}
	f.DropJournal()
	if !osfile.ReplacesOpen {
		f.Keep()
	}
	return os.Remove(f.path + Ext)
}

// DropJournal removes the journal, if there is one: nothing goes on with what is there. Nothing must be written any more.
func (f *File) DropJournal() {
	if f.ordered != nil {
		f.ordered.stop()
		f.ordered = nil
	}
	switch {
	case f.journal != nil:
		f.journal.Remove()
	case f.held:
		f.dropJournal()
	}
}
