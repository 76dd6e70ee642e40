package blockcache

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func withKey(t *testing.T, test func(t *testing.T, opt Options)) {
	modes(t, func(t *testing.T, opt Options) {
		opt.KeyFile = filepath.Join(t.TempDir(), "key")
		test(t, opt)
	})
}

// confirmed opens an object whose earlier blocks are good.
func confirmed(t *testing.T, c *Cache, id ID) *Object {
	t.Helper()
	o := openObject(t, c, id)
	o.Confirm(true)
	return o
}

func TestKeyRoundTrip(t *testing.T) {
	withKey(t, func(t *testing.T, opt Options) {
		ids := []ID{{"a", "1", 5*small + 3, small}, {"b", `W/"x"`, -1, 4096}, {"a", "2", 1 << 40, small}}
		for run := range int64(4) { // blocks of several runs, under a key each
			c := open(t, opt)
			for _, id := range ids {
				o := openObject(t, c, id)
				if o.Stale() != (run > 0) {
					t.Errorf("run %d: %v is stale: %v", run, id, o.Stale())
				}
				o.Confirm(true)
				if o.Stale() {
					t.Error("stale after it was confirmed")
				}
				for i := range run + 1 {
					if got := has(t, o, i); got != (i < run) {
						t.Errorf("run %d, %v: block %d is there: %v", run, id, i, got)
					}
				}
				put(t, o, run)
			}
			if s := c.Stats(); s.Corrupt != 0 || s.Blocks != 3*int(run+1) {
				t.Errorf("%+v", s)
			}
			checkTable(t, c)
			closeCache(t, c)
		}
		without := open(t, Options{Dir: opt.Dir, perBlock: opt.perBlock})
		if o := openObject(t, without, ids[0]); o.Stale() || has(t, o, 0) {
			t.Error("a block is there without the key")
		}
		other := opt
		other.KeyFile += "2"
		if o := openObject(t, open(t, other), ids[0]); o.Stale() || has(t, o, 0) {
			t.Error("a block is there with another key")
		}
		if n := len(folders(t, opt.Dir)); n != 3 {
			t.Errorf("%d folders, want 3: two that are in use and that of the first key", n)
		}
	})
}

// Blocks of an earlier process are not given out before they are confirmed, and not at all if they are not.
func TestConfirm(t *testing.T) {
	withKey(t, func(t *testing.T, opt Options) {
		id := ID{"a", "1", 4 * small, small}
		c := open(t, opt)
		for i := range int64(3) {
			put(t, openObject(t, c, id), i)
		}
		closeCache(t, c)

		c = open(t, opt)
		o, other := openObject(t, c, id), openObject(t, c, id)
		for i := range int64(3) {
			if has(t, o, i) {
				t.Errorf("block %d was given out", i)
			}
		}
		put(t, o, 0) // in place of the old one
		put(t, o, 3)
		if !has(t, o, 0) || !has(t, o, 3) {
			t.Error("blocks of this process are not there")
		}
		other.Confirm(false)
		o.Confirm(true) // too late
		for i, want := range []bool{true, false, false, true} {
			if got := has(t, o, int64(i)); got != want {
				t.Errorf("block %d is there: %v", i, got)
			}
		}
		if s := c.Stats(); s.Corrupt > 0 || s.Blocks != 2 {
			t.Errorf("%+v", s)
		}
		checkTable(t, c)
		closeCache(t, c)
		if o := confirmed(t, open(t, opt), id); !has(t, o, 0) || has(t, o, 1) || !has(t, o, 3) {
			t.Error("after another restart, others are there")
		}
	})
}

