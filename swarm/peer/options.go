package peer

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/time/rate"

	"spate/event"
	"spate/format/checksum"
	"spate/swarm/actionlog"
	"spate/swarm/loopback"
	"spate/swarm/wire"
)

// Options are what a Peer has, and how it behaves. Store and Last are needed.
type Options struct {
	Store Store
	Last  int // the index of the last chunk, LASTCHUNK
	// Sum is the digest that a chunk must have; ok is false where none is known. Nil: of none. See [Folder.Sum].
	Sum func(chunk int) (sum checksum.Sum, ok bool, err error)

	Name string         // in the log of actions
	Log  *actionlog.Log // nil: none
	// Notes has Log say, besides the messages, what could not be verified, NAME,UNVERIFIED,CHUNK, and what is waited for,
	// NAME,WAITING,CHUNK. The assignment allows other lines (its section 5 (v)), but not every reader of its logs does. Events have both
	// in any case.
	Notes bool

	Tracker string        // host:port; "": [wire.DefaultTracker]
	Pace    time.Duration // see [TrackerOptions]
	SHA1    bool          // speak the dialect with hashes

	Host      string // to listen on; "": localhost, which is both loopback addresses
	Port      int    // 0: a free one
	Advertise string // HOST or HOST:PORT under which others reach this peer; "": found out

	// MaxChunk is how many bytes a chunk may have: nobody tells beforehand, and a giver that never ends would fill the disk. 0: 4 GiB,
	// or eight times as many as the largest chunk has that is certain. Where one is certain less is taken at first: eight times
	// as many, or 64 MiB, and double each time that it was too little.
	MaxChunk int64

	// Quiet is after how long without a new chunk it is told, and written into the log, what is waited for; again after twice as
	// long, and so on. 0: 10 s.
	Quiet time.Duration

	Once    bool          // end when all chunks are here
	SeedFor time.Duration // end so long after that; 0: never, or at once with Once

	Slots       int            // chunks that are sent at a time; 0: 2
	UploadLimit int64          // bytes a second; 0: none
	Allow       []netip.Prefix // who may fetch; none: everybody

	Events event.Sink // nil: nobody listens
}

// An OptionError is about an option whose value cannot be meant.
type OptionError struct{ Option, Value, Want string }

// Error reads "option "value": not what is wanted".
func (e *OptionError) Error() string { return fmt.Sprintf("%s %q: not %s", e.Option, e.Value, e.Want) }

// check looks for what cannot be meant.
func (o Options) check() error {
	_, port, err := net.SplitHostPort(o.Tracker)
	if n, aerr := strconv.Atoi(port); err != nil || aerr != nil || n < 1 || n > wire.MaxPort {
		return &OptionError{"tracker", o.Tracker, "HOST:PORT"}
	}
	if strings.ContainsFunc(o.Name, unicode.IsControl) {
		return &OptionError{"name", o.Name, "a name that a line of the log can begin with"}
	}
	return nil
}

func (o Options) withDefaults() Options {
	if o.Tracker == "" {
		o.Tracker = wire.DefaultTracker
	}
	if o.Host == "" {
		o.Host = loopback.Name
	}
	if o.Sum == nil {
		o.Sum = func(int) (checksum.Sum, bool, error) { return checksum.Sum{}, false, nil }
	}
	if o.Quiet <= 0 {
		o.Quiet = quietTime
	}
	if o.Events == nil {
		o.Events = func(event.Event) {}
	}
	return o
}

// burst is how many bytes are sent at once under a limit: what comes within a sixteenth of a second.
func (o Options) limiter() pacer {
	if o.UploadLimit <= 0 {
		return nil
	}
	return rate.NewLimiter(rate.Limit(o.UploadLimit), int(min(max(o.UploadLimit/16, 1), portion)))
}

// advertised is the address that others are told.
func (o Options) advertised(ctx context.Context, port int) (wire.Addr, error) {
	host := o.Host
	if o.Advertise != "" {
		var err error
		if host, port, err = splitAdvertise(o.Advertise, port); err != nil {
			return wire.Addr{}, err
		}
		return wire.Addr{Host: host, Port: port}, nil
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		var err error
		if host, err = localAddr(ctx, o.Tracker); err != nil {
			return wire.Addr{}, fmt.Errorf("which address others reach this peer at cannot be found out, it has to be given: %w", err)
		}
	}
	if loopback.Is(host) {
		host = loopback.Name
	}
	if addr := (wire.Addr{Host: host, Port: port}); addr.IsValid() {
		return addr, nil
	}
	return wire.Addr{}, &OptionError{"listen", host, "a host that others can be told"}
}

func splitAdvertise(s string, port int) (string, int, error) {
	host, text, err := net.SplitHostPort(s)
	if err != nil { // no port, perhaps an IPv6 address
		host, text = strings.Trim(s, "[]"), strconv.Itoa(port)
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > wire.MaxPort || !(wire.Addr{Host: host, Port: n}).IsValid() {
		return "", 0, &OptionError{"advertise", s, "HOST or HOST:PORT"}
	}
	return host, n, nil
}

// localAddr is the address from which this machine reaches the tracker. Nothing is sent for it.
func localAddr(ctx context.Context, tracker string) (string, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "udp", tracker)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).IP.String(), nil
}
