package driver

import (
	"cmp"
	"context"
	"errors"
	"net"
	"strings"
	"time"
)

// A Dialer connects as the user says.
type Dialer struct {
	Timeout time.Duration       // divided between a name's addresses; 0 and below: none
	Network string              // "tcp4" or "tcp6": connect by IPv4 or IPv6 alone; "": either
	Resolve map[string][]string // "host:port", lower case, to IP addresses, tried in order
}

// DialContext is that of [net.Dialer].
func (d *Dialer) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	plain := &net.Dialer{Timeout: max(d.Timeout, 0)}
	network = cmp.Or(d.Network, network)
	ips := d.Resolve[strings.ToLower(addr)]
	if len(ips) == 0 {
		return plain.DialContext(ctx, network, addr)
	}
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, ip := range ips {
		c, err := plain.DialContext(ctx, network, net.JoinHostPort(ip, port))
		if err == nil {
			return c, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}
