package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// commit gives all files their names, in the order in which they were written. Where that fails, those that are new are
// taken back, and what was replaced is put back: until all is done it has a second name.
func (w *writer) commit() error {
	var done []former
	for _, f := range w.files {
		was := w.setAside(f.Path())
		err := f.Commit()
		if err == nil || was.aside != "" {
			done = append(done, was)
		}
		if err != nil {
			return errors.Join(err, each(done, former.restore))
		}
	}
	return each(done, former.drop)
}

// A former is what stood under the name of an output before.
type former struct {
	path  string
	fresh bool   // nothing did
	aside string // its second name; "" if it could not have one
}

// setAside gives what stands at path a second name, if it may be replaced and the file system has hard links.
func (w *writer) setAside(path string) former {
	_, err := os.Lstat(path)
	if !w.overwrite || errors.Is(err, fs.ErrNotExist) {
		return former{path: path, fresh: true}
	}
	for n := range maxAsides {
		aside := fmt.Sprintf("%s.before-%d", path, os.Getpid()+n)
		if err = os.Link(path, aside); err == nil {
			return former{path: path, aside: aside}
		}
		if !errors.Is(err, fs.ErrExist) { // left by a run that was killed
			break
		}
	}
	return former{path: path}
}

// maxAsides is how many second names are tried.
const maxAsides = 100

// restore makes path what it was.
func (f former) restore() error {
	switch {
	case f.fresh:
		return os.Remove(f.path)
	case f.aside == "":
		return fmt.Errorf("%s was replaced by then", shown(f.path))
	}
	if err := os.Rename(f.aside, f.path); err != nil {
		return fmt.Errorf("what was %s is %s now: %w", shown(f.path), shown(f.aside), err)
	}
	return f.drop() // where path is as it was, renaming one name of a file to the other leaves both
}

// drop ends the second name.
func (f former) drop() error {
	if f.aside == "" {
		return nil
	}
	if err := os.Remove(f.aside); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// each does the same with all, the last first, and joins the errors.
func each(all []former, do func(former) error) error {
	var errs []error
	for i := len(all) - 1; i >= 0; i-- {
		errs = append(errs, do(all[i]))
	}
	return errors.Join(errs...)
}
