package blockcache

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

var crashID = ID{Name: "crash", Version: "1", Size: 8 * small, BlockSize: small}

// fillAndWait is the process that is killed: it puts some blocks, says so, and waits. With a key it has the index written
// before the last of them.
func fillAndWait(dir, key string) {
	c, err := Open(&Options{Dir: dir, KeyFile: key, Max: 1 << 20, perBlock: os.Getenv("BLOCKCACHE_TEST_PER_BLOCK") == "true"})
	if err != nil {
		panic(err)
	}
	o, err := c.Object(crashID)
	if err != nil {
		panic(err)
	}
	for i := range int64(8) {
		if err := o.Put(i, content(crashID, i)); err != nil {
			panic(err)
		}
		if i == 3 {
			c.saveChanged()
		}
	}
	fmt.Println("filled", filepath.Base(c.run.path))
	io.Copy(io.Discard, os.Stdin)
}

// kill starts a process that fills a cache, and kills it then, before which meanwhile is called.
func kill(t *testing.T, opt Options, meanwhile func(folder string)) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "BLOCKCACHE_TEST_CRASH="+opt.Dir, "BLOCKCACHE_TEST_KEY="+opt.KeyFile,
		fmt.Sprintf("BLOCKCACHE_TEST_PER_BLOCK=%v", opt.perBlock))
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	folder, ok := strings.CutPrefix(strings.TrimSpace(line), "filled ")
	if err == nil && ok {
		meanwhile(folder)
	}
	killErr := cmd.Process.Kill()
	cmd.Wait()
	if err != nil || !ok || killErr != nil {
		t.Fatalf("it said %q, %v, %v", line, err, killErr)
	}
}

func folders(t *testing.T, dir string) (names []string) {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}

// What a killed process has left is removed when the next cache is opened; what a living one has is left alone.
func TestKill(t *testing.T) {
	modes(t, func(t *testing.T, opt Options) {
		kill(t, opt, func(folder string) {
			other := open(t, opt)
			<-other.swept
			if disk := onDisk(t, filepath.Join(opt.Dir, folder)); disk < 8*small {
				t.Errorf("%d bytes are left of a process that lives", disk)
			}
			closeCache(t, other)
		})
		if left := folders(t, opt.Dir); len(left) != 1 {
			t.Fatalf("the killed process left %v", left)
		}
		c := open(t, opt)
		<-c.swept
		if left := folders(t, opt.Dir); len(left) != 1 || left[0] != filepath.Base(c.run.path) {
			t.Errorf("%v is there, of which only %s should be", left, c.run.path)
		}
		o := openObject(t, c, crashID)
		if has(t, o, 0) {
			t.Error("a block outlived the process without a key")
		}
		put(t, o, 0)
	})
}

// With a key file what the index named is there after a kill, and nothing else takes room.
func TestKillWithKey(t *testing.T) {
	modes(t, func(t *testing.T, opt Options) {
		opt.KeyFile = filepath.Join(t.TempDir(), "key")
		kill(t, opt, func(string) {
			if _, err := Open(&opt); err == nil {
				t.Error("a second process has the cache of the same key")
			}
		})
		c := open(t, opt)
		if disk := onDisk(t, c.run.path); disk > 4*c.cost(small)+c.objectCost(crashID)+folderPages*c.page {
			t.Errorf("%d bytes on disk: what the index does not name was left", disk)
		}
		o := openObject(t, c, crashID)
		o.Confirm(true)
		for i := range int64(8) {
			if got := has(t, o, i); got != (i < 4) {
				t.Errorf("block %d is there: %v", i, got)
			}
			put(t, o, i)
		}
		if s := c.Stats(); s.Corrupt > 0 {
			t.Errorf("%+v", s)
		}
		checkTable(t, c)
	})
}

// Two caches share a folder, and nothing in it.
func TestTwoCaches(t *testing.T) {
	modes(t, func(t *testing.T, opt Options) {
		a, b := open(t, opt), open(t, opt)
		<-b.swept
		put(t, openObject(t, a, crashID), 0)
		if has(t, openObject(t, b, crashID), 0) {
			t.Error("one cache has what was put into the other")
		}
		put(t, openObject(t, b, crashID), 1)
		closeCache(t, a)
		if !has(t, openObject(t, b, crashID), 1) {
			t.Error("closing one cache took a block from the other")
		}
	})
}

