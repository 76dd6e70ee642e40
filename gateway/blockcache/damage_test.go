package blockcache

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// damage does something to one of the files of a cache's folder. It returns what.
func damage(t *testing.T, r *rand.Rand, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "????????*")) // not the lock, nor the index
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	path := files[r.IntN(len(files))]
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	off := r.Int64N(info.Size())
	switch r.IntN(4) {
	case 0:
		err = os.Truncate(path, off)
		return check(t, err, "cut")
	case 1:
		err = os.Truncate(path, 0)
		return check(t, err, "emptied")
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := make([]byte, 1)
	_, err = f.ReadAt(b, off)
	check(t, err, "read")
	b[0] ^= 1 << r.IntN(8)
	_, err = f.WriteAt(b, off)
	return check(t, err, "flipped")
}

func check(t *testing.T, err error, done string) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// Whatever is done to the files, a block has the bytes that were put, or is a miss; it can be put again then.
func TestDamage(t *testing.T) {
	modes(t, func(t *testing.T, opt Options) {
		r := seeded(t)
		c := open(t, opt)
		id := ID{Name: "a", Size: 20*small + 77, BlockSize: small}
		o := openObject(t, c, id)
		done, misses := map[string]int{}, 0
		for range 150 {
			for i := range int64(21) {
				put(t, o, i)
			}
			done[damage(t, r, c.run.path)]++
			for i := range int64(21) {
				if !has(t, o, i) {
					misses++
				}
				if o.Has(i) != has(t, o, i) {
					t.Fatalf("block %d did not open, and was not dropped", i)
				}
			}
		}
		s := c.Stats()
		if len(done) != 3 || misses < 100 || s.Corrupt != int64(misses) {
			t.Errorf("%v; %d misses; %+v", done, misses, s)
		}
		checkTable(t, c)
	})
}

// Blocks do not open in each other's place, nor in that of another object or version.
func TestBlocksThatAreMoved(t *testing.T) {
	modes(t, func(t *testing.T, opt Options) {
		c := open(t, opt)
		id, other := ID{"a", "1", 2 * small, small}, ID{"a", "2", 2 * small, small}
		for _, id := range []ID{id, other} {
			put(t, openObject(t, c, id), 0)
			put(t, openObject(t, c, id), 1)
		}
		a, b := c.objects[id], c.objects[other]
		moves := []struct {
			from, to           *object
			fromIndex, toIndex int64
		}{{a, a, 0, 1}, {a, b, 0, 0}, {b, b, 1, 1}}
		for i, m := range moves {
			sealed := make([]byte, small+28)
			if err := c.store.read(m.from, m.fromIndex, 0, sealed); err != nil {
				t.Fatal(err)
			}
			if _, err := c.store.write(m.to, m.toIndex, sealed); err != nil {
				t.Fatal(err)
			}
			o := openObject(t, c, m.to.id)
			if got, want := has(t, o, m.toIndex), i == 2; got != want { // where it was it opens
				t.Errorf("move %d: opens %v", i, got)
			}
		}
	})
}

// Many that read a block that does not open get a miss each, and it is dropped once.
func TestDamageReadByMany(t *testing.T) {
	modes(t, func(t *testing.T, opt Options) {
		c := open(t, opt)
		o := openObject(t, c, ID{Name: "a", Size: small, BlockSize: small})
		put(t, o, 0)
		if _, err := c.store.write(o.o, 0, make([]byte, small+28)); err != nil {
			t.Fatal(err)
		}
		first := o.pin(0, 0, small)
		second := o.pin(0, 0, small)
		c.unpin(first, false)
		if o.Has(0) || o.Put(0, content(o.ID(), 0)) != nil || o.Has(0) {
			t.Error("a block that did not open is there while another reads it")
		}
		c.unpin(second, false)
		put(t, o, 0)
		if !has(t, o, 0) || c.Stats().Corrupt != 2 {
			t.Errorf("%+v", c.Stats())
		}
		checkTable(t, c)
	})
}

// No stretch of 32 bytes of what is kept is on disk, nor a name of anything.
func TestNothingReadableOnDisk(t *testing.T) {
	modes(t, func(t *testing.T, opt Options) {
		opt.KeyFile = filepath.Join(t.TempDir(), "key")
		c := open(t, opt)
		id := ID{Name: "https://example.org/film?token=abcdef", Version: `"version-of-it"`, Size: 5*small + 100, BlockSize: small}
		o := openObject(t, c, id)
		text := bytes.Repeat([]byte("All work and no play makes Jack a dull boy.\n"), 400)
		for i := range int64(5) {
			if err := o.Put(i, text[i:i+small]); err != nil {
				t.Fatal(err)
			}
		}
		closeCache(t, c) // so that there is an index
		secret, err := os.ReadFile(opt.KeyFile)
		if err != nil {
			t.Fatal(err)
		}
		files, err := filepath.Glob(filepath.Join(opt.Dir, "*", "*"))
		if err != nil || len(files) < 3 {
			t.Fatal(files, err)
		}
		for _, path := range files {
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for i := range 44 { // the text repeats after that
				if bytes.Contains(raw, text[i:i+32]) {
					t.Fatalf("%s has plaintext", path)
				}
			}
			for _, p := range []string{"example", "token", "version-of", string(secret), string(secret[:8])} {
				if bytes.Contains(raw, []byte(p)) {
					t.Errorf("%s has %q", path, p)
				}
			}
		}
	})
}
