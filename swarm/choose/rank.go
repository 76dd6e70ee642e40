package choose

import (
	"hash/fnv"

	"spate/swarm/wire"
)

// A chunk belongs to the peer whose weight for it is the highest (rendezvous hashing): peers that know of each other agree on it without a
// message, so at a place that alone has many chunks each asks for others.

func hashOf(a wire.Addr) uint64 {
	h := fnv.New64a()
	h.Write([]byte(a.String())) // a hash takes everything
	return h.Sum64()
}

// weight of a peer for a chunk. FNV alone would order all chunks alike for addresses that differ in their last digit.
func weight(peer uint64, chunk int) uint64 {
	return mix(peer ^ mix(uint64(chunk)))
}

// mix is the finaliser of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// count takes a source into the ranks of this peer, or out of them.
func (c *Chooser) count(s *source, by int32) {
	for i := range c.chunks {
		if ch := &c.chunks[i]; !ch.here && weight(s.hash, i) > ch.weight {
			ch.rank += by
		}
	}
}
