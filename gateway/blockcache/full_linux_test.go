package blockcache

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// A file system that is smaller than the cache may be.
func TestSmallFileSystem(t *testing.T) {
	modes(t, func(t *testing.T, opt Options) {
		if err := unix.Mount("tmpfs", opt.Dir, "tmpfs", 0, "size=1m"); err != nil {
			if errors.Is(err, os.ErrPermission) {
				t.Skip("only root mounts")
			}
			t.Fatal(err)
		}
		defer unix.Unmount(opt.Dir, unix.MNT_DETACH)
		c := open(t, opt)
		defer closeCache(t, c)
		id := ID{Name: "a", Size: 200 * small, BlockSize: small}
		o := openObject(t, c, id)
		var kept []int64
		for i := range int64(200) {
			switch err := o.Put(i, content(id, i)); {
			case err == nil:
				kept = append(kept, i)
			case !errors.Is(err, ErrNoRoom):
				t.Fatal(err)
			}
		}
		if len(kept) < 30 || len(kept) > 64 {
			t.Errorf("%d blocks in 1 MiB", len(kept))
		}
		for _, i := range kept {
			if !has(t, o, i) {
				t.Errorf("block %d is not there", i)
			}
		}
		checkTable(t, c)
	})
}

// A sparse file gives back what is evicted, while it is open and when it is not.
func TestHoles(t *testing.T) {
	c := open(t, Options{Dir: t.TempDir(), Max: 64 << 20})
	if c.perBlock {
		t.Skip("the file system cannot punch holes")
	}
	id := ID{Name: "a", Size: 40 * small, BlockSize: small}
	o := openObject(t, c, id)
	for i := range int64(40) {
		put(t, o, i)
	}
	path := filepath.Join(c.run.path, o.o.name)
	takes := func() int64 {
		info, err := os.Stat(path)
		check(t, err, "")
		return allocated(info)
	}
	full := takes()
	evict := func(n int64) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.drop(c.coldest(n * c.cost(small)))
	}
	evict(10)
	if got := takes(); got > full-10*small {
		t.Errorf("%d bytes of %d are left after 10 of 40 blocks went", got, full)
	}
	o.Close()
	evict(10)
	if got := takes(); got > full-20*small {
		t.Errorf("%d bytes of %d are left after 20 of 40 blocks went", got, full)
	}
	evict(20)
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file without blocks is left: %v", err)
	}
	checkTable(t, c)
}