// An index that was cut or changed anywhere is none, and no file of it is left.
func TestDamagedIndex(t *testing.T) {
	withKey(t, func(t *testing.T, opt Options) {
		r := seeded(t)
		id := ID{"a", "1", 4 * small, small}
		c := open(t, opt)
		put(t, openObject(t, c, id), 0)
		closeCache(t, c)
		path := filepath.Join(c.run.path, indexName)
		good, err := os.ReadFile(path)
		check(t, err, "")
		damaged := [][]byte{nil, good[:len(good)-1], append(bytes.Clone(good), 0), []byte(strings.Repeat("x", 1000))}
		for range 20 {
			damaged = append(damaged, good[:r.IntN(len(good))])
			flipped := bytes.Clone(good)
			flipped[r.IntN(len(good))] ^= 1 << r.IntN(8)
			damaged = append(damaged, flipped)
		}
		files, err := os.ReadDir(c.run.path)
		check(t, err, "")
		for _, p := range damaged {
			check(t, os.WriteFile(path, p, 0o600), "")
			c := open(t, opt)
			if s := c.Stats(); s.Blocks != 0 || s.Objects != 0 {
				t.Fatalf("%+v", s)
			}
			if left, _ := os.ReadDir(c.run.path); len(left) >= len(files) {
				t.Fatalf("%v was left", left)
			}
			o := openObject(t, c, id)
			put(t, o, 0)
			if !has(t, o, 0) {
				t.Error("of no use after that")
			}
			closeCache(t, c)
		}
		if o := confirmed(t, open(t, opt), id); !has(t, o, 0) {
			t.Error("after a good run, nothing is there")
		}
	})
}

// Blocks that were changed while nobody ran are misses.
func TestDamageBetweenRuns(t *testing.T) {
	withKey(t, func(t *testing.T, opt Options) {
		r := seeded(t)
		id := ID{"a", "1", 20 * small, small}
		corrupt := int64(0)
		for range 40 {
			c := open(t, opt)
			o := confirmed(t, c, id)
			for i := range int64(20) {
				if !has(t, o, i) {
					put(t, o, i)
				}
			}
			corrupt += c.Stats().Corrupt
			closeCache(t, c)
			damage(t, r, c.run.path)
		}
		if corrupt == 0 {
			t.Error("no damage was seen")
		}
	})
}

// With a smaller bound than before, what was used last stays.
func TestSmallerBound(t *testing.T) {
	withKey(t, func(t *testing.T, opt Options) {
		id := ID{"a", "1", 40 * small, small}
		c := open(t, opt)
		o := openObject(t, c, id)
		order := rand.New(rand.NewPCG(1, 1)).Perm(40)
		for _, i := range order {
			put(t, o, int64(i))
		}
		cost := folderPages*c.page + c.objectCost(id) + 10*c.cost(small)
		closeCache(t, c)
		opt.Max = cost
		c = open(t, opt)
		if disk := onDisk(t, c.run.path); disk > opt.Max {
			t.Errorf("%d bytes on disk, more than %d", disk, opt.Max)
		}
		o = confirmed(t, c, id)
		for k, i := range order {
			if got := has(t, o, int64(i)); got != (k >= 30) {
				t.Errorf("block %d, number %d to be used, is there: %v", i, k, got)
			}
		}
		checkTable(t, c)
	})
}

// No nonce is ever used twice under one key: each run seals under its own.
func TestKeysOfRuns(t *testing.T) {
	withKey(t, func(t *testing.T, opt Options) {
		id := ID{"a", "1", small, small}
		var nonces, sealed [][]byte
		for range 3 {
			c := open(t, opt)
			o := openObject(t, c, id)
			o.Confirm(false)
			put(t, o, 0)
			p := make([]byte, small+28)
			check(t, c.store.read(o.o, 0, 0, p), "")
			nonces, sealed = append(nonces, p[:12]), append(sealed, p[12:])
			closeCache(t, c)
		}
		for i := range 3 {
			if !bytes.Equal(nonces[i], nonces[0]) {
				t.Fatal("the counter does not begin anew: this test proves nothing")
			}
			if i > 0 && slices.Equal(sealed[i], sealed[0]) {
				t.Error("two runs have sealed the same under the same key and nonce")
			}
		}
	})
}

