package blockcache

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"spate/internal/leak"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv("BLOCKCACHE_TEST_CRASH"); dir != "" {
		fillAndWait(dir, os.Getenv("BLOCKCACHE_TEST_KEY"))
		return
	}
	leak.Main(m)
}

// modes runs a test with sparse files, where the file system has them, and with a file per block.
func modes(t *testing.T, test func(t *testing.T, opt Options)) {
	t.Helper()
	for _, perBlock := range []bool{false, true} {
		t.Run(fmt.Sprintf("perBlock=%v", perBlock), func(t *testing.T) {
			test(t, Options{Dir: t.TempDir(), Max: 64 << 20, perBlock: perBlock})
		})
	}
}

func open(t testing.TB, opt Options) *Cache {
	t.Helper()
	c, err := Open(&opt)
	if err != nil {
		t.Fatal(err)
	}
	if !opt.perBlock && canPunch(c.run.path) == c.perBlock {
		t.Fatalf("a file per block: %v", c.perBlock)
	}
	t.Cleanup(func() { closeCache(t, c) })
	return c
}

func closeCache(t testing.TB, c *Cache) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

func openObject(t testing.TB, c *Cache, id ID) *Object {
	t.Helper()
	o, err := c.Object(id)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// content is what block index of id is.
func content(id ID, index int64) []byte {
	size := int64(id.BlockSize)
	if id.Size >= 0 {
		size = min(size, id.Size-index*size)
	}
	p := make([]byte, size)
	rand.NewChaCha8(sha256.Sum256(fmt.Appendf(nil, "%v %d", id, index))).Read(p)
	return p
}

func put(t testing.TB, o *Object, index int64) {
	t.Helper()
	if err := o.Put(index, content(o.ID(), index)); err != nil {
		t.Fatalf("Put %d: %v", index, err)
	}
}

// has is whether Get finds the block; its bytes must be right then, and Has must agree before.
func has(t testing.TB, o *Object, index int64) bool {
	t.Helper()
	said := o.Has(index)
	p := make([]byte, o.ID().BlockSize)
	n, ok := o.Get(index, 0, p)
	if ok && !bytes.Equal(p[:n], content(o.ID(), index)) {
		t.Fatalf("%v: block %d has other bytes than were put", o.ID(), index)
	}
	if ok && !said {
		t.Errorf("block %d is there, and Has denies it", index)
	}
	return ok
}

// onDisk is what a folder takes, itself and what is in it.
func onDisk(t testing.TB, dir string) int64 {
	t.Helper()
	var sum int64
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil {
			var info fs.FileInfo
			if info, err = d.Info(); err == nil {
				sum += allocated(info)
			}
		}
		return ignoreMissing(err)
	})
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

const small = 16 << 10

func TestPutGet(t *testing.T) {
	for _, id := range []ID{
		{Name: "sized", Size: 3*small + 1, BlockSize: small},
		{Name: "whole blocks", Size: 3 * small, BlockSize: small},
		{Name: "one byte", Size: 1, BlockSize: small},
		{Name: "blocks of a byte", Size: 3, BlockSize: 1},
		{Name: "a file system's page", Size: 20000, BlockSize: 4096},
		{Name: "unknown size", Size: -1, BlockSize: small},
		{Name: "far away", Size: 1 << 40, BlockSize: small},
		{Name: "", Version: "", Size: small, BlockSize: small},
		{Name: strings.Repeat("long", 1000), Version: `W/"1"`, Size: small, BlockSize: small},
	} {
		t.Run(id.Name[:min(len(id.Name), 20)], func(t *testing.T) {
			modes(t, func(t *testing.T, opt Options) { testPutGet(t, opt, id) })
		})
	}
}

func testPutGet(t *testing.T, opt Options, id ID) {
	c := open(t, opt)
	o := openObject(t, c, id)
	last := int64(3)
	if id.Size >= 0 {
		last = (id.Size - 1) / int64(id.BlockSize)
	}
	for _, i := range []int64{last, 0, last / 2} {
		put(t, o, i)
		put(t, o, i) // a second time
	}
	other := openObject(t, c, id)
	for _, i := range []int64{0, last / 2, last} {
		if !has(t, o, i) || !has(t, other, i) {
			t.Errorf("block %d is not there", i)
		}
	}
	if has(t, o, last+1) || has(t, o, -1) || o.Has(last+1) {
		t.Error("a block is there that was not put")
	}
	if got := len(content(id, 0)); got > 1 {
		if _, ok := o.Get(0, 0, make([]byte, got-1)); ok {
			t.Error("a block was read into less room than it needs")
		}
	}
	if s := c.Stats(); s.Corrupt != 0 || s.Hits == 0 || s.Bytes > s.Max || s.Objects != 1 {
		t.Errorf("%+v", s)
	}
}

