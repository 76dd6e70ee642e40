package viewer_test

import (
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// inSockets is how many bytes the kernel keeps for the connections of those who listen at addrs, which are of 127.0.0.1.
func inSockets(t *testing.T, addrs ...string) int64 {
	t.Helper()
	var ports []string
	for _, addr := range addrs {
		_, port, err := net.SplitHostPort(addr)
		n, err2 := strconv.ParseUint(port, 10, 16)
		if err != nil || err2 != nil {
			t.Fatal(addr, err, err2)
		}
		ports = append(ports, strings.ToUpper(strconv.FormatUint(n+1<<16, 16)[1:]))
	}
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		t.Skip("the system does not tell what is in sockets:", err)
	}
	var sum int64
	for _, line := range strings.Split(string(table), "\n")[1:] {
		fields := strings.Fields(line) // number, local address, remote address, state, queues
		if len(fields) < 5 || fields[3] != established {
			continue
		}
		_, local, _ := strings.Cut(fields[1], ":")
		_, remote, _ := strings.Cut(fields[2], ":")
		if !slices.Contains(ports, local) && !slices.Contains(ports, remote) {
			continue
		}
		out, in, _ := strings.Cut(fields[4], ":")
		for _, queue := range []string{out, in} {
			n, err := strconv.ParseInt(queue, 16, 64)
			if err != nil {
				t.Fatal(line)
			}
			sum += n
		}
	}
	return sum
}

const established = "01"
