package peer

import (
	"net"

	"golang.org/x/sys/unix"
)

// lowat is how much may wait in the system unsent. Whole chunks would, else: a write would say nothing of what the other
// side takes. It does not bound what is on its way.
const lowat = 128 << 10

// tune has writes to conn wait until what was written before is on its way, as far as the system can.
func tune(conn net.Conn) {
	control(conn, func(fd int) { unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, lowat) })
}

// unsent is how many bytes of what was written the other side has not confirmed; 0 where nobody can tell.
func unsent(conn net.Conn) (n int) {
	control(conn, func(fd int) {
		if m, err := unix.IoctlGetInt(fd, unix.SIOCOUTQ); err == nil {
			n = m
		}
	})
	return n
}

// control calls do with the descriptor of conn. Where that cannot be had, the connection is closed.
func control(conn net.Conn, do func(fd int)) {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return
	}
	if raw, err := tcp.SyscallConn(); err == nil {
		raw.Control(func(fd uintptr) { do(int(fd)) })
	}
}
