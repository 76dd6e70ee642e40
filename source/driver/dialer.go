package driver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"time"

	"spate/source"
)

// A Dialer connects as the user says.
type Dialer struct {
	Timeout time.Duration       // divided between a name's addresses; 0 and below: none
	Network string              // "tcp4" or "tcp6": connect by IPv4 or IPv6 alone; "": either
	Resolve map[string][]string // "host:port", lower case, to IP addresses, tried in order
	Allow   Allow               // nil: every address
}

// Allow decides whether to connect to addr, which is where host has led. It is asked once the name is resolved and
// before anything is sent, for each address, so that neither a redirect nor a name that changes what it stands for
// gets past it. Its error is of [source.KindRefused]. It is called from several goroutines.
type Allow func(host string, addr netip.AddrPort) error

// DialContext is that of [net.Dialer].
func (d *Dialer) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	plain := &net.Dialer{Timeout: max(d.Timeout, 0), ControlContext: d.control(addr)}
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

// control is what [net.Dialer] calls before it connects to an address of addr; nil for nothing.
func (d *Dialer) control(addr string) func(context.Context, string, string, syscall.RawConn) error {
	if d.Allow == nil {
		return nil
	}
	return func(_ context.Context, _, address string, _ syscall.RawConn) error {
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			return err
		}
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		if err := d.Allow(host, at); err != nil {
			return Classed(source.KindRefused, fmt.Errorf("connect to %s (%s): %w", host, at.Addr(), err))
		}
		return nil
	}
}
