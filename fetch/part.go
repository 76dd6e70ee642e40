package fetch

import (
	"errors"
	"io/fs"
	"os"

	"spate/internal/osfile"
)

// maxTries bounds how often openPart begins again because others come and go; each round somebody else got on.
const maxTries = 100

// openPart creates a new, locked FILE.part of the file at that path.
//
// The rule that makes it safe: whoever removes or renames the file at path holds the lock of that very file. So a file
// that is locked and still found at path stays there. A file that was left behind is removed, not truncated: a crash in
// the middle of Commit may have left it as a second name of the final file. It stays where the journal's name is somebody else's.
func openPart(path string) (*os.File, error) {
	part := path + Ext
	for range maxTries {
		f, err := osfile.Open(part, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
		if errors.Is(err, fs.ErrExist) {
			if err := checkJournal(path); err != nil {
				return nil, err
			}
			if err := dropStale(part); err != nil {
				return nil, err
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		switch err := claim(f); {
		case err == nil:
			return f, nil
		case !errors.Is(err, errReplaced):
			f.Close()
			return nil, err
		}
		f.Close() // another process took it for stale, before it was locked
	}
	return nil, failed("create", part, ErrInUse)
}

// dropStale removes the file at path if no live process writes it.
func dropStale(path string) error {
	if err := checkPart(path); err != nil {
		return ignoreGone(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|openFlags, 0)
	if err != nil {
		return ignoreGone(err)
	}
	defer f.Close()
	err = claim(f)
	if errors.Is(err, errReplaced) {
		return nil
	}
	if err != nil {
		return err
	}
	if !osfile.ReplacesOpen {
		f.Close()
	}
	return ignoreGone(os.Remove(path))
}

// checkPart refuses what must be neither opened nor removed.
func checkPart(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return failed("create", path, errNotRegular)
	}
	return nil
}

func ignoreGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// claim locks f and makes sure that f is still the file of its name; errReplaced if it is not.
func claim(f *os.File) error {
	if err := osfile.Lock(f, ErrInUse); err != nil {
		return failed("create", f.Name(), err)
	}
	return same(f)
}

// same is nil if f is the file that its name stands for.
func same(f *os.File) error {
	is, err := osfile.IsAt(f, f.Name())
	if err == nil && !is {
		err = failed("check", f.Name(), errReplaced)
	}
	return err
}
