package blockcache

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// A failing store fails to write, after half of the block, as long as err is there; and to drop, as long as dropErr is.
type failing struct {
	store
	err, dropErr atomic.Pointer[error]
	writes       atomic.Int64
}

func (f *failing) write(o *object, index int64, sealed []byte) (int64, error) {
	f.writes.Add(1)
	err := f.err.Load()
	if err == nil {
		return f.store.write(o, index, sealed)
	}
	disk, _ := f.store.write(o, index, sealed[:len(sealed)/2])
	return disk, *err
}

func (f *failing) drop(o *object, runs []run, last bool) (int64, error) {
	if err := f.dropErr.Load(); err != nil {
		return 0, *err
	}
	return f.store.drop(o, runs, last)
}

// A full disk is ErrNoRoom, said once, and tried again later; what is there can be read all the time.
func TestFullDisk(t *testing.T) {
	modes(t, func(t *testing.T, opt Options) {
		for _, cause := range []error{syscall.ENOSPC, syscall.EDQUOT} {
			synctest.Test(t, func(t *testing.T) { testFullDisk(t, opt, fmt.Errorf("write: %w", cause)) })
		}
	})
}

func testFullDisk(t *testing.T, opt Options, full error) {
	var log bytes.Buffer
	opt.Log = slog.New(slog.NewTextHandler(&log, nil))
	c, err := Open(&opt)
	if err != nil {
		t.Fatal(err)
	}
	defer closeCache(t, c)
	disk := &failing{store: c.store}
	c.store = disk
	id := ID{Name: "a", Size: 20 * small, BlockSize: small}
	o := openObject(t, c, id)
	put(t, o, 0)
	before, onDiskBefore := c.Stats().Bytes, onDisk(t, c.run.path)
	disk.err.Store(&full)
	for range 3 {
		for i := range int64(5) {
			if err := o.Put(1+i, content(id, 1+i)); !errors.Is(err, ErrNoRoom) {
				t.Errorf("Put: %v", err)
			}
			if has(t, o, 1+i) || !has(t, o, 0) {
				t.Error("what was not kept is there, or what was is not")
			}
		}
		time.Sleep(retryAfter)
	}
	if n := disk.writes.Load(); n != 4 { // one of them before
		t.Errorf("%d writes, want one each time", n)
	}
	if s := c.Stats(); s.Bytes != before || s.NoRoom != 15 || s.Corrupt != 0 {
		t.Errorf("%+v, %d bytes before", s, before)
	}
	if got := onDisk(t, c.run.path); got > onDiskBefore {
		t.Errorf("%d bytes of what failed are left on disk", got-onDiskBefore)
	}
	if n := strings.Count(log.String(), "\n"); n != 1 {
		t.Errorf("said %d times: %s", n, &log)
	}
	disk.err.Store(nil)
	put(t, o, 1)
	put(t, o, 2)
	disk.err.Store(&full)
	if err := o.Put(3, content(id, 3)); !errors.Is(err, ErrNoRoom) || strings.Count(log.String(), "\n") != 2 {
		t.Errorf("when it is full again: %v, %s", err, &log)
	}
	checkTable(t, c)
}

// Any other error is told to who puts, and does not keep others from trying.
func TestBrokenDisk(t *testing.T) {
	modes(t, func(t *testing.T, opt Options) {
		c := open(t, opt)
		disk := &failing{store: c.store}
		c.store = disk
		o := openObject(t, c, ID{Name: "a", Size: 20 * small, BlockSize: small})
		var broken error = syscall.EIO
		disk.err.Store(&broken)
		for i := range int64(3) {
			if err := o.Put(i, content(o.ID(), i)); !errors.Is(err, syscall.EIO) || has(t, o, i) {
				t.Errorf("%v", err)
			}
		}
		if n := disk.writes.Load(); n != 3 {
			t.Errorf("%d writes", n)
		}
		checkTable(t, c)
	})
}

// What cannot be removed counts until the cache is closed: the bound holds even so.
func TestDropFails(t *testing.T) {
	modes(t, func(t *testing.T, opt Options) {
		opt.Max = 400_000
		c := open(t, opt)
		disk := &failing{store: c.store}
		c.store = disk
		var broken error = syscall.EIO
		disk.dropErr.Store(&broken)
		id := ID{Name: "a", Size: -1, BlockSize: small}
		o := openObject(t, c, id)
		noRoom := 0
		for i := range int64(100) {
			if err := o.Put(i, content(id, i)); errors.Is(err, ErrNoRoom) {
				noRoom++
			} else if err != nil {
				t.Error(err)
			}
		}
		if noRoom < 70 {
			t.Errorf("ErrNoRoom %d times", noRoom)
		}
		if disk := onDisk(t, c.run.path); disk > opt.Max {
			t.Errorf("%d bytes on disk, more than %d", disk, opt.Max)
		}
		disk.dropErr.Store(nil)
	})
}

// The folder is removed behind the cache's back.
func TestFolderIsGone(t *testing.T) {
	modes(t, func(t *testing.T, opt Options) {
		c := open(t, opt)
		o := openObject(t, c, ID{Name: "a", Size: 4 * small, BlockSize: small})
		check(t, removeFolder(c.run.path, nil), "")
		if left, _ := filepath.Glob(filepath.Join(opt.Dir, "*")); len(left) > 0 {
			t.Fatal(left)
		}
		if err := o.Put(0, content(o.ID(), 0)); err == nil || errors.Is(err, ErrNoRoom) || has(t, o, 0) {
			t.Errorf("Put: %v", err)
		}
		checkTable(t, c)
		if err := c.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
}
