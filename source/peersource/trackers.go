package peersource

import (
	"context"
	"slices"
	"sync"

	"spate/source/conn"
	"spate/swarm/peer"
	"spate/swarm/wire"
)

// maxNamed is of how many addresses in one answer anything is kept.
const maxNamed = 1024

// trackers are the connections to trackers, one to each. Those of which nobody waits for an answer are kept for a while.
type trackers struct {
	dial      peer.Dial
	isProxied bool
	idle      conn.Pool[*link]

	mu     sync.Mutex // guards what follows, and the users of links
	active map[string]*link
}

// A link is the connection to one tracker.
type link struct {
	*peer.Tracker
	begin func() // until end was called
	end   context.CancelFunc
	ended chan struct{}
	users int  // who wait for an answer
	isBad bool // it was lost: who comes next makes another
}

// Close ends the connection. Nobody may use it.
func (l *link) Close() error {
	l.end()
	<-l.ended
	return nil
}

// newLink makes a link, which connects by itself once it is begun. Whether a tracker can be asked much at once is found out by UDP, which
// does not go through a proxy.
func (t *trackers) newLink(addr string) *link {
	o := peer.TrackerOptions{Addr: addr, Dial: t.dial}
	if t.isProxied {
		o.Pace = peer.DefaultPace
	}
	ctx, cancel := context.WithCancel(context.Background()) // not a caller's: others share it
	l := &link{Tracker: peer.NewTracker(o), end: cancel, ended: make(chan struct{})}
	l.begin = func() {
		defer close(l.ended)
		l.Run(ctx)
	}
	return l
}

// locate asks the tracker at addr who has a chunk.
func (t *trackers) locate(ctx context.Context, addr string, chunk int) ([]wire.Addr, error) {
	l := t.take(addr)
	holders, err := l.Locate(ctx, chunk)
	t.leave(addr, l, err != nil && ctx.Err() == nil)
	if len(holders) > maxNamed {
		holders = slices.Clone(holders[:maxNamed])
	}
	return holders, err
}

// take uses the link to addr.
func (t *trackers) take(addr string) *link {
	if l := t.share(addr, nil); l != nil {
		return l
	}
	mine, isOpen := t.idle.Get(addr)
	if !isOpen {
		mine = t.newLink(addr)
	}
	l := t.share(addr, mine)
	isMine := l == mine // else somebody else was faster
	switch {
	case isMine && !isOpen:
		go mine.begin()
	case !isMine && isOpen:
		t.idle.Put(addr, mine)
	case !isMine:
		mine.end()
	}
	return l
}

// share uses the active link to addr, or makes it mine if there is none.
func (t *trackers) share(addr string, mine *link) *link {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.active[addr]
	if l == nil && mine != nil {
		l = mine
		t.active[addr] = l
	}
	if l != nil {
		l.users++
	}
	return l
}

// leave ends a use. A link that was lost would wait before it connects again, and that is for others to decide.
func (t *trackers) leave(addr string, l *link, isBad bool) {
	t.mu.Lock()
	l.users--
	l.isBad = l.isBad || isBad
	if t.active[addr] == l && (l.isBad || l.users == 0) {
		delete(t.active, addr)
	}
	isBad, users := l.isBad, l.users
	t.mu.Unlock()
	switch {
	case users > 0:
	case isBad:
		_ = l.Close()
	default:
		t.idle.Put(addr, l)
	}
}
