package fill

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"spate/internal/farm"
	"spate/source"
)

// What was condemned is not handed out any more, and who gave it is not asked where there is somebody else.
func TestCondemn(t *testing.T) {
	a, b := origin(t), origin(t)
	right, wrong := content(2*blk), make([]byte, 2*blk)
	generate(7)(0, wrong)
	a.Serve("/f", farm.Resource{Body: wrong, ETag: `"1"`})
	b.Serve("/f", farm.Resource{Body: right, ETag: `"1"`})
	p := pool(t, Options{Cache: newShelf(1)})
	for _, mirrors := range [][]string{{a.URL("/f"), b.URL("/f")}, {a.URL("/f")}} {
		f := open(t, p, 0, mirrors...)
		wants(t, f, 0, -1, wrong)
		r, err := f.Open(within(t), 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		cause := errors.New("its digest is another one")
		f.Condemn(cause)
		if _, err := io.ReadAll(r); err != cause {
			t.Error(err)
		}
		if len(mirrors) == 1 {
			a.Serve("/f", farm.Resource{Body: right, ETag: `"1"`}) // as the same version
		}
		wants(t, open(t, p, 0, mirrors...), 0, -1, right)
	}
}

// What was condemned is not in the cache any more once nobody uses it: a cache may outlive the process, which alone knows of it.
func TestCondemnedIsDropped(t *testing.T) {
	src := &pulse{size: 3 * blk, piece: chunk, gap: time.Millisecond}
	cache := newShelf(1)
	inBubble(t, src, Options{Cache: cache}, func(p *Pool, f *File) {
		r := from(t, f, 0, -1)
		full(t, r, 0, 3*blk)
		synctest.Wait()
		if cache.blocks() != 3 {
			t.Fatalf("%d blocks are kept", cache.blocks())
		}
		f.Condemn(errors.New("wrong"))
		r.Close()
		f.Close()
		synctest.Wait()
		if cache.blocks() != 0 || cache.inUse() != 0 {
			t.Errorf("%d blocks are kept, %d files are open", cache.blocks(), cache.inUse())
		}
	})
}

// Who was vouched for shares nothing with who was not.
func TestVouched(t *testing.T) {
	o := origin(t)
	body := content(100)
	o.Serve("/f", farm.Resource{Body: body, ETag: `"1"`})
	p := pool(t, Options{})
	for range 2 {
		wants(t, open(t, p, 0, o.URL("/f")), 0, -1, body)
		f, err := p.Open(source.Vouch(within(t)), What{Mirrors: []string{o.URL("/f")}})
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		got, err := get(within(t), f, 0, -1)
		if err != nil || !bytes.Equal(got, body) {
			t.Error(err)
		}
	}
	if n := o.Requests("/f"); n != 2 {
		t.Errorf("%d requests", n)
	}
}
