package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
)

func title(out io.Writer, o *options, size int) {
	load, _ := os.ReadFile("/proc/loadavg") // elsewhere there is none
	version, _ := exec.Command("chromium", "--version").Output()
	fmt.Fprintf(out, "%d images of %d x %d, %d MiB, rounds %d\ncores %d, load %s, %s, %s\n\n", o.files, width, height, size>>20, o.rounds,
		runtime.NumCPU(), strings.TrimSpace(string(load)), runtime.Version(), strings.TrimSpace(string(version)))
}

// row prints the median, and in brackets the least and the most. The worst is to be at least target; 0: there is none.
func row(out io.Writer, what string, values []float64, format string, target float64) {
	s := slices.Sorted(slices.Values(values))
	least, most := s[0], s[len(s)-1]
	spread := fmt.Sprintf(format+" ("+format+"–"+format+")", s[len(s)/2], least, most)
	verdict := ""
	if target > 0 {
		verdict = fmt.Sprintf(">= %v: missed", target)
		if least >= target {
			verdict = fmt.Sprintf(">= %v: met", target)
		}
	}
	fmt.Fprintln(out, strings.TrimRight(fmt.Sprintf("%-40s %24s  %s", what, spread, verdict), " "))
}
