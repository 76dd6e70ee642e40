package conn

import (
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A door counts how often it was closed.
type door struct{ times atomic.Int32 }

func (d *door) Close() error { d.times.Add(1); return nil }

func (d *door) closed() int { return int(d.times.Load()) }

func TestPool(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p Pool[*door]
		a, b, c := &door{}, &door{}, &door{}
		p.Put("x", a)
		p.Put("x", b)
		p.Put("y", c)
		if got, ok := p.Get("z"); ok {
			t.Errorf("z: %v", got)
		}
		if got, ok := p.Get("x"); !ok || got != b {
			t.Error("x: not the one that was used last")
		}
		time.Sleep(idleTime - 1)
		if got, ok := p.Get("x"); !ok || got != a {
			t.Error("x: not the other one")
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if _, ok := p.Get("y"); ok || c.closed() != 1 {
			t.Errorf("y is there after %v, closed %d times", idleTime, c.closed())
		}
		time.Sleep(idleTime)
		synctest.Wait()
		if a.closed()+b.closed() != 0 {
			t.Error("what was taken has been closed")
		}
		p.Put("x", a)
		p.Put("y", b)
		p.CloseIdle()
		if a.closed() != 1 || b.closed() != 1 {
			t.Errorf("closed %d and %d times", a.closed(), b.closed())
		}
	})
}

func TestPoolIsBounded(t *testing.T) {
	tests := []struct {
		name      string
		max, keys int
		want      int
	}{
		{"of one key", 0, 1, maxIdlePerKey},
		{"of many keys", 0, 1000, maxIdle},
		{"as it says", 3, 1000, 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := Pool[*door]{Max: tt.max}
			defer p.CloseIdle()
			var all []*door
			for i := range tt.want + 2 {
				d := &door{}
				all = append(all, d)
				p.Put(fmt.Sprint(i%tt.keys), d)
			}
			for i, d := range all {
				if want := max(0, min(1, 2-i)); d.closed() != want {
					t.Errorf("the %dth was closed %d times, want %d", i, d.closed(), want)
				}
			}
			if p.Get("none"); tt.max > 0 && all[2].closed() != 1 {
				t.Error("there is no place for the one to come")
			}
		})
	}
}
