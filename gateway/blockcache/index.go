package blockcache

import (
	"encoding/binary"
	"errors"
	"math"

	"spate/internal/seal"
)

const (
	indexName  = "index"
	indexMagic = "spate blocks 1\n\n"

	maxRuns = math.MaxUint16 - 1
)

var errIndex = errors.New("blockcache: the index makes no sense")

// An index is what a cache has that outlives its process, sealed: magic, salt, and what follows under the key of that salt.
// Numbers are varints, texts have their length before them.
//
//	1 if there is a file per block, else 0; the size of pages
//	runs, and the salt of each
//	objects; of each name, version, size + 1, block size, salt, last use in s since 1970
//	blocks, the least recently used first; of each the object's number, index, size, the run's number
type index struct {
	perBlock bool
	page     int64
	salts    [][]byte
	objects  []indexObject
	blocks   []indexBlock
}

type indexObject struct {
	id   ID
	salt []byte
	used int64
}

type indexBlock struct {
	object int
	index  int64
	size   int
	run    int
}

func (k *keys) sealIndex(p []byte) ([]byte, error) {
	salt := newSalt()
	box, err := seal.Derive(k.secret, salt, "index")
	if err != nil {
		return nil, err
	}
	head := append([]byte(indexMagic), salt...)
	return box.Seal(head, p, []byte(indexMagic)), nil
}

// openIndex reads a sealed index.
func (k *keys) openIndex(p []byte) (*index, error) {
	const head = len(indexMagic) + saltSize
	if len(p) < head || string(p[:len(indexMagic)]) != indexMagic {
		return nil, errIndex
	}
	box, err := seal.Derive(k.secret, p[len(indexMagic):head], "index")
	if err != nil {
		return nil, err
	}
	plain, err := box.Open(nil, p[head:], []byte(indexMagic))
	if err != nil {
		return nil, err
	}
	return parseIndex(plain)
}

func (x *index) append(p []byte) []byte {
	num := func(n int64) { p = binary.AppendUvarint(p, uint64(n)) }
	text := func(s string) { num(int64(len(s))); p = append(p, s...) }
	if x.perBlock {
		num(1)
	} else {
		num(0)
	}
	num(x.page)
	num(int64(len(x.salts)))
	for _, s := range x.salts {
		p = append(p, s...)
	}
	num(int64(len(x.objects)))
	for _, o := range x.objects {
		text(o.id.Name)
		text(o.id.Version)
		num(o.id.Size + 1)
		num(int64(o.id.BlockSize))
		p = append(p, o.salt...)
		num(o.used)
	}
	num(int64(len(x.blocks)))
	for _, b := range x.blocks {
		num(int64(b.object))
		num(b.index)
		num(int64(b.size))
		num(int64(b.run))
	}
	return p
}

// parseIndex reads what append has written. What does not make sense in any way is an error.
func parseIndex(p []byte) (*index, error) {
	r := &indexReader{p: p}
	x := &index{perBlock: r.num(1) == 1, page: r.num(maxPage)}
	for range r.count(maxRuns, saltSize) {
		x.salts = append(x.salts, r.bytes(saltSize))
	}
	for range r.count(math.MaxInt32, 5+saltSize) {
		x.objects = append(x.objects, r.object())
	}
	for range r.count(math.MaxInt32, 4) {
		x.blocks = append(x.blocks, r.block(x))
	}
	if r.err != nil || len(r.p) > 0 || x.page < minPage || x.repeats() {
		return nil, errIndex
	}
	return x, nil
}

// repeats is whether an object or a block is there twice.
func (x *index) repeats() bool {
	type place struct {
		object int
		index  int64
	}
	ids, places := map[ID]bool{}, map[place]bool{}
	for _, o := range x.objects {
		ids[o.id] = true
	}
	for _, b := range x.blocks {
		places[place{b.object, b.index}] = true
	}
	return len(ids) < len(x.objects) || len(places) < len(x.blocks)
}

// An indexReader reads until something is wrong; then everything is zero.
type indexReader struct {
	p   []byte
	err error
}

func (r *indexReader) num(most int64) int64 {
	v, n := binary.Uvarint(r.p)
	if r.err != nil || n <= 0 || v > uint64(most) {
		r.err = errIndex
		return 0
	}
	r.p = r.p[n:]
	return int64(v)
}

// count is of things of which each takes size bytes at least.
func (r *indexReader) count(most, size int64) int64 {
	return r.num(min(most, int64(len(r.p))/size))
}

func (r *indexReader) bytes(n int64) []byte {
	if r.err != nil || n > int64(len(r.p)) {
		r.err = errIndex
		return nil
	}
	b := r.p[:n:n]
	r.p = r.p[n:]
	return b
}

func (r *indexReader) text() string { return string(r.bytes(r.num(int64(len(r.p))))) }

func (r *indexReader) object() indexObject {
	id := ID{Name: r.text(), Version: r.text(), Size: r.num(math.MaxInt64) - 1, BlockSize: int(r.num(MaxBlockSize))}
	if id.BlockSize == 0 {
		r.err = errIndex
	}
	return indexObject{id, r.bytes(saltSize), r.num(math.MaxInt64)}
}

func (r *indexReader) block(x *index) indexBlock {
	b := indexBlock{object: int(r.num(int64(len(x.objects)) - 1))}
	if r.err != nil || b.object >= len(x.objects) {
		r.err = errIndex
		return b
	}
	b.index, b.size, b.run = r.num(maxIndex), int(r.num(MaxBlockSize)), int(r.num(int64(len(x.salts))-1))
	if b.run >= len(x.salts) || x.objects[b.object].id.check(b.index, b.size) != nil {
		r.err = errIndex
	}
	return b
}
