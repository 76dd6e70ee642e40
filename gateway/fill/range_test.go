package fill

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"testing"

	"spate/internal/farm"
	"spate/source"
)

// Reads at every offset block·k + {-1, 0, 1}, of lengths 0, 1, a block and to the end, 32 readers in parallel, equal the origin's
// bytes, whatever the origin tells of its version, and whatever becomes of the blocks.
func TestReadsEqualTheOrigin(t *testing.T) {
	const block = 4 << 10
	body := content(11*block + 123)
	caches := map[string]func() *shelf{
		"memory": func() *shelf { return nil },
		"cache":  func() *shelf { return newShelf(1) },
		"cache that loses, lies and is full": func() *shelf {
			s := newShelf(2)
			s.losing, s.lying, s.refuses = 0.3, 0.2, 0.3
			return s
		},
	}
	for name, tag := range map[string]string{"strong": `"1"`, "weak": `W/"1"`, "none": farm.NoETag} {
		for kind, cache := range caches {
			t.Run(name+", "+kind, func(t *testing.T) {
				o := origin(t)
				o.Serve("/f", farm.Resource{Body: body, ETag: tag})
				opts := Options{BlockSize: block, Memory: 64 * block}
				if c := cache(); c != nil {
					opts.Cache, opts.Memory = c, 8*block
					if tag != `"1"` { // else what is gone cannot be compared any more
						c.losing, c.lying, opts.Memory = 0, 0, 64*block
					}
				}
				p := pool(t, opts)
				f := open(t, p, 0, o.URL("/f"))
				readAround(t, f, body, block)
			})
		}
	}
}

func readAround(t *testing.T, f *File, body []byte, block int64) {
	type piece struct{ off, n int64 }
	var pieces []piece
	for at := int64(0); at <= int64(len(body)); at += block {
		for d := int64(-1); d <= 1; d++ {
			for _, n := range []int64{0, 1, block, -1} {
				if at+d >= 0 {
					pieces = append(pieces, piece{at + d, n})
				}
			}
		}
	}
	rand.Shuffle(len(pieces), func(i, j int) { pieces[i], pieces[j] = pieces[j], pieces[i] })
	todo := make(chan piece, len(pieces))
	for _, x := range pieces {
		todo <- x
	}
	close(todo)
	ctx := within(t)
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			for x := range todo {
				got, err := get(ctx, f, x.off, x.n)
				from := min(x.off, int64(len(body)))
				to := int64(len(body))
				if x.n >= 0 {
					to = min(to, from+x.n)
				}
				if err != nil || !bytes.Equal(got, body[from:to]) {
					t.Errorf("%d bytes from %d: %d, %v", x.n, x.off, len(got), err)
				}
			}
		})
	}
	wg.Wait()
}

