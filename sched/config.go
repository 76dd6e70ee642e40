package sched

import "time"

// Range is the bytes [Off, End). End < 0 means to the end of the object, wherever that is.
type Range struct{ Off, End int64 }

// Len is the number of bytes; meaningless where End < 0.
func (r Range) Len() int64 { return r.End - r.Off }

// Source is one place that has the object. Actions name it by its index in Config.Sources.
type Source struct {
	Host     string // sources of one host share its ceiling; "" is a host of its own
	Priority int    // lower is asked first
}

// Order is where in the object work is done first.
type Order int

// Auto goes from the front, HeadTail has the last MiB early, Sequential stays strictly within Window of the frontier.
const (
	Auto Order = iota
	HeadTail
	Sequential
)

// Config is what a Scheduler needs to know beforehand. The zero value of each field but Sources and Size is its default.
type Config struct {
	Size        int64    // -1: not known before the first answer
	Sources     []Source // at least one
	Connections int      // 0: as many as pay, by a ramp; > 0: that many (1024 at most), as soon as the size is known
	PerHost     int      // connections per host, default 8, or Connections where that is more
	MinRange    int64    // no more connections than Size/MinRange, no shorter claim far from the end; default 1 MiB
	Order       Order
	Kept        int64         // > 0: of what is before the frontier only so much can be compared with
	Window      int64         // claims begin at most so far, or 4 s of all connections' rate, ahead of the frontier; 0: anywhere
	Done        []Range       // there already; only with a known Size
	PieceSize   int64         // > 0: pieces of that size are checked, Verified tells of each, and all is there once all are right
	RetryMax    time.Duration // how long to wait for a connection that was lost; default 10 min; below 0: not at all
	ReadTimeout time.Duration // how long the last source may be silent; default 30 s
	// Limited says that all connections share a limit of the caller's. Nothing is asked for twice then to have it earlier, and
	// a connection is not replaced for being slower than it was: neither could make the whole faster.
	Limited bool
	// Rand gives numbers in [0, 1) for jitter and for where a new mirror is compared; nil: always 0.5.
	Rand func() float64
}

// Limits that are the scheduler's own. They are documented where they are used.
const (
	minRange       = 1 << 20
	perHost        = 8
	seqWindow      = 32 << 20
	tailEarly      = 1 << 20
	retryMax       = 10 * time.Minute
	readTimeout    = 30 * time.Second
	probeLen       = 64 << 10
	maxConnections = 1024
	mirrorsAtOnce  = 5 // in automatic mode; the others stand by
	forever        = time.Duration(1<<63 - 1)
)

// Drain is how many bytes of an answer that was cut are worth reading to keep its HTTP/1.1 connection.
const Drain = 256 << 10

func (c Config) withDefaults() Config {
	def := func(p *int64, v int64) {
		if *p <= 0 {
			*p = v
		}
	}
	def(&c.MinRange, minRange)
	if c.RetryMax == 0 {
		c.RetryMax = retryMax
	}
	def((*int64)(&c.ReadTimeout), int64(readTimeout))
	c.Connections = min(max(c.Connections, 0), maxConnections)
	if c.PerHost <= 0 {
		c.PerHost = max(perHost, c.Connections)
	}
	c.PerHost = min(c.PerHost, maxConnections)
	if c.Order == Sequential {
		def(&c.Window, seqWindow)
	}
	if c.Rand == nil {
		c.Rand = func() float64 { return 0.5 }
	}
	return c
}