func TestPutWhatDoesNotFit(t *testing.T) {
	c := open(t, Options{Dir: t.TempDir()})
	cases := []struct {
		size, index int64
		n           int
		ok          bool
	}{
		{25, 0, 10, true}, {25, 2, 5, true}, {20, 1, 10, true}, {-1, 0, 10, true}, {-1, 7, 3, true},
		{25, 0, 9, false}, {25, 0, 11, false}, {25, 2, 10, false}, {25, 3, 5, false}, {25, -1, 10, false},
		{20, 2, 0, false}, {20, 2, 10, false}, {0, 0, 0, false}, {0, 0, 10, false},
		{-1, 0, 0, false}, {-1, 0, 11, false}, {-1, 1 << 62, 10, false}, {1 << 62, 1 << 57, 10, false},
	}
	for i, k := range cases {
		o := openObject(t, c, ID{Name: fmt.Sprint(i), Size: k.size, BlockSize: 10})
		err := o.Put(k.index, make([]byte, k.n))
		if (err == nil) != k.ok || errors.Is(err, ErrNoRoom) {
			t.Errorf("size %d: Put(%d, %d bytes): %v", k.size, k.index, k.n, err)
		}
		if o.Has(k.index) != k.ok {
			t.Errorf("size %d: Has(%d) is %v", k.size, k.index, !k.ok)
		}
	}
}

// TestIndexes: what is listed is what Has reports.
func TestIndexes(t *testing.T) {
	modes(t, func(t *testing.T, opt Options) {
		c := open(t, opt)
		id := ID{Name: "a", Size: -1, BlockSize: small}
		o, other := openObject(t, c, id), openObject(t, c, ID{Name: "b", Size: -1, BlockSize: small})
		if all := o.Indexes(); len(all) != 0 {
			t.Errorf("of nothing: %d", all)
		}
		for _, index := range []int64{7, 0, 3, 0} {
			put(t, o, index)
		}
		put(t, other, 5)
		if all := slices.Sorted(slices.Values(o.Indexes())); !slices.Equal(all, []int64{0, 3, 7}) {
			t.Errorf("got %d", all)
		}
		if err := o.Close(); err != nil || len(o.Indexes()) != 0 {
			t.Errorf("closed: %d, %v", o.Indexes(), err)
		}
		closeCache(t, c)
		if all := other.Indexes(); len(all) != 0 {
			t.Errorf("of a closed cache: %d", all)
		}
	})
}

func TestBlockSizes(t *testing.T) {
	c := open(t, Options{Dir: t.TempDir()})
	for size, ok := range map[int]bool{-1: false, 0: true, 1: true, MaxBlockSize: true, MaxBlockSize + 1: false} {
		o, err := c.Object(ID{Name: "a", BlockSize: size})
		if (err == nil) != ok {
			t.Errorf("%d: %v", size, err)
		}
		if size == 0 && o.ID().BlockSize != DefaultBlockSize {
			t.Errorf("the default is %d", o.ID().BlockSize)
		}
	}
}

// Objects that differ in anything share nothing.
func TestIDs(t *testing.T) {
	modes(t, func(t *testing.T, opt Options) {
		c := open(t, opt)
		ids := []ID{
			{"a", "1", 2 * small, small}, {"a", "2", 2 * small, small}, {"b", "1", 2 * small, small}, {"a1", "", 2 * small, small},
			{"a", "1", 3 * small, small}, {"a", "1", -1, small}, {"a", "1", 2 * small, 2 * small},
		}
		for i, id := range ids {
			put(t, openObject(t, c, id), 0)
			for k, other := range ids {
				if got := has(t, openObject(t, c, other), 0); got != (k <= i) {
					t.Errorf("after %v was put, %v is there: %v", id, other, got)
				}
			}
		}
	})
}

func TestModesOfFiles(t *testing.T) {
	modes(t, func(t *testing.T, opt Options) {
		opt.Dir = filepath.Join(opt.Dir, "new")
		c := open(t, opt)
		put(t, openObject(t, c, ID{Name: "secret.example", Version: "v", Size: small, BlockSize: small}), 0)
		n := 0
		err := filepath.WalkDir(opt.Dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			want := fs.FileMode(0o600)
			if d.IsDir() {
				want = fs.ModeDir | 0o700
			}
			if info.Mode() != want {
				t.Errorf("%s has mode %v, want %v", path, info.Mode(), want)
			}
			if strings.Contains(path[len(opt.Dir):], "secret") {
				t.Errorf("%s tells what it is", path)
			}
			n++
			return nil
		})
		if err != nil || n != 4 { // the folder, that of the process, its lock, the block
			t.Errorf("%d files and folders, want 4; %v", n, err)
		}
	})
}

func TestClosed(t *testing.T) {
	modes(t, func(t *testing.T, opt Options) {
		c := open(t, opt)
		id := ID{Name: "a", Size: 4 * small, BlockSize: small}
		o, other := openObject(t, c, id), openObject(t, c, id)
		put(t, o, 0)
		for range 2 {
			if err := o.Close(); err != nil {
				t.Error(err)
			}
		}
		if o.Has(0) || has(t, o, 0) || !errors.Is(o.Put(1, content(id, 1)), ErrClosed) {
			t.Error("a closed object is of use")
		}
		if !has(t, other, 0) {
			t.Error("closing one object has closed another")
		}
		for range 2 {
			closeCache(t, c)
		}
		if other.Has(0) || has(t, other, 0) || !errors.Is(other.Put(1, content(id, 1)), ErrClosed) {
			t.Error("an object of a closed cache is of use")
		}
		if _, err := c.Object(id); !errors.Is(err, ErrClosed) {
			t.Errorf("Object: %v", err)
		}
		if err := other.Close(); err != nil {
			t.Error(err)
		}
		if left, err := os.ReadDir(opt.Dir); err != nil || len(left) > 0 {
			t.Errorf("%v was left, %v", left, err)
		}
	})
}

