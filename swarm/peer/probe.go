package peer

import (
	"context"
	"errors"
	"net"
	"syscall"
	"time"

	"spate/swarm/wire"
)

// probeTime is how long the first question by UDP waits for its answer; the second waits twice as long.
const probeTime = 150 * time.Millisecond

// probe reports whether the tracker at the other end of conn says, by UDP on the same port, that it takes messages
// however they come. Nothing that others do not know goes over conn.
func probe(ctx context.Context, conn net.Conn) bool {
	var d net.Dialer
	udp, err := d.DialContext(ctx, "udp", conn.RemoteAddr().String())
	if err != nil {
		return false
	}
	defer udp.Close()
	stop := context.AfterFunc(ctx, func() { udp.Close() })
	defer stop()
	answer := make([]byte, len(wire.TrackerAnswer)+1)
	for wait := probeTime; wait <= 2*probeTime; wait *= 2 {
		if _, err := udp.Write([]byte(wire.TrackerQuestion)); err != nil {
			return false
		}
		if udp.SetReadDeadline(time.Now().Add(wait)) != nil {
			return false
		}
		n, err := udp.Read(answer)
		if err == nil {
			return string(answer[:n]) == wire.TrackerAnswer
		}
		if errors.Is(err, syscall.ECONNREFUSED) {
			return false
		}
	}
	return false
}
