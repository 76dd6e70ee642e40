package fill

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"spate/internal/redact"
	"spate/source"
)

// errReplaced is for who has opened what is not the current version any more.
var errReplaced = errors.New("replaced")

// An object is one version of one file: a core, and what carries out what it says.
//
// Locks: object.mu, then one of Pool's and slots', or that of store, then that of memory. None is held over I/O.
type object struct {
	pool    *Pool
	key     string
	mirrors []string
	accept  func(*source.Info) error
	hashes  Hashes
	begun   time.Time

	condemned int // how often its bytes were wrong before
	ctx       context.Context
	cancel    context.CancelFunc
	wg        sync.WaitGroup // of its streams

	// Guarded by Pool.mu.
	users   atomic.Int32 // changed with Pool.mu held
	left    int          // counts who came, so that an expiry knows whether it is the last
	expiry  *time.Timer
	idle    *list.Element // of Pool.idle; nil: somebody uses it
	settled atomic.Bool   // it is worth remembering

	mu        sync.Mutex
	core      *core
	info      source.Info             // of the founder's first answer
	firsts    []*source.Info          // each mirror's first answer
	errs      []error                 // why each mirror failed last
	confirmed time.Time               // when an answer last said that this is the current version
	store     *store                  // nil: no answer yet
	bufs      map[int64]*slab         // of parts
	opening   map[int64]chan struct{} // blocks that are being read from the cache
	running   map[*stream]*running
	readers   map[*reader]*Reader
	timer     *time.Timer
	checking  *check
	dead      error
	isWrong   bool // some of its bytes are
}

func newObject(ctx context.Context, p *Pool, key string, what What) *object {
	o := &object{pool: p, key: key, mirrors: what.Mirrors, accept: what.Accept, hashes: what.Hashes, begun: time.Now(),
		firsts: make([]*source.Info, len(what.Mirrors)), errs: make([]error, len(what.Mirrors)), bufs: map[int64]*slab{},
		opening: map[int64]chan struct{}{}, running: map[*stream]*running{}, readers: map[*reader]*Reader{}}
	o.ctx, o.cancel = context.WithCancel(ctx)
	var ms []*mirror
	for _, m := range what.Mirrors {
		ms = append(ms, &mirror{host: hostOf(m)})
	}
	o.core = newCore(p.opts.BlockSize, ms)
	o.core.most = p.opts.PerFile
	o.core.has = func(index int64) bool { return o.store != nil && o.store.has(index) }
	o.core.room = o.room
	o.core.fill = p.opts.Fill
	o.core.used = func() bool { return o.users.Load() > 0 }
	return o
}

// heed has mirrors not asked that were wrong, and blocks not used that may be.
func (o *object) heed(v verdict) {
	o.condemned = v.count
	if time.Now().After(v.until) {
		return
	}
	for i, err := range v.mirrors {
		o.core.mirrors[i].aside, o.errs[i] = true, err
	}
}

// condemn ends o: some of its bytes are wrong, as err says.
func (o *object) condemn(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.dead != nil {
		return
	}
	wrong := map[int]error{}
	for i, m := range o.core.mirrors {
		if m.gave || i == o.core.founder {
			wrong[i] = err
			o.pool.opts.Log.Warn("mirror set aside", "url", redact.URL(o.mirrors[i]), "error", err)
		}
	}
	o.pool.count.corrupt.Add(1)
	o.pool.count.aside.Add(int64(len(wrong)))
	o.pool.condemn(o, wrong)
	o.isWrong = true
	o.die(err)
}

func hostOf(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Host)
}

// room is how far ahead may be read: where blocks stay in memory alone, no more than is still there when it is wanted.
func (o *object) room() int64 {
	if o.store == nil || !o.store.isBounded() {
		return mostAhead
	}
	return min(mostAhead, o.pool.opts.Memory/(2*max(1, o.pool.open.Load())))
}

func (o *object) now() time.Duration { return time.Since(o.begun) }

// plan carries out what the core says. o.mu is held.
func (o *object) plan() {
	if o.dead == nil {
		o.carryOut(o.core.plan(o.now()))
	}
}

// planFor is plan where only r has changed. o.mu is held.
func (o *object) planFor(r *reader) {
	if o.dead == nil {
		o.carryOut(o.core.planFor(o.now(), r))
	}
}

// settle is plan where somebody has left. o.mu is held.
func (o *object) settle() {
	if o.dead == nil {
		o.carryOut(o.core.settle(o.now()))
	}
}

func (o *object) carryOut(actions []action) {
	for _, a := range actions {
		switch a.kind {
		case begin:
			o.begin(a)
		case halt:
			if r := o.running[a.stream]; r != nil { // else it has ended by itself
				r.cancel(errHalted)
			}
		case fail:
			o.readers[a.reader].fail(joined(o.errs))
		case rouse:
			o.readers[a.reader].rouse()
		}
	}
	for b := range o.bufs {
		if o.core.parts[b] == nil {
			o.dropBuf(b)
		}
	}
	o.noteCounts()
	o.rank()
	o.arm()
}

