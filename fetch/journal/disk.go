package journal

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"spate/internal/osfile"
)

// A disk is the folder that a journal is in; names are without a path. The second one is that of the tests, which dies
// at any call and loses what was not synced.
type disk interface {
	create(name string) (file, error) // empty, and of nobody else's: what had the name is gone
	replace(from, to string) error    // renames, durably; after an error either may have the name
	remove(name string) error
}

// A file is written, never read.
type file interface {
	io.WriterAt
	io.Closer
	Sync() error
}

// A folder is a disk by its path. Each call opens it as an os.Root, whose files can be renamed while they are open on
// Windows, too.
type folder string

// Names are those that a journal at path takes: its own, and the one under which its successor is written.
func Names(path string) [2]string { return [2]string{path, path + tempExt} }

// CheckName is the error of a path that is too long for a journal. It may be one of [Create] otherwise.
func CheckName(path string) error {
	if len(path) <= fitsAnywhere {
		return nil
	}
	if _, err := os.Lstat(path + tempExt); errors.Is(err, syscall.ENAMETOOLONG) {
		return err
	}
	return nil
}

// fitsAnywhere is how long a path may be on any file system: the least that is met for a name is 143 bytes, of eCryptfs.
const fitsAnywhere = 100

func in(path string) (folder, string) { return folder(filepath.Dir(path)), filepath.Base(path) }

// create makes the file readable for its owner alone: what redaction did not recognise as a secret stays with him.
func (d folder) create(name string) (file, error) {
	root, err := os.OpenRoot(string(d))
	if err != nil {
		return nil, err
	}
	defer root.Close()
	if err := root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (d folder) replace(from, to string) error {
	root, err := os.OpenRoot(string(d))
	if err != nil {
		return err
	}
	defer root.Close()
	if err := root.Rename(from, to); err != nil {
		return err
	}
	return syncNames(root)
}

func (d folder) remove(name string) error {
	err := os.Remove(filepath.Join(string(d), name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// syncNames makes the names in root durable.
func syncNames(root *os.Root) error {
	f, err := root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(osfile.SyncNames(f), f.Close())
}
