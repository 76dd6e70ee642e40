package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// What Linux tells in /proc. Elsewhere it is not known.

// cpuModel is the name of the processor.
func cpuModel() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if name, ok := strings.CutPrefix(line, "model name"); ok {
			return strings.Trim(name, " \t:\n")
		}
	}
	return "unknown"
}

// firstLine is the first line of a file, "unknown" where there is none.
func firstLine(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return "unknown"
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return line
}

// processorTime is how long all processors together have been idle and how long there have been any, in ticks.
func processorTime() (idle, all int64) {
	for i, word := range strings.Fields(firstLine("/proc/stat")) {
		n, err := strconv.ParseInt(word, 10, 64)
		if err != nil || i > 8 { // the name; guests, which are counted as users already
			continue
		}
		if all += n; i == 4 || i == 5 { // idle, and waiting for a disk
			idle += n
		}
	}
	return idle, all
}

// status reads a size from what is known of a process.
func status(pid int, field string) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, field+":"); ok {
			kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			return kib << 10, err
		}
	}
	return 0, fmt.Errorf("/proc/%d/status has no %s", pid, field)
}
