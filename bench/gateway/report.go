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

// A report is the table: medians, and in brackets the least and the most.
type report struct{ out io.Writer }

func (r *report) title(l *lab) {
	load, _ := os.ReadFile("/proc/loadavg") // elsewhere there is none
	version, _ := exec.Command(l.nginx, "-v").CombinedOutput()
	fmt.Fprintf(r.out, "file of %d MiB, rounds %d, turns of %v\ncores %d, load %s, %s, %s\n\n", l.file>>20, l.rounds, l.turn,
		runtime.NumCPU(), strings.TrimSpace(string(load)), runtime.Version(), strings.TrimSpace(string(version)))
	fmt.Fprintf(r.out, "%-66s %24s %24s %20s  %s\n", "", "spate", "nginx or origin", "ratio", "target")
}

// against is a row whose ratio, taken round by round, is to be at least target; 0: there is none.
func (r *report) against(what string, ours, theirs []float64, format string, target float64) {
	var ratios []float64
	for i := range ours {
		ratios = append(ratios, ours[i]/theirs[i])
	}
	r.row(what, spread(ours, format), spread(theirs, format), spread(ratios, "%.2f"), verdict(">=", target, quantile(ratios, 50) >= target))
}

// below is a row whose value is to be at most target; 0: there is none.
func (r *report) below(what string, ours, theirs []float64, format string, target float64) {
	r.row(what, spread(ours, format), spread(theirs, format), "", verdict("<=", target, quantile(ours, 50) <= target))
}

func (r *report) row(what, ours, theirs, ratio, verdict string) {
	fmt.Fprintf(r.out, "%-66s %24s %24s %20s  %s\n", what, ours, theirs, ratio, verdict)
}

func verdict(is string, target float64, isMet bool) string {
	switch {
	case target == 0:
		return ""
	case isMet:
		return fmt.Sprintf("%s %v: met", is, target)
	}
	return fmt.Sprintf("%s %v: missed", is, target)
}

func spread(values []float64, format string) string {
	if len(values) == 0 {
		return ""
	}
	return fmt.Sprintf(format+" ("+format+"–"+format+")", quantile(values, 50), slices.Min(values), slices.Max(values))
}

// quantile is the value that so many in a hundred do not exceed.
func quantile(values []float64, percent int) float64 {
	if len(values) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(values))
	return s[max((len(s)*percent+99)/100-1, 0)]
}
