package blockcache

import (
	"bytes"
	"testing"
)

// Any offset of a block can be read from, with room for one strip or more.
func TestStrips(t *testing.T) {
	const size = 3*StripSize + 5
	modes(t, func(t *testing.T, opt Options) {
		o := openObject(t, open(t, opt), ID{Name: "a", Size: 2*size - 1, BlockSize: size})
		for index, n := range []int{size, size - 1} {
			put(t, o, int64(index))
			want := content(o.ID(), int64(index))
			for strip := 0; strip <= 3; strip++ {
				for d := -1; d <= 1; d++ {
					for _, room := range []int{0, 1, StripSize - 1, StripSize, StripSize + 1, 2 * StripSize, size - 1, size, 2 * size} {
						checkStrips(t, o, int64(index), strip*StripSize+d, room, want[:n])
					}
				}
			}
			checkStrips(t, o, int64(index), n, size, want)
		}
	})
}

func checkStrips(t *testing.T, o *Object, index int64, off, room int, block []byte) {
	t.Helper()
	p := make([]byte, room)
	n, ok := o.Get(index, off, p)
	want := 0
	if off >= 0 && off < len(block) {
		from := off / StripSize * StripSize
		if want = len(block) - off; len(block)-from > room {
			want = from + room/StripSize*StripSize - off
		}
		want = max(want, 0)
	}
	if ok != (want > 0) || n != want {
		t.Fatalf("block %d from %d into %d bytes: %d bytes, %v; want %d", index, off, room, n, ok, want)
	}
	if ok && !bytes.Equal(p[:n], block[off:off+n]) {
		t.Fatalf("block %d from %d: other bytes than were put", index, off)
	}
}

// A strip does not open in another's place, and one that does not takes its block with it; the others open until then.
func TestDamagedStrip(t *testing.T) {
	modes(t, func(t *testing.T, opt Options) {
		c := open(t, opt)
		o := openObject(t, c, ID{Name: "a", Size: 3 * StripSize, BlockSize: 3 * StripSize})
		put(t, o, 0)
		all := make([]byte, sealedSize(3*StripSize))
		check(t, c.store.read(o.o, 0, 0, all), "")
		first, second := all[:len(all)/3], all[len(all)/3:2*len(all)/3]
		swapped := append(bytes.Clone(second), first...)
		_, err := c.store.write(o.o, 0, append(swapped, all[2*len(all)/3:]...))
		check(t, err, "")
		checkStrips(t, o, 0, 2*StripSize, StripSize, content(o.ID(), 0))
		if n, ok := o.Get(0, 0, make([]byte, 3*StripSize)); ok || n > 0 {
			t.Errorf("%d bytes of strips in each other's place", n)
		}
		if s := c.Stats(); o.Has(0) || s.Corrupt != 1 {
			t.Errorf("the block is still there; %+v", s)
		}
		checkTable(t, c)
	})
}
