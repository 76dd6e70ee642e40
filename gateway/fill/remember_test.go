package fill

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// However many files are asked for, no more are remembered than the pool may remember: those that were used last, and those in use.
func TestRememberedFilesAreBounded(t *testing.T) {
	const most = 8
	src := &pulse{size: 100, piece: chunk, gap: time.Millisecond}
	cache := newShelf(1)
	inBubble(t, src, Options{Files: most, Fresh: -1, Cache: cache}, func(p *Pool, inUse *File) {
		use := func(i int) {
			f, err := p.Open(context.Background(), What{Mirrors: []string{fmt.Sprint("x://host/", i)}})
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			r := from(t, f, 0, -1)
			defer r.Close()
			full(t, r, 0, 100)
		}
		for i := range 10 * most {
			use(i)
			use(0) // this one is wanted again and again
		}
		synctest.Wait()
		if n := p.Stats().Files; n != most+1 || cache.inUse() != most+1 {
			t.Errorf("%d files are known, %d are open in the cache, want %d", n, cache.inUse(), most+1)
		}
		asked := src.requests()
		for i := 10*most - 1; i > 10*most-most; i-- {
			use(i)
		}
		use(0)
		if n := src.requests() - asked; n != 0 {
			t.Errorf("%d requests for what was used last", n)
		}
		use(1)
		if n := src.requests() - asked; n != 1 {
			t.Errorf("%d requests for what was forgotten", n)
		}
		if r := from(t, inUse, 0, -1); r != nil {
			defer r.Close()
			full(t, r, 0, 100)
		}
	})
}

// Of files that proved wrong so many are remembered as well; what was kept of one that is not is never used again all the same.
func TestVerdictsAreBounded(t *testing.T) {
	const most = 8
	src := &pulse{size: 100, piece: chunk, gap: time.Millisecond}
	inBubble(t, src, Options{Files: most, Cache: newShelf(1)}, func(p *Pool, _ *File) {
		use := func(i int) *File {
			f, err := p.Open(context.Background(), What{Mirrors: []string{fmt.Sprint("x://host/", i)}})
			if err != nil {
				t.Fatal(err)
			}
			r := from(t, f, 0, -1)
			defer r.Close()
			full(t, r, 0, 100)
			return f
		}
		for i := range 3 * most {
			f := use(i)
			f.Condemn(errors.New("wrong"))
			f.Close()
			time.Sleep(time.Second)
		}
		if n := len(p.condemned); n > most {
			t.Errorf("%d verdicts", n)
		}
		for i := range 3 * most {
			was := p.Stats().OriginBytes
			use(i).Close()
			if p.Stats().OriginBytes == was {
				t.Errorf("file %d comes of what was kept before it was condemned", i)
			}
		}
	})
}
