// Package blockcache keeps blocks of remote objects on disk, sealed: whoever reads the disk, or what a crash has left on it,
// reads nothing, and whoever changes it causes misses, never wrong bytes.
//
// An [Object] is one version of one thing. Its blocks are of one size and are kept in any order, each for itself: in a
// sparse file per object, where the file system can punch holes, so that any block's room can be given back, else in a file
// per block. What they take on disk never exceeds a bound; the least recently used go first. An object that nobody has open
// is forgotten after a time.
//
// A cache is of one process. It lives in a folder of its own below [Options].Dir, which any number of processes may share,
// and is gone when it is closed. What a crash has left is removed by the next cache that is opened there. With a key file it
// outlives the process: see [Options].KeyFile.
package blockcache

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"time"
)

// What Options and ID mean by zero.
const (
	DefaultMax       = 10 << 30 // or a tenth of what is free, if that is less
	DefaultTTL       = time.Hour
	DefaultBlockSize = 256 << 10
	DefaultObjects   = 1 << 16
)

// MaxBlockSize is how large a block may be.
const MaxBlockSize = 16 << 20

// StripSize is how much of a block is sealed for itself. It is what who reads a block needs memory for at least.
const StripSize = 16 << 10

var (
	// ErrNoRoom is the error of a Put for which there is no room: in the cache, as all that is there is being read, or on the
	// disk. Nothing was kept. Whoever has the bytes passes them on.
	ErrNoRoom = errors.New("blockcache: no room")

	// ErrInUse is the error of Open if another process has the cache of this key file in this folder open.
	ErrInUse = errors.New("blockcache: in use by another process")

	// ErrClosed is the error of whatever is asked of a closed Cache or Object.
	ErrClosed = errors.New("blockcache: closed")
)

// Options are those of [Open].
type Options struct {
	Dir string        // created with mode 0700 if it is not there; default [DefaultDir]
	Max int64         // bytes on disk; default 10 GiB, or a tenth of what is free, if that is less
	TTL time.Duration // how long an object is kept that nobody has open; default 1 h

	// Objects is how many may be kept, as what is known of one takes memory, about 1 KiB: one more, and that goes which nobody
	// has had open for longest. Those that are open may be more. Default 65,536.
	Objects int

	// KeyFile makes the cache outlive the process: its key is derived from this file, of 32 random bytes that nobody but the
	// owner may read. It is created if it is not there. A cache is then closed with an index of what it has, and opened with
	// it. An index that is cut or changed is none: the cache begins empty. After a crash it is at most 30 s old. What comes from
	// an earlier process is not given out before it was confirmed: see [Object.Stale].
	//
	// One process at a time has the cache of a key file in a folder. It needs a file system with locks.
	KeyFile string

	Log *slog.Logger // default: none

	perBlock bool // a file per block in any case
}

// An ID says what an object is. Objects of different IDs share nothing.
type ID struct {
	Name    string // such as a URL
	Version string // such as an entity tag
	Size    int64  // in bytes; below 0: not known

	// BlockSize is the size of each block, but that the object's last may be shorter; at most [MaxBlockSize], default 256 KiB.
	BlockSize int
}

// Stats are counted since the cache was opened, but for what it has now.
type Stats struct {
	Max, Bytes      int64 // on disk: the bound, and what is taken
	Objects, Blocks int   // now
	Hits, Misses    int64 // of Get
	Corrupt         int64 // misses of blocks that did not open: the disk, or somebody, has changed them
	Puts            int64 // blocks that were kept
	Evicted         int64 // blocks that went to make room
	Expired         int64 // objects that nobody had open for the TTL
	NoRoom          int64 // ErrNoRoom
}

// DefaultDir is spate's folder among the user's caches: $XDG_CACHE_HOME/spate, where there is no other convention.
func DefaultDir() (string, error) {
	dir, err := os.UserCacheDir()
	return filepath.Join(dir, "spate"), err
}

func (o *Options) withDefaults() (Options, error) {
	var opt Options
	if o != nil {
		opt = *o
	}
	var err error
	if opt.Dir == "" {
		opt.Dir, err = DefaultDir()
	}
	if opt.TTL <= 0 {
		opt.TTL = DefaultTTL
	}
	if opt.Objects <= 0 {
		opt.Objects = DefaultObjects
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	return opt, err
}

// defaultMax is DefaultMax or a tenth of what is free in dir.
func defaultMax(dir string) int64 {
	if free, ok := freeSpace(dir); ok {
		return min(DefaultMax, free/10)
	}
	return DefaultMax
}

// Open opens a cache. What crashed processes have left is removed in the background.
func Open(o *Options) (*Cache, error) {
	opt, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(opt.Dir, 0o700); err != nil {
		return nil, err
	}
	keys, err := newKeys(opt.KeyFile)
	if err != nil {
		return nil, err
	}
	run, err := openRun(opt.Dir, keys.folder())
	if err != nil {
		return nil, err
	}
	c, err := newCache(opt, keys, run)
	if err != nil {
		return nil, errors.Join(err, run.leave())
	}
	return c, nil
}
