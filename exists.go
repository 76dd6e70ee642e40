package spate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"syscall"
	"time"

	"spate/fetch"
	"spate/fetch/journal"
	"spate/internal/osfile"
	"spate/source"
)

// IfExists says what becomes of an output that exists. What an earlier call has left of one, FILE.part with its journal, is
// gone on with, unless it says otherwise.
type IfExists int

// The choices. For the files of a sequence there are only the error and ExistsOverwrite.
const (
	ExistsResume    IfExists = iota // a file that is whole is an error, ErrExists
	ExistsSkip                      // it is left as it is, and nothing fetched
	ExistsOverwrite                 // it is replaced once its successor is whole; what an earlier call has left is dropped
	ExistsRename                    // the output gets another name: FILE.1, FILE.2 and so on
	ExistsFail                      // it is ErrExists, and what an earlier call has left is that, too
	ExistsNewer                     // as ExistsOverwrite if the origin says that its own is newer, else as ExistsSkip
)

// maxRename bounds the numbers that ExistsRename tries.
const maxRename = 10_000

// errSkipped is why nothing is fetched.
var errSkipped = errors.New("the output exists, and is to be left")

// settle decides whether path is written, and opens what an earlier call has left of it. errSkipped: it is left.
func (g *getter) settle(ctx context.Context, path string) (err error) {
	mode := g.opts.IfExists
	if mode == ExistsRename {
		path, err = g.freeName(path)
	} else {
		err = g.claim(path)
	}
	if err != nil {
		return err
	}
	g.path = path
	if mode == ExistsSkip && exists(path) {
		return errSkipped
	}
	if err := g.hasRoom(path); err != nil {
		return err
	}
	opts := &fetch.Options{Overwrite: g.opts.overwrites(), VerifyAll: g.opts.VerifyAll, AtOnce: g.atOnce}
	if err := g.refusesBegun(path); err != nil {
		return err
	}
	if mode == ExistsOverwrite {
		err = fetch.Check(path, opts)
	} else {
		g.left, err = fetch.Resume(ctx, path, opts)
	}
	if errors.Is(err, fs.ErrExist) {
		return g.unlessThere(ctx, path, err)
	}
	return g.unlessFolder(err)
}

// errRoom is why a name that a file may have is too long nevertheless.
var errRoom = fmt.Errorf("%w, as FILE%s and FILE%s are to be beside it", syscall.ENAMETOOLONG, fetch.Ext, journal.Ext)

// hasRoom is the error of a name that is too long for those beside it. A manifest is fetched without a journal, where that has none.
func (g *getter) hasRoom(path string) error {
	var err error
	if g.isObject() {
		err = journal.CheckName(path + journal.Ext)
	} else {
		_, err = os.Lstat(path + fetch.Ext)
	}
	if errors.Is(err, syscall.ENAMETOOLONG) {
		return &fs.PathError{Op: "create", Path: path, Err: errRoom}
	}
	return nil
}

// refusesBegun is the error of what an earlier call has begun at path, where that is not to be gone on with.
func (g *getter) refusesBegun(path string) error {
	if g.opts.IfExists == ExistsFail && exists(path+journal.Ext) {
		return &fs.PathError{Op: "create", Path: path + fetch.Ext, Err: fs.ErrExist}
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// freeName is the first name that nothing has, and nobody has claimed; a FILE.part may be there.
func (g *getter) freeName(path string) (string, error) {
	name := path
	for i := 1; i <= maxRename; i++ {
		if !exists(name) && g.claim(name) == nil {
			return name, nil
		}
		name = path + "." + strconv.Itoa(i)
	}
	return "", &fs.PathError{Op: "create", Path: path, Err: fs.ErrExist}
}

// claim is why path must not be written, by who knows of other calls; nil if nobody objects.
func (g *getter) claim(path string) error {
	if g.opts.Claim == nil {
		return nil
	}
	return g.opts.Claim(path)
}

// older reports whether the file at path is left because the origin's is not newer.
func (g *getter) older(path string, info source.Info) bool {
	if g.opts.IfExists != ExistsNewer {
		return false
	}
	file, err := os.Stat(path)
	return err == nil && !info.ModTime.After(file.ModTime().Truncate(time.Second))
}

// guess makes the name that the URL alone gives the path, if an earlier call has begun this URL there: so what is missing of it can
// be asked for at once. What another URL has left under that name may have nothing to do with this one, of which the origin may
// propose another name.
func (g *getter) guess() {
	if g.path != "" || g.opts.IfExists == ExistsOverwrite {
		return
	}
	path := g.target(source.Info{URL: g.url})
	if osfile.IsNothing(path + journal.Ext) {
		return
	}
	left, err := journal.Read(path + journal.Ext)
	if err != nil {
		return // who settles the path tells what is wrong with it
	}
	if _, known := left.Header.Origin(g.url); known {
		g.path = path
	}
}

// overwrites reports whether an existing output may be replaced.
func (o *GetOptions) overwrites() bool {
	return o.IfExists == ExistsOverwrite || o.IfExists == ExistsNewer
}
