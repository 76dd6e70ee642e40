package blockcache

import (
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// What nobody has open goes after the TTL, by itself; what is open stays as long as it is.
func TestExpiry(t *testing.T) {
	modes(t, func(t *testing.T, opt Options) {
		synctest.Test(t, func(t *testing.T) { testExpiry(t, opt) })
	})
}

func testExpiry(t *testing.T, opt Options) {
	c, err := Open(&opt)
	if err != nil {
		t.Fatal(err)
	}
	defer closeCache(t, c)
	empty := c.Stats().Bytes
	first, second := ID{Name: "first", Size: 2 * small, BlockSize: small}, ID{Name: "second", Size: small, BlockSize: small}
	a, b := openObject(t, c, first), openObject(t, c, second)
	put(t, a, 0)
	put(t, a, 1)
	put(t, b, 0)
	after := func(d time.Duration, objects int) {
		t.Helper()
		time.Sleep(d)
		synctest.Wait()
		if s := c.Stats(); s.Objects != objects {
			t.Errorf("%d objects, want %d; %+v", s.Objects, objects, s)
		}
	}
	after(10*DefaultTTL, 2) // both are open
	a.Close()
	after(DefaultTTL-time.Second, 2)
	a = openObject(t, c, first)
	after(2*DefaultTTL, 2) // opened again in time
	if !has(t, a, 0) || !has(t, a, 1) {
		t.Error("blocks of an open object are gone")
	}
	a.Close()
	after(time.Minute, 2)
	b.Close()
	after(DefaultTTL-time.Minute, 1)
	after(time.Minute, 0)
	if s := c.Stats(); s.Bytes != empty || s.Blocks != 0 || s.Expired != 2 {
		t.Errorf("%+v", s)
	}
	if files, err := os.ReadDir(c.run.path); err != nil || len(files) != 1 {
		t.Errorf("%v was left, %v", files, err)
	}
	a = openObject(t, c, first)
	if has(t, a, 0) {
		t.Error("a block has expired and is there")
	}
	put(t, a, 0)
}

// An object that was closed while it is read stays until that has ended.
func TestExpiryWhileRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := Open(&Options{Dir: t.TempDir(), TTL: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		defer closeCache(t, c)
		o := openObject(t, c, ID{Name: "a", Size: small, BlockSize: small})
		put(t, o, 0)
		e := o.pin(0, 0, small)
		o.Close()
		time.Sleep(90 * time.Second)
		synctest.Wait()
		if s := c.Stats(); s.Blocks != 1 {
			t.Errorf("%+v", s)
		}
		c.unpin(e, true)
		time.Sleep(time.Minute)
		synctest.Wait()
		if s := c.Stats(); s.Blocks != 0 || s.Objects != 0 {
			t.Errorf("%+v", s)
		}
	})
}
