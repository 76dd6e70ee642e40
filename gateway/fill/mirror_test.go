package fill

import (
	"slices"
	"testing"
	"time"
)

// What was under way when a mirror failed, and fails as well, is the same failure: an origin that resets all of its connections has had
// one of its tries.
func TestFailingTogetherIsOneFailure(t *testing.T) {
	p := newScript(t, 1, true)
	for i := range int64(4) {
		p.reader(i*60*sblk, endless)
	}
	for _, wait := range []time.Duration{time.Second, backoffMin} { // the origin says when, the first time
		if got := p.plan(); len(got) != 4 {
			t.Fatalf("at %v: %q", p.now, got)
		}
		for _, s := range slices.Clone(p.c.streams) {
			p.c.failed(p.now, s, failure{wait: wait})
		}
		if m := p.c.mirrors[0]; m.until != p.now+wait {
			t.Fatalf("after %d failures it is asked at %v", m.fails, m.until)
		}
		p.now += wait
	}
	if got := p.plan(); len(got) != 4 {
		t.Fatalf("the last try: %q", got)
	}
	for _, s := range slices.Clone(p.c.streams) {
		p.c.failed(p.now, s, failure{})
	}
	p.expects("fail", "fail", "fail", "fail")
}

// Where nobody waits for what all mirrors have failed to bring, they are asked again after a while, not at once and again and again, and
// as often as for anybody else once somebody does wait.
func TestFailureThatNobodyWaitsFor(t *testing.T) {
	p := newScript(t, 1, true)
	r := p.reader(0, sblk)
	r.waits = false
	p.expects("begin 0-1 of 0")
	p.c.failed(p.now, p.c.find(1), failure{lasting: true})
	p.expects()
	if at := p.c.wake(); at != pause {
		t.Fatalf("wakes at %v", at)
	}
	p.expects()
	p.now = pause
	p.expects("begin 0-1 of 0")
	p.c.failed(p.now, p.c.find(2), failure{})
	p.expects()
	r.waits = true
	for id := 3; id < 3+tries; id++ {
		p.expects("begin 0-1 of 0")
		p.c.failed(p.now, p.c.find(id), failure{})
		p.now += backoffMin
	}
	p.expects("fail")
}