// A slow reader holds back nobody, and does not make more be held than Memory has room for.
func TestSlowReader(t *testing.T) {
	o := origin(t)
	body := content(16 << 20)
	o.Serve("/f", farm.Resource{Body: body, ETag: `"1"`})
	p := pool(t, Options{Memory: 2 << 20})
	f := open(t, p, 0, o.URL("/f"))
	slow, err := f.Open(within(t), 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	head := make([]byte, 1000)
	if _, err := io.ReadFull(slow, head); err != nil {
		t.Fatal(err)
	}
	wants(t, f, 0, -1, body)
	p.mem.mu.Lock()
	held := p.mem.used
	p.mem.mu.Unlock()
	if held > 2<<20 {
		t.Errorf("%d bytes are held", held)
	}
	rest, err := io.ReadAll(slow)
	if err != nil || !bytes.Equal(append(head, rest...), body) {
		t.Errorf("%d bytes, %v", len(rest), err)
	}
}

// Two versions are served in turns under one name, by machines that tell no validator: what is handed out in one go is of one of them.
func TestMachinesOfTwoVersions(t *testing.T) {
	const block = 32 << 10
	one, two := content(40*block), make([]byte, 40*block)
	generate(7)(0, two)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	failures := 0
	for range 10 {
		o := origin(t)
		a := farm.Resource{Body: one, ETag: farm.NoETag, BreakAfter: 5*block + 77}
		b := farm.Resource{Body: two, ETag: farm.NoETag, BreakAfter: 4*block + 5}
		o.Serve("/f", farm.Resource{Changes: func(n int) farm.Resource { return []farm.Resource{a, b, a}[n%3] }})
		p := pool(t, Options{BlockSize: block})
		for range 6 {
			f, err := p.Open(within(t), What{Mirrors: []string{o.URL("/f")}})
			if err != nil {
				continue
			}
			off := rnd.Int64N(int64(len(one)))
			got, err := get(within(t), f, off, -1)
			if err != nil {
				failures++
			}
			if !bytes.HasPrefix(one[off:], got) && !bytes.HasPrefix(two[off:], got) {
				t.Errorf("from %d: %d bytes of neither version, %v", off, len(got), err)
			}
			f.Close()
		}
	}
	if failures == 0 {
		t.Error("nothing was ever noticed")
	}
}

// Of two readers of a weak origin that meet, the second crosses where they met once that was compared.
func TestSeamIsCompared(t *testing.T) {
	o := origin(t)
	body := content(6 * blk)
	o.Serve("/f", farm.Resource{Body: body, ETag: `W/"1"`})
	p := pool(t, Options{})
	f := open(t, p, 3*blk, o.URL("/f"))
	wants(t, f, 3*blk, blk, body[3*blk:4*blk])
	wants(t, f, 0, 6*blk, body)
	if s := p.Stats(); s.DuplicateBytes == 0 {
		t.Errorf("nothing was compared: %+v", s)
	}
}

// An origin of no more than one connection at a time serves readers wherever they are.
func TestOneConnection(t *testing.T) {
	o := origin(t)
	body := content(64 * blk)
	o.Serve("/f", farm.Resource{Body: body, ETag: `"1"`})
	p := pool(t, Options{Connections: 1})
	f := open(t, p, 0, o.URL("/f"))
	var wg sync.WaitGroup
	for i := range int64(8) {
		wg.Go(func() {
			off := i * 8 * blk
			got, err := get(within(t), f, off, 3*blk)
			if err != nil || !bytes.Equal(got, body[off:off+3*blk]) {
				t.Errorf("%d bytes from %d, %v", len(got), off, err)
			}
		})
	}
	wg.Wait()
}

// There are no more connections than are allowed.
func TestConnectionsAreBounded(t *testing.T) {
	for _, tt := range []struct{ perFile, perHost, all, want int }{{2, 8, 32, 6}, {4, 5, 32, 5}, {4, 8, 3, 3}} {
		o := origin(t)
		body := content(40 * blk)
		p := pool(t, Options{PerFile: tt.perFile, PerHost: tt.perHost, Connections: tt.all})
		var wg sync.WaitGroup
		for n := range 3 {
			path := fmt.Sprint("/", n)
			o.Serve(path, farm.Resource{Body: body, ETag: `"1"`, Rate: 20 << 20})
			f := open(t, p, 0, o.URL(path))
			for i := range int64(6) {
				wg.Go(func() {
					off := i * 6 * blk
					if got, err := get(within(t), f, off, blk); err != nil || !bytes.Equal(got, body[off:off+blk]) {
						t.Error(err)
					}
				})
			}
		}
		wg.Wait()
		if o.Peak() > tt.want+1 { // one may not know yet that its client has left
			t.Errorf("%d at a time, %d are allowed", o.Peak(), tt.want)
		}
	}
}

// Background fill fetches what nobody has asked for, once.
func TestFill(t *testing.T) {
	o := origin(t)
	body := content(30*blk + 1)
	o.Serve("/f", farm.Resource{Body: body, ETag: `"1"`})
	cache := newShelf(1)
	p := pool(t, Options{Fill: true, Cache: cache})
	f := open(t, p, 10*blk, o.URL("/f"))
	wants(t, f, 10*blk, 1, body[10*blk:][:1])
	if err := cache.wait(within(t), 31); err != nil {
		t.Fatal(err)
	}
	was := p.Stats().Requests
	wants(t, f, 0, -1, body)
	if s := p.Stats(); s.Requests != was {
		t.Errorf("%+v", s)
	}
}

type hashes struct {
	mu    sync.Mutex
	body  []byte
	block int64
	bad   int
}

func (h *hashes) Known(int64) bool { return true }
func (h *hashes) Check(b int64, data []byte) bool {
	from := b * h.block
	ok := bytes.Equal(data, h.body[from:min(from+h.block, int64(len(h.body)))])
	h.mu.Lock()
	defer h.mu.Unlock()
	if !ok {
		h.bad++
	}
	return ok
}

// Blocks with a known hash are handed out once they were checked.
func TestHashes(t *testing.T) {
	a, b := origin(t), origin(t)
	body := content(5 * blk)
	wrong := bytes.Clone(body)
	wrong[3*blk+5] ^= 1
	a.Serve("/f", farm.Resource{Body: wrong, ETag: `"1"`})
	b.Serve("/f", farm.Resource{Body: body, ETag: `"1"`})
	p := pool(t, Options{})
	h := &hashes{body: body, block: blk}
	f, err := p.Open(within(t), What{Mirrors: []string{a.URL("/f"), b.URL("/f")}, Hashes: h})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	wants(t, f, 0, -1, body)
	if s := p.Stats(); s.Corrupt != 1 || s.Aside != 1 {
		t.Errorf("%+v", s)
	}
	g, err := p.Open(within(t), What{Mirrors: []string{a.URL("/f")}, Hashes: h})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	got, err := get(within(t), g, 0, -1)
	if !errors.Is(err, source.ErrCorrupt) || !bytes.Equal(got, body[:3*blk]) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// Close ends readers that wait, and everything else.
func TestCloseOfThePool(t *testing.T) {
	o := origin(t)
	o.Serve("/f", farm.Resource{Body: content(1000), ETag: `"1"`, StallAt: 500})
	o.Serve("/g", farm.Resource{HangHeader: true})
	cache := newShelf(1)
	p := pool(t, Options{Cache: cache})
	f := open(t, p, 0, o.URL("/f"))
	read, opened := make(chan error), make(chan error)
	go func() {
		_, err := get(context.Background(), f, 0, -1)
		read <- err
	}()
	go func() {
		_, err := p.Open(context.Background(), What{Mirrors: []string{o.URL("/g")}})
		opened <- err
	}()
	if err := errors.Join(o.Wait(within(t), farm.Stuck, "/f", 1), o.Wait(within(t), farm.Arrived, "/g", 1)); err != nil {
		t.Fatal(err)
	}
	p.Close()
	if err := <-read; err != ErrClosed {
		t.Error(err)
	}
	if err := <-opened; err != ErrClosed {
		t.Error(err)
	}
	if cache.inUse() != 0 {
		t.Errorf("%d objects of the cache are open", cache.inUse())
	}
}

// A context ends a wait.
func TestContext(t *testing.T) {
	o := origin(t)
	o.Serve("/f", farm.Resource{Body: content(1000), ETag: `"1"`, StallAt: 500})
	f := open(t, pool(t, Options{}), 0, o.URL("/f"))
	ctx, cancel := context.WithCancel(within(t))
	r, err := f.Open(ctx, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := io.ReadFull(r, make([]byte, 500)); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := r.Read(make([]byte, 1)); err != context.Canceled {
		t.Error(err)
	}
}

// Many readers all over a cold file, of which few can have a connection at a time, get theirs, and it is fetched once.
func TestManyReaders(t *testing.T) {
	const size, n = 32 << 20, 1 << 20
	o := origin(t)
	o.Serve("/f", farm.Resource{Gen: sized(1, size), Size: size, ETag: `"1"`})
	p := pool(t, Options{Cache: newShelf(1)})
	f := open(t, p, 0, o.URL("/f"))
	body := content(size)
	var wg sync.WaitGroup
	for i := range int64(200) {
		wg.Go(func() {
			off := i * 150_000
			if got, err := get(within(t), f, off, n); err != nil || !bytes.Equal(got, body[off:off+n]) {
				t.Errorf("%d bytes from %d, %v", len(got), off, err)
			}
		})
	}
	wg.Wait()
	s := p.Stats()
	if s.DuplicateBytes > s.Requests*blk || s.OriginBytes-s.DuplicateBytes > size {
		t.Errorf("%+v", s)
	}
}
