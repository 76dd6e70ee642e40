package blockcache

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"spate/internal/osfile"
)

// The folders of caches, each with 16 hex digits behind: one process's, those of key files, those to be removed.
const (
	runPrefix  = "spate-run-"
	keptPrefix = "spate-kept-"
	gonePrefix = "spate-gone-"

	folderSize = 8
	lockName   = "lock"
)

var (
	runName  = regexp.MustCompile(`^spate-run-[0-9a-f]{16}$`)
	keptName = regexp.MustCompile(`^spate-kept-[0-9a-f]{16}$`)
	goneName = regexp.MustCompile(`^spate-gone-[0-9a-f]{16}$`)
)

// A runDir is a cache's folder. Who holds its lock owns it. The time of modification of the lock of one that is kept says
// when all in it has expired.
type runDir struct {
	path string
	lock *os.File
	kept bool
}

func randomName(prefix string) string {
	p := make([]byte, folderSize)
	rand.Read(p)
	return prefix + hex.EncodeToString(p)
}

// A sweep of another process holds the lock of what it takes for a moment, until it has renamed it.
const (
	sweepTime  = 10 * time.Millisecond
	sweepTries = 20
)

// openRun creates a folder in dir; with a name it opens that, which is kept.
func openRun(dir, name string) (*runDir, error) {
	for n := range 100 {
		r := &runDir{path: filepath.Join(dir, name), kept: name != ""}
		if !r.kept {
			r.path = filepath.Join(dir, randomName(runPrefix))
		}
		switch ok, err := r.open(); {
		case ok:
			return r, nil
		case errors.Is(err, ErrInUse) && !r.kept: // nobody else knows its name
		case errors.Is(err, ErrInUse) && n < sweepTries:
			time.Sleep(sweepTime)
		case err != nil:
			return nil, err
		}
	}
	return nil, fmt.Errorf("%s: whatever is created there is gone at once", dir)
}

// open is false if a sweep of another process took the folder before it was locked.
func (r *runDir) open() (bool, error) {
	if err := r.mkdir(); err != nil {
		return false, err
	}
	path := filepath.Join(r.path, lockName)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return false, ignoreMissing(err)
	}
	err = osfile.LockSurely(f, ErrInUse)
	if !isAt(f, path) {
		return false, f.Close()
	}
	if err != nil && (r.kept || !errors.Is(err, errors.ErrUnsupported)) {
		return false, errors.Join(fmt.Errorf("lock %s: %w", path, err), f.Close())
	}
	r.lock = f
	return true, nil
}

// mkdir makes sure that the folder is there, and nobody else's.
func (r *runDir) mkdir() error {
	if err := os.Mkdir(r.path, 0o700); err == nil || !r.kept || !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Lstat(r.path)
	switch {
	case err != nil:
		return ignoreMissing(err)
	case !info.IsDir():
		return fmt.Errorf("%s: not a folder", r.path)
	}
	return ignoreMissing(os.Chmod(r.path, 0o700))
}

func isAt(f *os.File, path string) bool {
	here, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := os.Lstat(path)
	return err == nil && os.SameFile(here, there)
}

// keepFor says that the folder need not be kept longer.
func (r *runDir) keepFor(d time.Duration) error {
	now := time.Now()
	return os.Chtimes(r.lock.Name(), now, now.Add(d))
}

// leave ends the use of the folder. Unless it is kept, it is removed.
func (r *runDir) leave() error {
	if r.kept {
		return r.lock.Close()
	}
	gone := filepath.Join(filepath.Dir(r.path), randomName(gonePrefix))
	if err := os.Rename(r.path, gone); err != nil { // where what is open cannot be renamed, the lock is in the way
		return errors.Join(r.lock.Close(), os.RemoveAll(r.path))
	}
	return errors.Join(os.RemoveAll(gone), r.lock.Close())
}

// sweep removes what processes that have crashed left in dir, until done is closed.
func sweep(dir string, done <-chan struct{}, log *slog.Logger) {
	names, err := os.ReadDir(dir)
	for _, n := range names {
		if path := filepath.Join(dir, n.Name()); n.IsDir() {
			err = errors.Join(err, sweepFolder(path, done))
		}
	}
	if err != nil {
		log.Warn("what an earlier cache has left could not be removed", "err", err)
	}
}

func sweepFolder(path string, done <-chan struct{}) error {
	name := filepath.Base(path)
	isKept := keptName.MatchString(name)
	if isKept || runName.MatchString(name) {
		aside, err := setAside(path, isKept)
		if aside == "" {
			return err
		}
		return removeFolder(aside, done)
	}
	if goneName.MatchString(name) {
		return removeFolder(path, done)
	}
	return nil
}

// setAside renames a folder that nobody owns. "": somebody does, or nobody knows.
func setAside(path string, isKept bool) (string, error) {
	f, err := os.OpenFile(filepath.Join(path, lockName), os.O_RDWR, 0)
	if err != nil {
		return "", removeOldEmpty(path, ignoreMissing(err))
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || isKept && info.ModTime().After(time.Now()) {
		return "", err
	}
	if err := osfile.LockSurely(f, ErrInUse); err != nil || !isAt(f, f.Name()) {
		return "", nil
	}
	aside := filepath.Join(filepath.Dir(path), randomName(gonePrefix))
	if err := os.Rename(path, aside); err != nil {
		return "", ignoreMissing(err)
	}
	return aside, nil
}

// removeOldEmpty removes what a process left that died before it had created its lock; a living one has by now.
func removeOldEmpty(path string, err error) error {
	if info, statErr := os.Lstat(path); err == nil && statErr == nil && time.Since(info.ModTime()) > time.Hour {
		os.Remove(path) // only if it is empty: what has no lock and is not empty is not ours
	}
	return err
}

// removeFolder removes a folder of files. Another process may be at it, too.
func removeFolder(path string, done <-chan struct{}) error {
	files, err := os.ReadDir(path)
	err = ignoreMissing(err)
	for _, f := range files {
		select {
		case <-done:
			return err
		default:
			err = errors.Join(err, ignoreMissing(os.Remove(filepath.Join(path, f.Name()))))
		}
	}
	return errors.Join(err, ignoreMissing(os.Remove(path)))
}
