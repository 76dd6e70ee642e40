// Package loopback listens where the programs of a swarm are reached.
package loopback

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"syscall"

	"spate/swarm/wire"
)

// Name is the host that stands for both loopback addresses: programs resolve it to the one or the other.
const Name = wire.Localhost

// attempts is how many free ports are tried until one is free on both addresses.
const attempts = 16

// Listen listens on host and port over TCP, and returns the port. [Name] is 127.0.0.1 and ::1 on the same port, or one of
// the two where the machine does not have the other; an empty host is every address. Port 0 is a free one. A port that is
// taken on either address is an error that is [syscall.EADDRINUSE]: who connects to the name could get the other program.
func Listen(ctx context.Context, host string, port int) ([]net.Listener, int, error) {
	if !strings.EqualFold(host, Name) {
		l, err := listen(ctx, host, port)
		if err != nil {
			return nil, 0, err
		}
		return []net.Listener{l}, PortOf(l), nil
	}
	for n := 1; ; n++ {
		all, err := listenBoth(ctx, port)
		if err == nil {
			return all, PortOf(all[0]), nil
		}
		if port != 0 || n == attempts || !errors.Is(err, syscall.EADDRINUSE) {
			return nil, 0, err
		}
	}
}

func listenBoth(ctx context.Context, port int) ([]net.Listener, error) {
	four, err4 := listen(ctx, "127.0.0.1", port)
	if err4 != nil && !isAbsent(err4) {
		return nil, err4
	}
	if four != nil {
		port = PortOf(four)
	}
	six, err6 := listen(ctx, "::1", port)
	switch {
	case err6 == nil && four == nil:
		return []net.Listener{six}, nil
	case err6 == nil:
		return []net.Listener{four, six}, nil
	case four == nil:
		return nil, err4
	case isAbsent(err6):
		return []net.Listener{four}, nil
	}
	return nil, errors.Join(err6, four.Close())
}

func listen(ctx context.Context, host string, port int) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	if err != nil {
		return nil, fmt.Errorf("listen %s: %w", net.JoinHostPort(host, strconv.Itoa(port)), cause(err))
	}
	return l, nil
}

// cause is err without the words "listen tcp" and the address, which are said already.
func cause(err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Err
	}
	return err
}

// isAbsent reports that the machine has no such address.
func isAbsent(err error) bool {
	return errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT) || errors.Is(err, syscall.EPROTONOSUPPORT)
}

// PortOf is the port that l listens on.
func PortOf(l net.Listener) int {
	if a, ok := l.Addr().(*net.TCPAddr); ok {
		return a.Port
	}
	return 0
}

// Is reports whether host is a loopback address, or the name of one.
func Is(host string) bool { return wire.Addr{Host: host}.IsLoopback() }
