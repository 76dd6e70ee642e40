package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// machine says what it is measured on, and how busy that was before.
func machine() string {
	return fmt.Sprintf("cores %d, kernel %s, load %s, %s", runtime.NumCPU(), read("/proc/sys/kernel/osrelease"), read("/proc/loadavg"), runtime.Version())
}

// read is what is in a file of one line; "?" if there is none.
func read(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return "?"
	}
	return strings.TrimSpace(string(text))
}

// tick is the unit of /proc/stat: USER_HZ is 100 wherever Linux runs.
const tick = 10 * time.Millisecond

// busy is how much processor time all programs have taken, the kernel's on their behalf included (proc(5), /proc/stat).
func busy() (time.Duration, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	return parseBusy(string(text))
}

func parseBusy(stat string) (time.Duration, error) {
	var user, nice, system int64
	if _, err := fmt.Sscanf(stat, "cpu %d %d %d", &user, &nice, &system); err != nil {
		return 0, fmt.Errorf("/proc/stat: %w", err)
	}
	return time.Duration(user+nice+system) * tick, nil
}
