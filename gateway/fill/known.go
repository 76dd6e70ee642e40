package fill

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"spate/source"
)

// Known is the file of the mirrors as far as it is known, whatever its age, without asking anybody; nil: it is not. The File is to be
// closed. ctx says whether the mirrors are vouched for, as that of Open does.
func (p *Pool) Known(ctx context.Context, mirrors []string) *File {
	p.mu.Lock()
	o := p.objects[keyOf(mirrors, source.IsVouched(ctx))]
	if o == nil || p.closed {
		p.mu.Unlock()
		return nil
	}
	p.taken(o)
	p.mu.Unlock()
	o.mu.Lock()
	ok := o.core.known && o.dead == nil && o.isJoinable()
	o.mu.Unlock()
	if !ok {
		p.release(o)
		return nil
	}
	return &File{o: o}
}

// Forget has the next Open of the mirrors ask them what the file is, as if nobody knew. Whoever has it open goes on.
func (p *Pool) Forget(mirrors []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, vouched := range []bool{false, true} {
		o := p.objects[keyOf(mirrors, vouched)]
		if o == nil {
			continue
		}
		p.forget(o)
		if o.users.Load() == 0 {
			p.drop(o)
		}
	}
}

func keyOf(mirrors []string, vouched bool) string {
	key := strings.Join(mirrors, "\x00")
	if vouched {
		return "vouched\x00" + key
	}
	return key
}

// Confirmed is since when the file is known to be what its mirrors have: no answer that said so was asked for later. Header of
// Info is that of this answer, or of a later one.
func (f *File) Confirmed() time.Time {
	f.o.mu.Lock()
	defer f.o.mu.Unlock()
	return f.o.confirmed
}

// Has reports whether all bytes of the file are there, so that nobody needs to be asked for them.
func (f *File) Has() bool {
	o := f.o
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.core.size < 0 || o.dead != nil {
		return false
	}
	for b := int64(0); o.core.from(b) < o.core.size; b++ {
		if !o.core.there(b) {
			return false
		}
	}
	return true
}

// confirmedBy notes that an answer of mirror has said that o is what it has. Its header tells anew what is not told apart by versions, such
// as for how long that holds. o.mu is held.
func (o *object) confirmedBy(mirror int, res *source.Resource) {
	o.confirmed = time.Now().Add(-res.Conn.Setup)
	if mirror != o.core.founder || len(res.Header) == 0 {
		return
	}
	merged := maps.Clone(o.info.Header)
	if merged == nil {
		merged = map[string][]string{}
	}
	isNew := false
	for name, values := range res.Header {
		if !slices.Equal(merged[name], values) {
			merged[name], isNew = values, true
		}
	}
	if isNew {
		o.info.Header = merged
	}
}
