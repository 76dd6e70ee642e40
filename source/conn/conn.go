// Package conn is what the drivers have in common that make their own connections, as there is no transport that does
// it for them: time-outs, idle connections, who the user is, and how failures of a connection are classed.
package conn

import "time"

// Timeouts are how long an exchange waits. One of 0 is its default, and a negative one means no limit. None of them
// bounds the whole transfer.
type Timeouts struct {
	Connect time.Duration // until the connection can be used: name, connecting, handshakes, greeting, login; 15 s
	Header  time.Duration // from then until the origin has answered; 30 s
	// Idle is how long a Read of a body waits for a byte; 20 s. The time in which nobody reads does not count.
	Idle time.Duration
}

// WithDefaults is t with its defaults filled in.
func (t Timeouts) WithDefaults() Timeouts {
	return Timeouts{
		Connect: orDefault(t.Connect, 15*time.Second),
		Header:  orDefault(t.Header, 30*time.Second),
		Idle:    orDefault(t.Idle, 20*time.Second),
	}
}

func orDefault(d, def time.Duration) time.Duration {
	if d == 0 {
		return def
	}
	return d
}