func TestDrop(t *testing.T) {
	modes(t, func(t *testing.T, opt Options) {
		c := open(t, opt)
		id := ID{Name: "a", Size: 8 * small, BlockSize: small}
		o := openObject(t, c, id)
		for i := range int64(6) {
			put(t, o, i)
		}
		written, err := o.claim(6, small) // a Put that is under way
		check(t, err, "")
		read := o.pin(3, 0, small)
		o.Drop(1, 3)
		o.Drop(5, math.MaxInt64)
		for i, want := range []bool{true, false, false, false, true, false, false} {
			if got := has(t, o, int64(i)); got != want {
				t.Errorf("block %d is there: %v", i, got)
			}
		}
		disk, err := c.store.write(o.o, 6, make([]byte, small))
		check(t, err, "")
		check(t, c.written(written, disk, nil), "")
		c.unpin(read, true)
		if s := c.Stats(); s.Blocks != 2 {
			t.Errorf("%d blocks are left of those dropped while they were in use", s.Blocks-2)
		}
		for _, i := range []int64{1, 3, 5, 6} {
			if has(t, o, i) {
				t.Errorf("block %d is there", i)
			}
			put(t, o, i)
			if !has(t, o, i) {
				t.Errorf("block %d cannot be put again", i)
			}
		}
		if s := c.Stats(); s.Corrupt != 0 {
			t.Errorf("%+v", s)
		}
		checkTable(t, c)
	})
}

// An object that nobody uses any more, and that never had a block, or has none left, leaves no trace.
func TestEmptyObjectsGo(t *testing.T) {
	modes(t, func(t *testing.T, opt Options) {
		c := open(t, opt)
		empty := c.Stats().Bytes
		for i := range 10 {
			o := openObject(t, c, ID{Name: fmt.Sprint(i)})
			if err := o.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if s := c.Stats(); s.Objects != 0 || s.Bytes != empty {
			t.Errorf("%+v", s)
		}
	})
}

func TestDefaults(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	dir, err := DefaultDir()
	if err != nil || dir != filepath.Join(cache, "spate") {
		t.Skipf("the system has another convention: %s, %v", dir, err)
	}
	c := open(t, Options{})
	if _, err := os.Stat(dir); err != nil {
		t.Error(err)
	}
	if free, ok := freeSpace(dir); ok {
		if s := c.Stats(); s.Max <= 0 || s.Max > DefaultMax || s.Max < DefaultMax && s.Max > free/5 {
			t.Errorf("Max is %d with %d free", s.Max, free)
		}
	}
}

func TestNothingIsAllocatedByGet(t *testing.T) {
	c := open(t, Options{Dir: t.TempDir()})
	id := ID{Name: "a", Size: small, BlockSize: small}
	o := openObject(t, c, id)
	put(t, o, 0)
	if c.perBlock {
		t.Skip("a file is opened for each Get")
	}
	p := make([]byte, small)
	n := testing.AllocsPerRun(200, func() {
		if _, ok := o.Get(0, 0, p); !ok {
			t.Fatal("a miss")
		}
	})
	if n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// However many objects there are, no more are known than may be, but those that are open: what was used last stays.
func TestObjectsAreBounded(t *testing.T) {
	modes(t, func(t *testing.T, opt Options) {
		const most = 8
		opt.Objects = most
		c := open(t, opt)
		empty := c.Stats().Bytes
		named := func(i int) *Object { return openObject(t, c, ID{Name: fmt.Sprint(i), Size: small, BlockSize: small}) }
		inUse := named(-1)
		defer inUse.Close()
		put(t, inUse, 0)
		for i := range 10 * most {
			o := named(i)
			put(t, o, 0)
			if err := o.Close(); err != nil {
				t.Fatal(err)
			}
			o = named(0) // again and again
			if !has(t, o, 0) {
				t.Fatalf("after %d others the one that is wanted always is gone", i)
			}
			o.Close()
		}
		s := c.Stats()
		if s.Objects != most || s.Blocks != most || s.Evicted != 9*most+1 {
			t.Errorf("%+v", s)
		}
		for i := 9*most + 2; i < 10*most; i++ {
			o := named(i)
			if !has(t, o, 0) {
				t.Errorf("object %d is gone, which was used late", i)
			}
			o.Close()
		}
		if per := (s.Bytes - empty) / most; per > 3*(c.page+objectExtra+small) {
			t.Errorf("each takes %d bytes: those that have gone are counted", per)
		}
	})
}
