package tracker

import (
	"strings"
	"sync"
	"sync/atomic"

	"spate/swarm/wire"
)

// A registry is who has which chunk, in the order in which it was said. It is kept whatever becomes of the connection on
// which that was. It holds no pointers but those of hosts and hashes, so that a million registrations are nothing to
// the garbage collector.
type registry struct {
	bound int64         // of memory
	turn  atomic.Uint32 // which part of the lists that are too long to be told in full comes next

	mu     sync.RWMutex
	memory int64 // what all of this takes, estimated from above
	regs   []registration
	at     map[holding]int32 // where in regs
	chunks map[int32]list    // their holders
	addrs  []peer            // by number
	addrID map[wire.Addr]int32
	hashes []string // by number, as first written; 0 is none
	hashID map[string]int32
	hashed int // registrations with a hash
}

type peer struct {
	addr   wire.Addr
	isDead bool // did not answer when it was last asked
}

type holding struct{ chunk, addr int32 }

type registration struct {
	holding
	hash int32
	next int32 // in regs, of the same chunk; -1: the last one
}

type list struct{ first, last, n int32 }

// What things take at most, with what maps and slices leave empty. TestMillion has it measured.
const (
	registrationCost = 96
	chunkCost        = 64
	addrCost         = 192 // and the host
	hashCost         = 192
)

// mostMemory keeps numbers within 32 bits.
const mostMemory = 1<<31*registrationCost - 1

func newRegistry(bound int64) *registry {
	return &registry{bound: min(bound, mostMemory), at: map[holding]int32{}, chunks: map[int32]list{}, addrID: map[wire.Addr]int32{},
		hashes: []string{""}, hashID: map[string]int32{}}
}

// A verdict is what became of a registration.
type verdict uint8

const (
	known    verdict = iota // it was there
	added                   // it is there now
	replaced                // it was there with another hash, or none
	refused                 // there is no room
)

// add registers m, a LocalChunks. A client that has said the hash of a chunk does not take it back by saying nothing of
// it, only by saying another.
func (r *registry) add(m wire.Message) verdict {
	r.mu.Lock()
	defer r.mu.Unlock()
	addr, isKnown := r.addrID[m.Addrs[0]]
	if i, ok := r.at[holding{int32(m.Chunk), addr}]; ok && isKnown {
		return r.rehash(i, m.SHA1)
	}
	if r.memory+r.cost(m) > r.bound {
		return refused
	}
	r.memory += r.cost(m)
	if !isKnown {
		addr = int32(len(r.addrs))
		r.addrs = append(r.addrs, peer{addr: m.Addrs[0]})
		r.addrID[m.Addrs[0]] = addr
	}
	r.addrs[addr].isDead = false
	r.link(holding{int32(m.Chunk), addr}, r.hash(m.SHA1))
	return added
}

// link puts a registration behind those of its chunk.
func (r *registry) link(h holding, hash int32) {
	i := int32(len(r.regs))
	r.regs = append(r.regs, registration{h, hash, -1})
	r.at[h] = i
	l, ok := r.chunks[h.chunk]
	if ok {
		r.regs[l.last].next = i
	} else {
		l.first = i
	}
	l.last = i
	l.n++
	r.chunks[h.chunk] = l
	if hash != 0 {
		r.hashed++
	}
}

func (r *registry) rehash(i int32, sha1 string) verdict {
	reg := &r.regs[i]
	r.addrs[reg.addr].isDead = false
	if sha1 == "" || strings.EqualFold(sha1, r.hashes[reg.hash]) {
		return known
	}
	if _, ok := r.hashID[strings.ToLower(sha1)]; !ok {
		if r.memory+hashCost > r.bound {
			return refused
		}
		r.memory += hashCost
	}
	if reg.hash == 0 {
		r.hashed++
	}
	reg.hash = r.hash(sha1)
	return replaced
}

// cost is what registering m, which is new, takes.
func (r *registry) cost(m wire.Message) int64 {
	cost := int64(registrationCost)
	if _, ok := r.chunks[int32(m.Chunk)]; !ok {
		cost += chunkCost
	}
	if _, ok := r.addrID[m.Addrs[0]]; !ok {
		cost += addrCost + int64(len(m.Addrs[0].Host))
	}
	if _, ok := r.hashID[strings.ToLower(m.SHA1)]; m.SHA1 != "" && !ok {
		cost += hashCost
	}
	return cost
}

