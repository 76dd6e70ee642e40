package peersource

import (
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"spate/source"
	"spate/source/sourcetest"
)

const other = "0123456x89"

// TestLiars: of givers that send different bytes those count that two send, and only as far as they agree anything is handed on.
func TestLiars(t *testing.T) {
	right, lie := sending(ten), sending(other)
	for _, tt := range []try{
		{name: "one of three", peers: many(right, right, lie), want: ten},
		{name: "one of three, and a dead one", peers: many(right, right, lie), dead: 1, want: ten},
		{name: "one of three, and one that is cut", peers: many(right, right, lie, sending(ten[:5])), want: ten},
		{name: "one of three, and one that breaks", peers: many(right, right, lie, breaking(ten[:5])), want: ten},
		{name: "two that lie differently, of four", peers: many(right, right, lie, sending("x123456789")), want: ten},
		{name: "one of two", peers: many(right, lie), kind: source.KindCorrupt, text: "other bytes", want: ten[:7]},
		{name: "all differently", peers: many(right, lie, sending("01234y6789")), kind: source.KindCorrupt, text: "other bytes", want: ten[:7]},
	} {
		for name, query := range map[string]string{" with sizes": sized, "": ""} {
			tt.query, tt.opts = query, &Options{}
			t.Run(tt.name+name, tt.run)
		}
	}
}

// TestLiarIsLeftOut: who has sent other bytes than two others is not asked again, and what only it has is an error.
func TestLiarIsLeftOut(t *testing.T) {
	tr := newTracker(t)
	var mu sync.Mutex
	asked := map[int]int{}
	lie := newPeer(t, func(c net.Conn, chunk int) bool {
		mu.Lock()
		asked[chunk]++
		mu.Unlock()
		return sending(other)(c, chunk)
	})
	all := []string{at(lie.addr()), at(newPeer(t, sending(ten)).addr()), at(newPeer(t, sending(ten)).addr())}
	for chunk := range 40 {
		tr.register(chunk+1, all...)
	}
	tr.register(41, all[0])
	s := fresh(t, nil)
	want := strings.Repeat(ten, 40)
	if _, body, err := sourcetest.Read(t, s, tr.url("1-40?chunk=10&size=400"), source.From(0)); err != nil || body != want {
		t.Fatalf("%q, %v", body, err)
	}
	n := 0
	for _, times := range asked {
		n += times
	}
	if n > 2 { // where it is asked first, or beside another
		t.Errorf("asked %d times: %v", n, asked)
	}
	if n > 0 {
		sourcetest.Fails(t, s, tr.url("41?chunk=10&size=410"), source.From(0), source.KindCorrupt)
	}
}

// TestSoundGiversAreComparedOnce: whoever has sent the same as another is believed from then on.
func TestSoundGiversAreComparedOnce(t *testing.T) {
	tr := newTracker(t)
	a, b := newPeer(t, sending(ten)), newPeer(t, sending(ten))
	for chunk := range 20 {
		tr.register(chunk+1, at(a.addr()), at(b.addr()))
	}
	s := fresh(t, nil)
	if _, body, err := sourcetest.Read(t, s, tr.url("1-20?chunk=10&size=200"), source.From(0)); err != nil || body != strings.Repeat(ten, 20) {
		t.Fatalf("%q, %v", body, err)
	}
	saidA, _ := a.messages()
	saidB, _ := b.messages()
	if n := len(saidA) + len(saidB); n != 21 {
		t.Errorf("asked %d times for 20 chunks, %q and %q", n, saidA, saidB)
	}
}

// TestComparedAtTheSameTime: a chunk whose size is not known is asked for twice, and not one after the other: each giver waits until
// the other was asked.
func TestComparedAtTheSameTime(t *testing.T) {
	tr := newTracker(t)
	var both sync.WaitGroup
	both.Add(2)
	meet := func(c net.Conn, chunk int) bool {
		if _, err := c.Write([]byte(ten[:5])); err != nil {
			return false
		}
		both.Done()
		both.Wait()
		return sending(ten[5:])(c, chunk)
	}
	tr.register(1, at(newPeer(t, meet).addr()), at(newPeer(t, meet).addr()))
	if _, body, err := sourcetest.Read(t, fresh(t, nil), tr.url("1"), source.From(0)); err != nil || body != ten {
		t.Errorf("%q, %v", body, err)
	}
}

// TestNobodyIsWaitedForToCompare: with sizes, who does not answer in time is done without.
func TestNobodyIsWaitedForToCompare(t *testing.T) {
	for name, silent := range map[string]gift{"from the start": silentAfter(""), "after some bytes": silentAfter(ten[:3])} {
		tr := newTracker(t)
		p := newPeer(t, sending(ten))
		tr.register(1, at(p.addr()))
		for range 3 {
			tr.register(1, at(newPeer(t, silent).addr()))
		}
		s := fresh(t, &Options{HeaderTimeout: 5 * time.Second, IdleTimeout: time.Hour})
		c := &chunk{src: s, ctx: t.Context(), tracker: tr.addr(), index: 1, size: 10, common: -1}
		to := giver{Host: "127.0.0.1", Port: p.l.Addr().(*net.TCPAddr).Port}
		holders, err := s.trackers.locate(t.Context(), tr.addr(), 1)
		if err != nil {
			t.Fatal(err)
		}
		c.known = holders
		for _, h := range holders {
			if h != to {
				c.left = append(c.left, h)
			}
		}
		if c.now, err = c.open(t.Context(), to); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 10)
		if n, err := io.ReadFull(c, got); err != nil || n != 10 || string(got) != ten {
			t.Errorf("%s: %q, %v", name, got[:n], err)
		}
		c.leave()
	}
}
