package sched_test

import (
	"testing"
	"time"

	"spate/sched"
)

// An origin that gives a byte to each connection is not asked as often as it answers.
func TestCrumbs(t *testing.T) {
	for _, tt := range []struct {
		name        string
		gives       int64
		least, most int // requests in 10 s, of answers that take 10 ms
	}{
		{"a byte each", 1, 20, 60},
		{"64 KiB each", 64 << 10, 400, 1100},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newScript(t, 100*mib, sched.Config{Connections: 1, RetryMax: time.Minute})
			p.start()
			n := 0
			for p.now < 10*time.Second {
				if opens := of(sched.Open, p.all); len(opens) > n {
					n = len(opens)
					c := opens[n-1].Conn
					p.opened(c, time.Millisecond)
					p.at[c] += tt.gives
					p.fail(c, sched.Network, 0)
				}
				p.pass(10*time.Millisecond, nil)
			}
			if len(of(sched.GiveUp, p.all)) > 0 || n < tt.least || n > tt.most {
				t.Errorf("%d requests", n)
			}
		})
	}
}
