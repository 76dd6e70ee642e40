package fetch

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"spate/internal/osfile"
)

// Commit ends the file: what was written is made durable, then appears under its final name, whole, and FILE.part is
// gone. Without Overwrite it never replaces a file, also not one that has appeared since Create: that is an error that
// is [fs.ErrExist]. After an error nothing has ended: FILE.part is to be kept or discarded. (Where an open file cannot be
// moved, on Windows, it may be kept by then.)
func (f *File) Commit() error {
	if f.ended() {
		return failed("commit", f.path, fs.ErrClosed)
	}
	if err := f.makeDurable(); err != nil {
		return err
	}
	if !osfile.ReplacesOpen {
		if err := f.Keep(); err != nil {
			return err
		}
	}
	if err := f.publish(); err != nil {
		return err
	}
	f.DropJournal() // of no use alone, and no harm
	f.Keep()        // it is synced: there is nothing left that closing could fail to write
	return osfile.SyncFolder(filepath.Dir(f.path))
}

// makeDurable makes sure that FILE.part is what was written, locked and durable.
func (f *File) makeDurable() error {
	if f.finished != nil {
		if err := f.resume(); err != nil || f.modTime.IsZero() {
			return err
		}
	}
	if err := same(f.part); err != nil {
		return err
	}
	if err := f.proceed(); err != nil {
		return err
	}
	if err := f.applyModTime(); err != nil {
		return err
	}
	return f.part.Sync()
}

// SetModTime makes t the time of modification that the file has once it has its final name; zero is that of the last
// write, and so is one that cannot be told in nanoseconds since 1970, before 1678 or after 2262.
func (f *File) SetModTime(t time.Time) {
	if !time.Unix(0, t.UnixNano()).Equal(t) {
		t = time.Time{}
	}
	f.modTime = t
}

// applyModTime goes by the name, which only who holds the lock of the file may give to another one.
func (f *File) applyModTime() error {
	if f.modTime.IsZero() {
		return nil
	}
	return os.Chtimes(f.part.Name(), time.Time{}, f.modTime)
}

func (f *File) publish() error {
	part := f.path + Ext
	if f.opts.Overwrite {
		if err := checkOutput(f.path, &f.opts); err != nil {
			return err
		}
		return rename(part, f.path)
	}
	err := renameNew(part, f.path)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		err = linkNew(part, f.path)
	}
	if errors.Is(err, fs.ErrExist) {
		return failed("create", f.path, fs.ErrExist)
	}
	return err
}

// linkNew is for systems and file systems that cannot rename without replacing; to link never replaces.
func linkNew(part, path string) error {
	err := os.Link(part, path)
	if err == nil {
		return os.Remove(part)
	}
	if errors.Is(err, fs.ErrExist) {
		return err
	}
	return reserve(part, path)
}

// reserve is for file systems without hard links: the name is taken by an empty file, which no other process can take
// then, and that is replaced. A crash between the two leaves the empty file; this is the price of never replacing a
// file that is somebody else's.
func reserve(part, path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if errors.Is(err, fs.ErrExist) {
		return failed("create", path, fs.ErrExist)
	}
	if err != nil {
		return err
	}
	f.Close()
	if err := rename(part, path); err != nil {
		os.Remove(path)
		return err
	}
	return nil
}

func rename(from, to string) error {
	err := os.Rename(from, to)
	if link, ok := errors.AsType[*os.LinkError](err); ok {
		return failed("rename", to, link.Err)
	}
	return err
}
