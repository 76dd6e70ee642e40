package assemble

import (
	"cmp"
	"time"

	"spate/event"
	"spate/source"
	"spate/source/budget"
	"spate/source/limit"
)

// Options of [Open]. The zero value, and nil, mean the defaults.
type Options struct {
	Ahead        int            // parts opened ahead of the reader; 0: 16; 1: none
	Budget       *budget.Budget // of bytes read ahead; nil: one of its own, of the default size
	Hosts        *limit.Hosts   // of connections; nil: one of its own, with the default limit
	CacheMemory  int64          // bytes of parts marked (*) kept in memory, the rest on disk, sealed; 0: 16 MiB; below 0: none
	CacheDisk    int64          // bytes of them kept on disk; 0: 4 GiB; below 0: none
	MaxDepth     int            // manifests inside manifests, tail calls not counted; 0: 1000
	MaxIdleOpens int            // opens without a byte between them; 0: 100,000
	Events       event.Sink     // nil: none

	// Rewind, where set, takes back what was handed on from this offset of the stream on: what reads the stream is a
	// file. Without it, a part that proves corrupt after its bytes were handed on ends the stream.
	Rewind func(off int64) error

	// Begin, where set, is called once the URL has answered, before anything is handed on. What it returns is the beginning of
	// the stream, which is not handed on again; nil: there is none. Its error ends the stream.
	Begin func(info source.Info, manifest bool) (*Prior, error)
	// Place, where set, is told where the bytes come from that are handed on next. Its error ends the stream.
	Place func(p Place) error
}

const (
	defaultAhead       = 16
	defaultCacheMemory = 16 << 20
	defaultCacheDisk   = 4 << 30
	defaultMaxDepth    = 1000
	defaultIdleOpens   = 100_000
	maxIdleAgain       = 1000   // opens of a manifest that is open already
	maxIdleUnwinds     = 10_000 // alternatives of enclosing parts tried without a byte that is new
)

func (o *Options) withDefaults() Options {
	var v Options
	if o != nil {
		v = *o
	}
	v.Ahead = cmp.Or(v.Ahead, defaultAhead)
	v.CacheMemory = cmp.Or(v.CacheMemory, defaultCacheMemory)
	v.CacheDisk = cmp.Or(v.CacheDisk, defaultCacheDisk)
	v.MaxDepth = cmp.Or(v.MaxDepth, defaultMaxDepth)
	v.MaxIdleOpens = cmp.Or(v.MaxIdleOpens, defaultIdleOpens)
	if v.Budget == nil {
		v.Budget = &budget.Budget{}
	}
	if v.Hosts == nil {
		v.Hosts = &limit.Hosts{}
	}
	return v
}

// emit stamps e and hands it to the sink, if there is one.
func (o *Options) emit(e event.Event) {
	if o.Events != nil {
		e.Time = time.Now()
		o.Events(e)
	}
}
