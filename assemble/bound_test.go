package assemble_test

import (
	"fmt"
	"io"
	"testing"
	"testing/synctest"

	"spate/assemble"
	"spate/source/limit"
)

// bound is a stream without end, of equal parts, and how much of it may be held.
type bound struct {
	name string
	size int64 // of a part
	mark string
	opts assemble.Options
}

func bounds() []bound {
	const mib = 1 << 20
	return []bound{
		{name: "small parts", size: 10_000, opts: assemble.Options{Budget: budgetOf(8 * mib)}},
		{name: "parts", size: 1 * mib, opts: assemble.Options{Budget: budgetOf(8 * mib)}},
		{name: "large parts", size: 100 * mib, opts: assemble.Options{Budget: budgetOf(8 * mib)}},
		{name: "endless parts", opts: assemble.Options{Budget: budgetOf(8 * mib)}},
		{name: "large parts, no room", size: 100 * mib, opts: assemble.Options{Budget: budgetOf(1)}},
		{name: "many parts ahead", size: 10_000, opts: assemble.Options{Budget: budgetOf(4 * mib), Ahead: 300}},
		{name: "marked small parts", size: 10_000, mark: "(*)\n", opts: assemble.Options{Budget: budgetOf(8 * mib), CacheMemory: 4 * mib}},
		{name: "marked parts", size: 1 * mib, mark: "(*)\n", opts: assemble.Options{Budget: budgetOf(8 * mib), CacheMemory: 4 * mib}},
		{name: "marked large parts", size: 100 * mib, mark: "(*)\n", opts: assemble.Options{Budget: budgetOf(8 * mib), CacheMemory: 4 * mib}},
	}
}

// TestBounds: neither memory nor what is fetched ahead of the reader grows beyond what the options say.
func TestBounds(t *testing.T) {
	for _, b := range bounds() {
		t.Run(b.name, func(t *testing.T) {
			synctest.Test(t, b.check)
		})
	}
}

func (b bound) check(t *testing.T) {
	const slack = 3 << 20 // what the head has of its own, and all that is not bytes
	m := &memory{find: func(url string) *thing {
		if url == plan {
			return &thing{gen: b.manifest}
		}
		return &thing{gen: alphabet, size: b.size}
	}}
	b.opts.Hosts = &limit.Hosts{PerHost: 1000}
	before := heap()
	r := open(t, m, plan, &b.opts)
	read, most := int64(0), b.opts.Budget.Limit()+b.opts.CacheMemory+slack
	furthest := b.opts.Budget.Limit() + slack
	if b.mark != "" {
		furthest += 2 * b.opts.Budget.Limit() // the cache runs ahead of the head, and of the parts behind it
	}
	for _, n := range []int64{1, 100_000, 10 << 20, 10 << 20} {
		if _, err := io.CopyN(io.Discard, r, n); err != nil {
			t.Fatal(err)
		}
		read += n
		synctest.Wait()
		if held := int64(heap()) - int64(before); held > most {
			t.Errorf("after %d bytes: the heap has grown by %d, want at most %d", read, held, most)
		}
		if ahead := m.bytes() - read; ahead > furthest {
			t.Errorf("after %d bytes: %d more were fetched, want at most %d", read, ahead, furthest)
		}
	}
	r.Close()
	m.wantNothingOpen(t)
}

// manifest makes the stream's, in which each part has a URL of its own.
func (b bound) manifest(off int64, p []byte) {
	size := int64(len(b.mark)) + recordSize
	for i := 0; i < len(p); {
		at := off + int64(i)
		i += copy(p[i:], (b.mark + fmt.Sprintf(record, at/size))[at%size:])
	}
}
