package gateway

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"spate"
	"spate/assemble"
	"spate/event"
	"spate/format/span"
	"spate/gateway/fill"
	"spate/source"
)

// TestPicture compares pictures of random layouts with what each byte of them is.
func TestPicture(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("SPATE_SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		seed = n
	}
	t.Logf("SPATE_SEED=%d", seed)
	rnd := rand.New(rand.NewPCG(seed, 1))
	for range 2000 {
		files, states := make([]*fill.Sight, 1+rnd.IntN(4)), make([][]byte, 4)
		for i := range files {
			files[i], states[i] = randomFile(rnd)
		}
		var all []byte
		var parts []int
		for range rnd.IntN(40) {
			i := rnd.IntN(len(files))
			parts, all = append(parts, i), append(all, states[i]...)
		}
		p := newPicture(int64(len(all)))
		off := int64(0)
		for _, i := range parts {
			p.add(off, p.seen(files[i]))
			off += files[i].Size
		}
		got, want := p.progress(), drawn(all)
		if got.Map != want || got.Bytes != int64(bytes.Count(all, []byte{event.MapThere})) || got.Size != int64(len(all)) {
			t.Fatalf("%s: got %+v, want\n%s", all, got, want)
		}
	}
}

// randomFile is a file of at most 300 bytes, and what each of them is.
func randomFile(rnd *rand.Rand) (*fill.Sight, []byte) {
	states := bytes.Repeat([]byte{event.MapMissing}, 1+rnd.IntN(300))
	s := &fill.Sight{Size: int64(len(states))}
	for range rnd.IntN(5) {
		off := rnd.IntN(len(states))
		x := span.Span{Off: int64(off), End: int64(off + rnd.IntN(len(states)-off+1))}
		state := byte(event.MapAsked)
		if s.Coming.Add(x); rnd.IntN(2) == 0 {
			state = event.MapThere
			s.There.Add(x)
		}
		for i := x.Off; i < x.End; i++ {
			if states[i] != event.MapThere {
				states[i] = state
			}
		}
	}
	return s, states
}

// drawn is the map of what each byte of a file is.
func drawn(all []byte) string {
	bounds := event.Cells(int64(len(all)))
	var cells []byte
	for i := range len(bounds) - 1 {
		cell := all[bounds[i]:bounds[i+1]]
		switch {
		case bytes.IndexByte(cell, event.MapMissing) >= 0:
			cells = append(cells, event.MapMissing)
		case bytes.IndexByte(cell, event.MapAsked) >= 0:
			cells = append(cells, event.MapAsked)
		default:
			cells = append(cells, event.MapThere)
		}
	}
	return string(cells)
}

// nobodyHas is the answer where nothing is.
func nobodyHas(url string) (*source.Resource, error) {
	return nil, &source.Error{Op: "open", URL: url, Kind: source.KindStatus, Status: http.StatusNotFound}
}

// TestWatchOfMuch: a layout of 100,000 parts is looked at once a second.
func TestWatchOfMuch(t *testing.T) {
	const many, url = 100_000, "http://h/m.parts"
	synctest.Test(t, func(t *testing.T) {
		src := source.Func(func(_ context.Context, url string, _ source.Range) (*source.Resource, error) { return nobodyHas(url) })
		pool := fill.New(&fill.Options{Source: src})
		defer pool.Close()
		g := New(&Options{Client: &spate.Client{Source: src}, Source: src, Pool: pool})
		lay := func(n int64) {
			l := &assemble.Layout{Info: source.Info{Size: n * 10}}
			for i := range n {
				l.Extents = append(l.Extents, assemble.Extent{Span: span.Span{Off: 10 * i, End: 10*i + 10},
					Mirrors: []assemble.Mirror{{URL: fmt.Sprint("http://h/", i)}}})
			}
			g.layouts.keep(url, &kept{layout: l, at: time.Now()})
		}
		size := func() int64 {
			t.Helper()
			e, ok := g.Watch(url)
			if !ok || e.Bytes != 0 || e.Map != drawn(bytes.Repeat([]byte{event.MapMissing}, 64)) {
				t.Errorf("got %+v, %v", e, ok)
			}
			return e.Size
		}
		if lay(many); size() != 10*many {
			t.Error("it has another size")
		}
		lay(many + 1)
		time.Sleep(time.Second / 2)
		if size() != 10*many {
			t.Error("half a second later it was looked at again")
		}
		time.Sleep(time.Second)
		if size() != 10*many+10 {
			t.Error("more than a second later it was not")
		}
		if lay(muchToSee); size() != 10*many+10 {
			t.Error("it was looked at again")
		}
		time.Sleep(time.Second)
		if size() != 10*muchToSee {
			t.Error("of not so much it is told what was")
		}
		if lay(7 * 64); size() != 7*64*10 {
			t.Error("of little it is told what was")
		}
	})
}

// TestSeenIsBounded: what was last told is kept of so many and no more.
func TestSeenIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s seen
		for i := range 3 * maxSeen {
			s.keep(fmt.Sprint(i), event.Event{Part: int64(i)})
			if e, ok := s.get(fmt.Sprint(i)); !ok || e.Part != int64(i) || len(s.last) > maxSeen {
				t.Fatalf("%d: got %+v, %v, of %d", i, e, ok, len(s.last))
			}
		}
	})
}
