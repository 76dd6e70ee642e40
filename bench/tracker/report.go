package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// A report is the table.
type report struct{ out io.Writer }

func (r report) title(p plan, processes int) {
	load, _ := os.ReadFile("/proc/loadavg") // elsewhere there is none
	fmt.Fprintf(r.out, "%d clients in %d processes, %d registrations of %d chunks, each with %d holders\ncores %d, load %s, %s\n\n",
		p.clients, processes, p.registrations, p.chunks(), holders, runtime.NumCPU(), strings.TrimSpace(string(load)), runtime.Version())
	fmt.Fprintf(r.out, "%-50s %32s %10s %10s %10s\n", "", "", "median", "99 %", "resident")
}

// phase is a row: how many a second, how long an answer took, and what memory the tracker had afterwards.
func (r report) phase(what, unit string, res result, took time.Duration, resident int64) {
	median, most := "", ""
	if len(res.Micros) > 0 {
		median, most = millis(quantile(res.Micros, 50)), millis(quantile(res.Micros, 99))
	}
	fmt.Fprintf(r.out, "%-50s %9d %-13s %6.0f/s %10s %10s %6.1f MiB\n", what, res.Count, unit, float64(res.Count)/took.Seconds(), median, most,
		float64(resident)/(1<<20))
}

func (r report) line(what, format string, value float64) {
	fmt.Fprintf(r.out, "%-50s %32s\n", what, fmt.Sprintf(format, value))
}

func millis(micros int64) string { return fmt.Sprintf("%.2f ms", float64(micros)/1000) }

// quantile is the value that so many in a hundred do not exceed.
func quantile(values []int64, percent int) int64 {
	s := slices.Sorted(slices.Values(values))
	return s[max((len(s)*percent+99)/100-1, 0)]
}
