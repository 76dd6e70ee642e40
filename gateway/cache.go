package gateway

import (
	"spate/gateway/blockcache"
	"spate/gateway/fill"
)

// Blocks has a pool keep its blocks in c. Neither knows the other.
func Blocks(c *blockcache.Cache) fill.Cache { return blocks{c} }

type blocks struct{ cache *blockcache.Cache }

// Object opens what the pool has just been told of by an origin: blocks of an earlier process, of the same version, are as good as
// any.
func (b blocks) Object(id fill.ID) (fill.Blocks, error) {
	o, err := b.cache.Object(blockcache.ID{Name: id.Name, Version: id.Version, Size: id.Size, BlockSize: id.BlockSize})
	if err != nil {
		return nil, err
	}
	o.Confirm(true)
	return o, nil
}
