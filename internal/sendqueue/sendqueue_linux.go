package sendqueue

import (
	"net"

	"golang.org/x/sys/unix"
)

// Bound has writes to conn wait until all but so many bytes of what was written before are on their way, as far as the system can. It
// does not bound what is on its way.
func Bound(conn net.Conn, bytes int) {
	control(conn, func(fd int) { unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, bytes) })
}

// Len is how many bytes of what was written the other side has not confirmed; 0 where nobody can tell.
func Len(conn net.Conn) (n int) {
	control(conn, func(fd int) {
		if m, err := unix.IoctlGetInt(fd, unix.SIOCOUTQ); err == nil {
			n = m
		}
	})
	return n
}

// control calls do with the descriptor of conn. One that has none, or has it no more, is left alone.
func control(conn net.Conn, do func(fd int)) {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return
	}
	if raw, err := tcp.SyscallConn(); err == nil {
		raw.Control(func(fd uintptr) { do(int(fd)) })
	}
}
