package fill

import (
	"errors"
	"math"

	"spate/format/checksum"
	"spate/source"
)

var errNoRange = errors.New("it answers no ranges")

// ask asks for what the stream is to bring, and returns the answer once that has proved to be of the file.
func (r *running) ask() (*source.Resource, error) {
	o := r.o
	o.mu.Lock()
	o.core.asked(o.now(), r.stream)
	o.arm()
	rng := r.wanted()
	o.mu.Unlock()
	if rng.Len == 0 {
		return nil, errHalted // others have it all by now
	}
	res, err := r.open(rng)
	for better, ok := rng, true; err == nil && r.act.first; {
		if better, ok = r.better(better, res); !ok {
			break
		}
		res.Body.Close()
		res, err = r.open(better)
	}
	if err != nil {
		return nil, err
	}
	if err := r.accept(rng.Off, res); err != nil {
		res.Body.Close()
		return nil, err
	}
	return res, nil
}

// wanted is the range to ask for. o.mu is held.
func (r *running) wanted() source.Range {
	s := r.stream
	if r.o.core.single {
		return source.From(0)
	}
	off := s.want - s.before
	switch {
	case s.end != endless:
		return source.Range{Off: off, Len: max(s.end-off, 0)}
	case off == 0:
		return source.Range{Len: math.MaxInt64} // shows whether there are ranges
	}
	return source.From(off)
}

func (r *running) open(rng source.Range) (*source.Resource, error) {
	r.pool().count.requests.Add(1)
	return r.pool().opts.Source.Open(r.ctx, r.url(), rng)
}

// better is what to ask where the answer to rng, the first one of all, leaves open what the file is.
func (r *running) better(rng source.Range, res *source.Resource) (_ source.Range, ok bool) {
	whole := source.From(0)
	switch {
	case rng == whole:
		return rng, false
	case rng.Off > 0 && res.Len == 0 && res.Size >= 0: // it has no such bytes, and this may be no answer about those that it has
		return source.Range{Len: r.pool().opts.BlockSize}, true
	case res.Size < 0 && res.Len >= 0, rng.Len >= 0 && rng.Len < math.MaxInt64 && !res.Seekable:
		return whole, true // nothing says whether its end is that of the file
	}
	return rng, false
}

// accept takes an answer to a request from off on, or says why not.
func (r *running) accept(off int64, res *source.Resource) error {
	o, s := r.o, r.stream
	fresh, err := r.prepare(res)
	if err != nil {
		return err
	}
	defer func() {
		if fresh != nil { // another answer was there before
			o.letGo(fresh)
		}
	}()
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.dead != nil {
		return o.dead
	}
	if o.store == nil {
		o.store, fresh = fresh, nil
		o.info = res.Info
		o.core.learn(s.mirror, res.Size, res.Size < 0 || !res.Seekable && res.Size > 0, res.NamesBytes())
		o.settled.Store(res.Size >= 0)
	}
	if r.act.first { // which may have been asked otherwise than the core knows
		off = min(off, res.Off)
		s.want = min(s.want, res.Off)
	}
	if err := o.judge(s.mirror, off, res); err != nil {
		return err
	}
	r.end = endless
	if res.Len >= 0 {
		r.end = res.Off + res.Len
	} else if o.core.size >= 0 {
		r.end = o.core.size
	}
	o.core.answered(o.now(), s, res.Off, r.end)
	o.wakeAll()
	o.plan()
	return nil
}

// prepare opens the store of what answers first.
func (r *running) prepare(res *source.Resource) (*store, error) {
	o := r.o
	o.mu.Lock()
	isFirst, isNew := o.store == nil, o.firsts[r.stream.mirror] == nil
	o.mu.Unlock()
	if isNew && o.accept != nil {
		if err := o.accept(&res.Info); err != nil {
			return nil, wrong("open", r.url(), source.KindProtocol, err)
		}
	}
	if !isFirst {
		return nil, nil
	}
	return o.keeps(&res.Info), nil
}

// judge checks an answer of a mirror, to a request from off on, against what is known. o.mu is held.
func (o *object) judge(mirror int, off int64, res *source.Resource) error {
	c, url := o.core, o.mirrors[mirror]
	first := o.firsts[mirror]
	if cause := o.contradiction(first, res); cause != nil {
		err := wrong("open", url, source.KindChanged, cause)
		o.differs(mirror, err)
		return err
	}
	if first == nil {
		o.firsts[mirror] = &res.Info
		c.mirrors[mirror].named = res.NamesBytes()
	}
	switch {
	case c.size < 0 || c.size == 0:
	case res.Size < 0 && res.Len < 0 && !c.single:
		return wrong("open", url, source.KindProtocol, errNoSize)
	case res.Len == 0:
		return wrong("open", url, source.KindProtocol, errNoBytes)
	}
	o.confirmedBy(mirror, res)
	if res.Off == off || res.Off < off && (c.single || !o.hasOther(mirror)) {
		return nil
	}
	err := wrong("open", url, source.KindProtocol, errNoRange)
	if res.Off < off {
		o.differs(mirror, err)
	}
	return err
}

// contradiction is what an answer says that is not so of the file; nil if there is no such thing. o.mu is held.
func (o *object) contradiction(first *source.Info, res *source.Resource) error {
	size := o.core.size
	switch {
	case size >= 0 && res.Size >= 0 && res.Size != size:
		return errSize
	case size == 0 && res.Size == 0: // some tell nothing of what is empty, as there is no range of it
	case first != nil && !res.HasValidatorOf(first):
		return errIdentity
	case contradict(res.Digests, o.info.Digests):
		return errDigest
	}
	return nil
}

// contradict reports whether two sets of digests have different ones of the same algorithm.
func contradict(a, b []checksum.Sum) bool {
	for _, x := range a {
		for _, y := range b {
			if x.Algorithm == y.Algorithm && !x.Equal(y) {
				return true
			}
		}
	}
	return false
}

// hasOther reports whether another mirror may still be asked. o.mu is held.
func (o *object) hasOther(mirror int) bool {
	for i, m := range o.core.mirrors {
		if i != mirror && m.usable() {
			return true
		}
	}
	return false
}