// hash is the number of sha1.
func (r *registry) hash(sha1 string) int32 {
	if sha1 == "" {
		return 0
	}
	lower := strings.ToLower(sha1)
	id, ok := r.hashID[lower]
	if !ok {
		id = int32(len(r.hashes))
		r.hashes = append(r.hashes, sha1)
		r.hashID[lower] = id
	}
	return id
}

// locate answers a WhereChunk. In the plain dialect all who have the chunk are named; in the one with hashes, those who
// agree on its hash, if that are two: of several such hashes the one that most agree on. Who was found dead comes last.
func (r *registry) locate(chunk int, isHashed bool) wire.Message {
	r.mu.RLock()
	defer r.mu.RUnlock()
	l, ok := r.chunks[int32(chunk)]
	hash := int32(0)
	if ok && isHashed {
		hash = r.agreed(l)
		ok = hash != 0
	}
	if !ok {
		return wire.Message{Command: wire.LocationUnknown, Chunk: chunk}
	}
	m := wire.Message{Command: wire.GetChunkFrom, Chunk: chunk, SHA1: r.hashes[hash]}
	m.Addrs = r.fitting(r.holders(l, hash), wire.MaxMessage-len(m.Append(nil)))
	return m
}

// agreed is the hash that most of l say, if that are two or more; 0: none.
func (r *registry) agreed(l list) (best int32) {
	if r.hashed == 0 {
		return 0
	}
	votes := map[int32]int{}
	for i := l.first; i >= 0; i = r.regs[i].next {
		votes[r.regs[i].hash]++
	}
	most := 1
	for i := l.first; i >= 0; i = r.regs[i].next { // in order, so that the earlier one of two wins
		if h := r.regs[i].hash; h != 0 && votes[h] > most {
			best, most = h, votes[h]
		}
	}
	return best
}

// holders are the numbers of those in l with that hash, or of all for 0; the dead are last.
func (r *registry) holders(l list, hash int32) []int32 {
	ids := make([]int32, 0, l.n)
	var dead []int32
	for i := l.first; i >= 0; i = r.regs[i].next {
		reg := r.regs[i]
		switch {
		case hash != 0 && reg.hash != hash:
		case r.addrs[reg.addr].isDead:
			dead = append(dead, reg.addr)
		default:
			ids = append(ids, reg.addr)
		}
	}
	return append(ids, dead...)
}

// fitting are the addresses of ids, or as many as fit into size bytes: the next ones each time, or the first would serve
// all.
func (r *registry) fitting(ids []int32, size int) []wire.Addr {
	need := 0
	for _, id := range ids {
		need += r.length(id)
	}
	start := 0
	if need > size {
		start = int(r.turn.Load() % uint32(len(ids)))
	}
	var fit []wire.Addr
	for i := range ids {
		id := ids[(start+i)%len(ids)]
		if size -= r.length(id); size < 0 {
			r.turn.Add(uint32(i))
			break
		}
		if fit == nil {
			fit = make([]wire.Addr, 0, len(ids))
		}
		fit = append(fit, r.addrs[id].addr)
	}
	return fit
}

// length is what an address takes in a list at most.
func (r *registry) length(id int32) int { return len(r.addrs[id].addr.Host) + len(",,65535") }

// isHashed tells whether all that is registered has a hash, which is what is taken for the dialect of who has not
// registered anything.
func (r *registry) isHashed() bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.hashed > 0 && r.hashed == len(r.regs)
}

// extent counts registrations, chunks and addresses.
func (r *registry) extent() (regs, chunks, addrs int) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return len(r.regs), len(r.chunks), len(r.addrs)
}

// from returns up to n registrations, beginning with number i, as the messages that they came by.
func (r *registry) from(i, n int) []wire.Message {
	r.mu.RLock()
	defer r.mu.RUnlock()
	i = min(i, len(r.regs))
	var list []wire.Message
	for _, reg := range r.regs[i:min(i+n, len(r.regs))] {
		list = append(list, wire.Message{Command: wire.LocalChunks, Chunk: int(reg.chunk), SHA1: r.hashes[reg.hash],
			Addrs: []wire.Addr{r.addrs[reg.addr].addr}})
	}
	return list
}

// peer returns the address of number i.
func (r *registry) peer(i int) (wire.Addr, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if i >= len(r.addrs) {
		return wire.Addr{}, false
	}
	return r.addrs[i].addr, true
}

// mark notes whether the address of number i did not answer.
func (r *registry) mark(i int, isDead bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.addrs[i].isDead = isDead
}
