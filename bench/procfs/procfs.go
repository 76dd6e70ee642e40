// Package procfs reads what Linux tells of a process's memory.
package procfs

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Memory is a field of the process's status that is in kB, in bytes: "VmRSS" is what is resident now, "VmHWM" what was at most.
func Memory(pid int, field string) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	return parse(string(text), field)
}

func parse(status, field string) (int64, error) {
	_, rest, _ := strings.Cut(status, field+":")
	digits, _, found := strings.Cut(rest, " kB")
	n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
	if !found || err != nil {
		return 0, fmt.Errorf("no %s in %.40q", field, status)
	}
	return n << 10, nil
}
