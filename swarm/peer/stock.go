package peer

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"time"

	"spate/event"
	"spate/format/checksum"
	"spate/swarm/choose"
	"spate/swarm/loopback"
	"spate/swarm/wire"
)

// takeStock looks at what is here already. What has not the digest that it must have is not given to others, and fetched.
func (p *Peer) takeStock(ctx context.Context) error {
	for _, chunk := range p.o.Store.Have() {
		if chunk < 1 || chunk > p.o.Last {
			return fmt.Errorf("chunk %d is here, and the last one is %d", chunk, p.o.Last)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		size, hash, err := p.look(chunk)
		if err != nil {
			return err
		}
		if size < 0 {
			continue
		}
		p.mu.Lock()
		p.have[chunk] = true
		p.judge.here(chunk, size)
		p.sha1[chunk] = hash
		p.mu.Unlock()
	}
	return nil
}

// look is how large a chunk is that is here, and its SHA-1 where that is needed; the size is -1 where it has not the
// digest that it must have.
func (p *Peer) look(chunk int) (size int64, hash string, err error) {
	sec, err := p.o.Store.Open(chunk)
	if err != nil {
		return 0, "", err
	}
	defer sec.Close()
	sum, isPromised, err := p.o.Sum(chunk)
	if err != nil {
		return 0, "", err
	}
	var set checksum.Set
	if isPromised {
		if err := set.Expect(sum); err != nil {
			return 0, "", err
		}
	}
	if isPromised || p.o.SHA1 {
		h := sha1.New()
		if _, err := io.Copy(io.MultiWriter(&set, h), sec.Reader()); err != nil {
			return 0, "", err
		}
		hash = hex.EncodeToString(h.Sum(nil))
	}
	if err := set.Verify(); err != nil {
		p.tell(event.Event{Type: event.Failed, Chunk: chunk, Origin: "file", Error: fmt.Sprintf("what is here is not used: %v", err)})
		return -1, "", nil
	}
	return sec.Len, hash, nil
}

// begin announces what is here.
func (p *Peer) begin() {
	p.mu.Lock()
	defer p.unlock()
	for chunk := 1; chunk <= p.o.Last; chunk++ {
		if p.have[chunk] {
			p.announce(chunk)
		}
	}
	p.checkComplete()
}

// strangersPatience is how long a request waits in the queue of a giver whom we know nothing of, before its chunk is
// asked for elsewhere, too. Whoever then begins first has the other dropped, which not all programs survive.
const strangersPatience = 3 * time.Second

// connected is called when the tracker is there. The first time it begins to ask: how, depends on whose tracker it is.
func (p *Peer) connected(isOurs bool) {
	p.mu.Lock()
	defer p.unlock()
	if p.chooser == nil {
		o := choose.Options{Self: p.names(), Last: p.o.Last}
		if !isOurs {
			o.Patience = strangersPatience
		}
		if size, isKnown := p.judge.common(); isKnown {
			o.ChunkSize = size
		}
		p.chooser = choose.New(o)
		for chunk := range p.have {
			p.chooser.Have(chunk)
		}
	}
	p.step()
}

// names are what a tracker may call this peer: some write the address that a message came from in place of that in it.
func (p *Peer) names() []wire.Addr {
	all := []wire.Addr{p.self}
	if loopback.Is(p.self.Host) {
		for _, host := range []string{loopback.Name, "127.0.0.1", "::1"} {
			all = append(all, wire.Addr{Host: host, Port: p.self.Port})
		}
	}
	return all
}

// announce tells the tracker of a chunk, once. It needs the lock.
func (p *Peer) announce(chunk int) {
	if p.told[chunk] {
		return
	}
	p.told[chunk] = true
	m := wire.Message{Command: wire.LocalChunks, Chunk: chunk, Addrs: []wire.Addr{p.self}}
	if p.o.SHA1 {
		m.SHA1 = p.sha1[chunk]
	}
	p.tracker.Announce(m)
}

// open opens a chunk that others may have.
func (p *Peer) open(chunk int) (Section, error) {
	p.mu.Lock()
	isHere := p.have[chunk]
	p.mu.Unlock()
	if !isHere {
		return Section{}, &fs.PathError{Op: "open", Path: ChunkName(chunk), Err: fs.ErrNotExist}
	}
	return p.o.Store.Open(chunk)
}

// checkComplete needs the lock.
func (p *Peer) checkComplete() {
	if len(p.have) < p.o.Last {
		return
	}
	select {
	case <-p.complete:
	default:
		close(p.complete)
		for _, chunk := range p.judge.unconfirmed() {
			p.later(event.Event{Type: event.Unverified, Chunk: chunk})
		}
		p.later(event.Event{Type: event.Done, Bytes: p.received.Bytes})
	}
}
