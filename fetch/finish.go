package fetch

import (
	"errors"
	"io"
	"io/fs"
	"os"
)

// Finish ends the writing, not the file: what was written is made durable, and FILE.part is closed until the file ends
// with Commit, Keep or Discard, or goes on with Rewind. It is for who has many files that are whole and may not appear
// yet. Finishing again does nothing.
//
// A finished file holds no lock: another process may take FILE.part for one that was left behind. It is never mistaken
// for what took its place: Commit and Rewind lock it again and fail if it is not what it was, with [ErrInUse] if it is
// being written; Discard leaves it alone then.
func (f *File) Finish() error {
	if f.finished != nil {
		return nil
	}
	if f.part == nil {
		return failed("finish", f.path, fs.ErrClosed)
	}
	if err := same(f.part); err != nil {
		return err
	}
	if err := f.part.Sync(); err != nil {
		return err
	}
	info, err := f.part.Stat()
	if err != nil {
		return err
	}
	f.finished = info
	return f.closePart()
}

// resume opens a finished file again, as it was, and locks it. It does nothing to one that is open.
func (f *File) resume() error {
	if f.finished == nil {
		return nil
	}
	part, err := f.openFinished()
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotRegular) {
		return failed("check", f.path+Ext, errReplaced)
	}
	if err != nil {
		return err
	}
	f.part, f.finished = part, nil
	return nil
}

func (f *File) openFinished() (*os.File, error) {
	if err := checkPart(f.path + Ext); err != nil {
		return nil, err
	}
	part, err := os.OpenFile(f.path+Ext, os.O_RDWR|openFlags, 0)
	if err != nil {
		return nil, err
	}
	err = claim(part)
	if err == nil {
		err = f.unchanged(part)
	}
	if err == nil {
		_, err = part.Seek(0, io.SeekEnd)
	}
	if err != nil {
		part.Close()
		return nil, err
	}
	return part, nil
}

// unchanged is nil if part is the file that was finished. An inode is used again as soon as it is free: what is in
// somebody else's file by now was written later. Earlier it may seem where a file system keeps coarse times.
func (f *File) unchanged(part *os.File) error {
	info, err := part.Stat()
	if err != nil {
		return err
	}
	was := f.finished
	if !os.SameFile(was, info) || info.Size() != was.Size() || info.ModTime().After(was.ModTime()) {
		return failed("check", part.Name(), errReplaced)
	}
	return nil
}

// ended reports whether the file has ended.
func (f *File) ended() bool { return f.part == nil && f.finished == nil }

// ReadAt reads what was written, until the file is finished or has ended. It is as that of [os.File].
func (f *File) ReadAt(p []byte, off int64) (int, error) {
	if f.part == nil {
		return 0, failed("read", f.path, fs.ErrClosed)
	}
	return f.part.ReadAt(p, off)
}

// closePart closes FILE.part, and so unlocks it.
func (f *File) closePart() error {
	part := f.part
	f.part = nil
	return part.Close()
}