// What is not certainly left by a cache stays; what certainly is goes.
func TestSweep(t *testing.T) {
	dir := t.TempDir()
	hex := "0123456789abcdef"
	old := time.Now().Add(-2 * time.Hour)
	stays := []string{"run", "spate-run-", "spate-run-" + hex[1:], "spate-runs-" + hex, "gone", "spate-kept-" + hex, "films"}
	goes := []string{"spate-run-" + hex, "spate-gone-" + hex, "spate-kept-f" + hex[1:]}
	for _, name := range append(stays, goes...) {
		path := filepath.Join(dir, name)
		check(t, os.Mkdir(path, 0o700), "")
		check(t, os.WriteFile(filepath.Join(path, "a"), []byte("a"), 0o600), "")
		check(t, os.WriteFile(filepath.Join(path, lockName), nil, 0o600), "")
		check(t, os.Chtimes(filepath.Join(path, lockName), old, old), "")
	}
	later := time.Now().Add(time.Hour)
	check(t, os.Chtimes(filepath.Join(dir, "spate-kept-"+hex, lockName), later, later), "")
	noLock, oldEmpty, newEmpty := "spate-run-a"+hex[1:], "spate-run-b"+hex[1:], "spate-run-c"+hex[1:]
	for _, name := range []string{noLock, oldEmpty, newEmpty} {
		check(t, os.Mkdir(filepath.Join(dir, name), 0o700), "")
	}
	check(t, os.WriteFile(filepath.Join(dir, noLock, "a"), []byte("a"), 0o600), "")
	for _, name := range []string{noLock, oldEmpty} {
		check(t, os.Chtimes(filepath.Join(dir, name), old, old), "")
	}
	check(t, os.Symlink("films", filepath.Join(dir, "spate-gone-a"+hex[1:])), "")
	check(t, os.WriteFile(filepath.Join(dir, "spate-gone-b"+hex[1:]), nil, 0o600), "")
	stays = append(stays, noLock, newEmpty, "spate-gone-a"+hex[1:], "spate-gone-b"+hex[1:])

	c := open(t, Options{Dir: dir})
	<-c.swept
	closeCache(t, c)
	left := map[string]bool{}
	for _, name := range folders(t, dir) {
		left[name] = true
	}
	for _, name := range stays {
		if !left[name] {
			t.Errorf("%s was removed", name)
		}
		delete(left, name)
	}
	if len(left) > 0 {
		t.Errorf("%v was left", left)
	}
	if _, err := os.Stat(filepath.Join(dir, "films", "a")); err != nil {
		t.Error(err)
	}
}

// A kept folder that has expired is taken by sweeps of others just when it is opened again.
func TestKeptFolderIsSwept(t *testing.T) {
	withKey(t, func(t *testing.T, opt Options) {
		done := make(chan struct{})
		var sweeping sync.WaitGroup
		for range 2 {
			sweeping.Go(func() {
				for {
					select {
					case <-done:
						return
					default:
						sweep(opt.Dir, nil, slog.New(slog.DiscardHandler))
					}
				}
			})
		}
		for range 20 {
			c := open(t, opt)
			o := confirmed(t, c, crashID)
			put(t, o, 0)
			if !has(t, o, 0) {
				t.Error("a block of a cache in use was swept")
			}
			path := c.run.path
			closeCache(t, c)
			os.Chtimes(filepath.Join(path, lockName), time.Now(), time.Now()) // unless it is gone
		}
		close(done)
		sweeping.Wait()
	})
}

// Many begin and end at once in one folder: each sweeps while others create theirs.
func TestManyBegin(t *testing.T) {
	dir := t.TempDir()
	errs := make(chan error)
	for range 8 {
		go func() {
			var err error
			for n := 0; n < 20 && err == nil; n++ {
				var c *Cache
				if c, err = Open(&Options{Dir: dir, Max: 1 << 20}); err != nil {
					break
				}
				o, _ := c.Object(crashID)
				if err = o.Put(0, content(crashID, 0)); err == nil && !o.Has(0) {
					err = fmt.Errorf("what was put is not there")
				}
				<-c.swept
				if _, ok := o.Get(0, 0, make([]byte, small)); !ok && err == nil {
					err = fmt.Errorf("a sweep took what was put")
				}
				if closeErr := c.Close(); err == nil {
					err = closeErr
				}
			}
			errs <- err
		}()
	}
	for range 8 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if left := folders(t, dir); len(left) > 0 {
		t.Errorf("%v was left", left)
	}
}