// dropBuf lets go what is there of block b. o.mu is held.
func (o *object) dropBuf(b int64) {
	if buf := o.bufs[b]; buf != nil {
		delete(o.bufs, b)
		buf.release()
	}
}

// begin starts a stream. o.mu is held.
func (o *object) begin(a action) {
	ctx, cancel := context.WithCancelCause(o.ctx)
	r := &running{o: o, stream: a.stream, act: a, ctx: ctx, cancel: cancel, wake: make(chan struct{}, 1)}
	r.slot.host, r.slot.object = o.core.mirrors[a.stream.mirror].host, o
	r.slot.revoke = func() { cancel(errRevoked) }
	r.slot.prio.Store(int32(o.core.priority(a.stream)))
	o.running[a.stream] = r
	o.wg.Go(r.run)
}

// rank tells whoever gives out connections who is waited for, and streams that somebody wants more of them. o.mu is held.
func (o *object) rank() {
	changed := false
	for _, s := range o.core.streams {
		r := o.running[s]
		s.prio = o.core.priority(s)
		changed = r.slot.prio.Swap(int32(s.prio)) != int32(s.prio) || changed
		if o.core.quota(s) > s.off || o.core.over(s) {
			r.rouse()
		}
	}
	if changed {
		o.pool.slots.poke()
	}
}

// arm sets the timer. o.mu is held.
func (o *object) arm() {
	at := o.core.wake()
	if at == endless {
		if o.timer != nil {
			o.timer.Stop()
		}
		return
	}
	d := max(at-o.now(), time.Millisecond)
	if o.timer == nil {
		o.timer = time.AfterFunc(d, o.tick)
		return
	}
	o.timer.Reset(d)
}

func (o *object) tick() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.plan()
}

// wakeReaders tells those who wait for block b. o.mu is held.
func (o *object) wakeReaders(b int64) {
	for r, to := range o.readers {
		if r.waits && o.core.index(r.pos) == b {
			to.rouse()
		}
	}
}

// wakeAll tells all readers. o.mu is held.
func (o *object) wakeAll() {
	for _, r := range o.readers {
		r.rouse()
	}
}

// die ends o with err for whoever uses it. o.mu is held.
func (o *object) die(err error) {
	if o.dead != nil {
		return
	}
	o.dead = err
	o.settled.Store(false)
	if o.timer != nil {
		o.timer.Stop()
	}
	o.cancel()
	o.wakeAll()
	o.pool.replace(o)
}

// shut ends o and returns when no goroutine of it is left.
func (o *object) shut(err error) {
	o.mu.Lock()
	o.die(err)
	o.mu.Unlock()
	o.wg.Wait()
	o.mu.Lock()
	s, isWrong := o.store, o.isWrong
	o.store = nil
	o.mu.Unlock()
	if s != nil && isWrong {
		s.drop()
	}
	if s != nil {
		o.letGo(s)
	}
}

// differs has a mirror set aside that has something else, because of err. If there is no other, that is the end of o. If the
// founder has changed, the next Open begins anew. o.mu is held.
func (o *object) differs(mirror int, err error) {
	if o.dead != nil || o.core.mirrors[mirror].aside {
		return
	}
	o.errs[mirror] = err
	if o.core.known && mirror == o.core.founder && errors.Is(err, source.ErrChanged) {
		o.pool.count.changed.Add(1)
		o.pool.replace(o)
	}
	o.pool.opts.Log.Warn("mirror set aside", "url", redact.URL(o.mirrors[mirror]), "error", err)
	o.pool.count.aside.Add(1)
	if !o.core.setAside(mirror) {
		o.die(joined(o.errs))
		return
	}
	o.plan()
}

// keeps opens what keeps the blocks of a file as info tells it to be.
func (o *object) keeps(info *source.Info) *store {
	p := o.pool
	st := &store{mem: p.mem, slabs: &p.slabs, lost: map[int64]bool{}}
	if p.opts.Cache == nil {
		return st
	}
	id := ID{Name: o.key, Size: info.Size, BlockSize: int(p.opts.BlockSize)}
	if info.NamesBytes() && info.Size >= 0 && len(o.mirrors) == 1 {
		id.Version = fmt.Sprintf("%s %d", info.Validator, o.condemned)
	} else {
		id.Version = fmt.Sprintf("%s %d", p.nonce, p.number()) // nobody else's
	}
	var err error
	if st.disk, err = p.opts.Cache.Object(id); err != nil {
		p.opts.Log.Warn("no cache", "url", redact.URL(o.mirrors[0]), "error", err)
		st.disk = nil
	}
	return st
}

// letGo closes a store.
func (o *object) letGo(s *store) {
	if err := s.close(); err != nil {
		o.pool.opts.Log.Warn("closing blocks", "url", redact.URL(o.mirrors[0]), "error", err)
	}
}
