package peer

import (
	"net"

	"golang.org/x/sys/unix"
)

// unsent is how many bytes of what was written the other side has not confirmed; 0 where nobody can tell.
func unsent(conn *net.TCPConn) int {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0
	}
	var n int
	if raw.Control(func(fd uintptr) { n, err = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ) }) != nil || err != nil {
		return 0
	}
	return n
}
