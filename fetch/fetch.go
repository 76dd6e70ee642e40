// Package fetch puts one ordered stream of bytes into one file, such that a file under its final name is whole.
//
// The bytes go to FILE.part, beside FILE. [File.Commit] makes them durable and only then gives them their name. A
// crash at any instant leaves either no FILE and a FILE.part, or a whole FILE. While a process writes FILE.part it
// holds a lock on it (flock), so that two of them never write the same file; the lock ends with the process, however
// it ends, and with [File.Finish]. The locks of NFS and the like are as good as these file systems make them; where
// there are none at all (Windows), two processes must not write the same file.
//
// An [Object] is fetched at many places at once. While that lasts, and where it was ended early, FILE.spate beside FILE.part is
// the journal (package journal) of what is there; [Resume] goes on from these two, in another process or after a crash. What is
// written in order has one, too, where Options.Journal is set. What is to be handed on in order, to no file, is an Object as well:
// [Object.Stream].
package fetch

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"spate/fetch/journal"
	"spate/internal/osfile"
)

// Ext is what the name of a file that is not whole ends in.
const Ext = ".part"

var (
	// ErrInUse is the error of a file that a live process, maybe this one, is writing.
	ErrInUse = errors.New("another download is writing this file")

	errNotRegular = errors.New("not a regular file")
	errReplaced   = errors.New("removed or replaced by somebody else while it was written")
	errRewind     = errors.New("cannot go back to where nothing was written")
)

// Options of [Create] and [Resume]. The zero value, and nil, mean the defaults.
type Options struct {
	Overwrite bool // Commit may replace an existing file; false: it never does
	SHA256    bool // File.SHA256 is wanted of what is written in order; false: the bytes are not hashed
	AtOnce    bool // Create follows where Resume, or Check, finds nothing, and does: what one of them looks at the other does not
	VerifyAll bool // Resume reads all that is there again; false: what is durable by its journal is sampled

	// Journal is what the journal says of a file that is written in order, and not finished but by Commit; nil: it has none.
	Journal *journal.Header
}

func (o *Options) isAtOnce() bool { return o != nil && o.AtOnce }

// Check reports whether [Create] would refuse path for what there is now: without Overwrite anything of that name, with
// it anything but a regular file or a symbolic link to one or to nothing; a FILE.part that a live process writes, a journal's name
// that is taken by something else, a folder that is not there or not to be written to. It creates and changes nothing. Its errors are Create's.
func Check(path string, opts *Options) error {
	if err := checkOutput(path, opts); err != nil {
		return err
	}
	if err := checkJournal(path); err != nil {
		return err
	}
	part, err := openLeft(path + Ext)
	if err != nil {
		return err
	}
	if part != nil {
		part.Close()
	}
	return CheckWritable(filepath.Dir(path))
}

// checkOutput is Check as far as path itself and its folder tell.
func checkOutput(path string, opts *Options) error {
	if err := checkTarget(path, opts); err != nil {
		return err
	}
	return checkFolder(path)
}

// checkFolder makes sure that there is a folder for path.
func checkFolder(path string) error {
	dir, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return err
	}
	if !dir.IsDir() {
		return failed("create", path, syscall.ENOTDIR)
	}
	return nil
}

// checkTarget is Check but for the folder, of which opening a file in it tells as well.
func checkTarget(path string, opts *Options) error {
	if err := checkName(path); err != nil {
		return err
	}
	if osfile.IsNothing(path) {
		return nil
	}
	old, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) { // by now
		return nil
	}
	if err != nil {
		return err
	}
	return checkExisting(path, old, opts != nil && opts.Overwrite)
}

func checkName(path string) error {
	if path == "" {
		return failed("create", path, fs.ErrInvalid)
	}
	if os.IsPathSeparator(path[len(path)-1]) {
		return failed("create", path, syscall.EISDIR)
	}
	return nil
}

func checkExisting(path string, old fs.FileInfo, overwrite bool) error {
	if old.IsDir() {
		return failed("create", path, syscall.EISDIR)
	}
	if !overwrite {
		return failed("create", path, fs.ErrExist)
	}
	if old.Mode()&fs.ModeSymlink != 0 {
		// Renaming onto it would replace the link alone; one to /dev/stdout is not meant for that.
		target, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		old = target
	}
	if !old.Mode().IsRegular() {
		return failed("create", path, errNotRegular)
	}
	return nil
}

func failed(op, path string, err error) error {
	return &fs.PathError{Op: op, Path: path, Err: err}
}