// What expired while nobody ran is gone at the start, what did not expires after the rest of its time.
func TestExpiryOverRestart(t *testing.T) {
	withKey(t, func(t *testing.T, opt Options) {
		synctest.Test(t, func(t *testing.T) {
			run := func(use func(c *Cache)) {
				c, err := Open(&opt)
				if err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				use(c)
				closeCache(t, c)
			}
			old, young := ID{"old", "", small, small}, ID{"young", "", small, small}
			run(func(c *Cache) {
				o := openObject(t, c, old)
				put(t, o, 0)
				o.Close()
				time.Sleep(40 * time.Minute)
				put(t, openObject(t, c, young), 0)
			})
			time.Sleep(30 * time.Minute)
			run(func(c *Cache) {
				c.mu.Lock()
				if !c.objects[young].stale || c.objects[old] != nil {
					t.Errorf("%v", c.objects)
				}
				c.mu.Unlock()
				time.Sleep(31 * time.Minute)
				synctest.Wait()
				if s := c.Stats(); s.Objects != 0 || s.Expired != 2 {
					t.Errorf("%+v", s)
				}
			})
		})
	})
}

func TestKeyFile(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, n int, mode os.FileMode) {
		path := filepath.Join(dir, name)
		check(t, os.WriteFile(path, bytes.Repeat([]byte("k"), n), 0o600), "")
		check(t, os.Chmod(path, mode), "")
	}
	write("good", 32, 0o600)
	write("read-only", 32, 0o400)
	write("short", 31, 0o600)
	write("long", 33, 0o600)
	write("empty", 0, 0o600)
	write("group", 32, 0o640)
	write("world", 32, 0o604)
	write("executable", 32, 0o601)
	check(t, os.Mkdir(filepath.Join(dir, "folder"), 0o700), "")
	for name, ok := range map[string]bool{
		"good": true, "read-only": true, "new": true,
		"short": false, "long": false, "empty": false, "group": false, "world": false, "executable": false, "folder": false, "no/folder": false,
	} {
		path := filepath.Join(dir, name)
		c, err := Open(&Options{Dir: filepath.Join(dir, "cache"), KeyFile: path})
		if (err == nil) != ok {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil {
			if !strings.Contains(err.Error(), path[:len(dir)]) {
				t.Errorf("%s: %v does not say which file", name, err)
			}
			continue
		}
		closeCache(t, c)
	}
	info, err := os.Stat(filepath.Join(dir, "new"))
	if err != nil || info.Mode() != 0o600 || info.Size() != 32 {
		t.Errorf("created as %v, %v", info, err)
	}
	secret, _ := os.ReadFile(filepath.Join(dir, "new"))
	if bytes.Equal(secret, make([]byte, 32)) {
		t.Error("the key is zeros")
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 {
		t.Errorf("%v was left", left)
	}
}

func TestKeyInUse(t *testing.T) {
	withKey(t, func(t *testing.T, opt Options) {
		c := open(t, opt)
		if _, err := Open(&opt); !errors.Is(err, ErrInUse) {
			t.Errorf("%v", err)
		}
		closeCache(t, c)
		put(t, openObject(t, open(t, opt), ID{Name: "a", Size: 1}), 0)
	})
}

// Some at random, of processes that end well, and of those that do not after the index was written.
func TestRandomRuns(t *testing.T) {
	withKey(t, func(t *testing.T, opt Options) {
		opt.Max = 400_000
		r := seeded(t)
		for range 15 {
			c := open(t, opt)
			checkTable(t, c)
			for range 40 {
				id := randomID(r)
				o := openObject(t, c, id)
				if o.Stale() && r.IntN(2) == 0 {
					o.Confirm(r.IntN(3) > 0)
				}
				for range r.IntN(6) {
					if i := randomBlock(r, id); r.IntN(2) == 0 {
						has(t, o, i)
					} else {
						put(t, o, i)
					}
				}
				o.Close()
				if r.IntN(20) == 0 {
					c.saveChanged()
				}
			}
			checkTable(t, c)
			if disk := onDisk(t, c.run.path); disk > opt.Max {
				t.Errorf("%d bytes on disk, more than %d", disk, opt.Max)
			}
			if r.IntN(2) == 0 { // as if it was killed: the index is that of before
				path := filepath.Join(c.run.path, indexName)
				before, err := os.ReadFile(path)
				closeCache(t, c)
				if err == nil {
					check(t, os.WriteFile(path, before, 0o600), "")
				}
			} else {
				closeCache(t, c)
			}
		}
	})
}

// An index that could only be written by a mistake, as it is sealed, is none.
func TestIndexThatMakesNoSense(t *testing.T) {
	valid := func() *index {
		id := ID{"a", "1", 30, 10}
		return &index{page: minPage, salts: [][]byte{newSalt()}, objects: []indexObject{{id, newSalt(), 1}},
			blocks: []indexBlock{{0, 0, 10, 0}, {0, 2, 10, 0}}}
	}
	for name, change := range map[string]func(x *index){
		"valid":              func(*index) {},
		"an object twice":    func(x *index) { x.objects = append(x.objects, x.objects[0]) },
		"a block twice":      func(x *index) { x.blocks = append(x.blocks, x.blocks[0]) },
		"a block too far":    func(x *index) { x.blocks[0].index = 3 },
		"a block too large":  func(x *index) { x.blocks[0].size = 11 },
		"of no object":       func(x *index) { x.blocks[0].object = 1 },
		"of no run":          func(x *index) { x.blocks[0].run = 1 },
		"no block size":      func(x *index) { x.objects[0].id.BlockSize = 0 },
		"pages of no size":   func(x *index) { x.page = 0 },
		"pages of much":      func(x *index) { x.page = maxPage + 1 },
		"blocks of too much": func(x *index) { x.objects[0].id.BlockSize = MaxBlockSize + 1 },
	} {
		x := valid()
		change(x)
		if _, err := parseIndex(x.append(nil)); (err == nil) != (name == "valid") {
			t.Errorf("%s: %v", name, err)
		}
	}
	p := valid().append(nil)
	for n := range p {
		if _, err := parseIndex(p[:n]); err == nil {
			t.Errorf("cut after %d of %d bytes it is an index", n, len(p))
		}
	}
	if _, err := parseIndex(append(p, 0)); err == nil {
		t.Error("with a byte behind it is an index")
	}
}

func FuzzIndex(f *testing.F) {
	x := &index{page: minPage, salts: [][]byte{newSalt(), newSalt()}}
	for i := range int64(3) {
		x.objects = append(x.objects, indexObject{ID{fmt.Sprint(i), "v", 100*i + 1, 10 + int(i)}, newSalt(), 1700000000 + i})
		x.blocks = append(x.blocks, indexBlock{int(i), 0, min(10+int(i), int(100*i+1)), int(i) % 2})
	}
	f.Add(x.append(nil))
	f.Add((&index{perBlock: true, page: maxPage}).append(nil))
	f.Add([]byte{})
	k, err := newKeys("")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		if _, err := k.openIndex(p); err == nil {
			t.Error("an index opens that nobody has sealed")
		}
		x, err := parseIndex(p)
		if err != nil {
			return
		}
		for _, b := range x.blocks { // what adopt relies on
			if b.run >= len(x.salts) || x.objects[b.object].id.check(b.index, b.size) != nil {
				t.Errorf("%+v", b)
			}
		}
		again, err := parseIndex(x.append(nil))
		if err != nil || !bytes.Equal(again.append(nil), x.append(nil)) {
			t.Errorf("%+v was read, and written is no index: %v", x, err)
		}
	})
}
