package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// A report is what one measurement found: its rows, each with a value for every round.
type report struct {
	title string
	rows  []row
}

// A row is one quantity. Those of a client go to the record for benchstat; others are computed from them.
type row struct {
	client string // "" for what is computed
	name   string // what is shown
	unit   string
	values []float64 // one for each round
	target string    // "" for none
	met    bool
}

// sample adds what client did in one round to its row for that unit.
func (r *report) sample(client, unit string, value float64) {
	i := slices.IndexFunc(r.rows, func(w row) bool { return w.client == client && w.unit == unit })
	if i < 0 {
		i = len(r.rows)
		r.rows = append(r.rows, row{client: client, name: client, unit: unit})
	}
	r.rows[i].values = append(r.rows[i].values, value)
}

// values are those of client in all rounds.
func (r *report) values(client, unit string) []float64 {
	for _, w := range r.rows {
		if w.client == client && w.unit == unit {
			return w.values
		}
	}
	return nil
}

// atLeast adds a row whose median must not be below the bound.
func (r *report) atLeast(name, unit string, values []float64, bound float64) {
	r.rows = append(r.rows, row{name: name, unit: unit, values: values,
		target: ">= " + number(bound), met: median(values) >= bound})
}

// atMost adds a row of which no value may be above the bound.
func (r *report) atMost(name, unit string, values []float64, bound float64) {
	r.rows = append(r.rows, row{name: name, unit: unit, values: values,
		target: "<= " + number(bound), met: slices.Max(values) <= bound})
}

// hold sets what no value of a client's row may be above.
func (r *report) hold(client, unit string, bound float64) {
	for i := range r.rows {
		if w := &r.rows[i]; w.client == client && w.unit == unit {
			w.target, w.met = "<= "+number(bound), slices.Max(w.values) <= bound
		}
	}
}

// ratios divides round by round.
func ratios(a, b []float64) []float64 {
	q := make([]float64, min(len(a), len(b)))
	for i := range q {
		q[i] = a[i] / b[i]
	}
	return q
}

// median is the middle value, or the mean of the two; 0 of none.
func median(values []float64) float64 {
	s := slices.Sorted(slices.Values(values))
	n := len(s)
	if n == 0 {
		return 0
	}
	return (s[(n-1)/2] + s[n/2]) / 2
}

// number shows a value with three digits or so.
func number(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// print writes the table.
func (r *report) print(out io.Writer, name string) {
	fmt.Fprintf(out, "\n%s: %s\n", name, r.title)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "  \tmedian\tmin\tmax\t\ttarget\t")
	for _, v := range r.rows {
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\t%s\t%s\t%s\n", v.name, number(median(v.values)),
			number(slices.Min(v.values)), number(slices.Max(v.values)), v.unit, v.target, v.verdict())
	}
	_ = w.Flush()
}

func (w row) verdict() string {
	switch {
	case w.target == "":
		return ""
	case w.met:
		return "met"
	}
	return "MISSED"
}

// A record collects single rounds in the format of Go's benchmarks.
type record struct{ strings.Builder }

// add writes a line for each client and round. Units come in the order in which they were sampled.
func (b *record) add(name string, r *report) {
	for _, client := range r.clients() {
		for i := 0; ; i++ {
			line := ""
			for _, w := range r.rows {
				if w.client == client && i < len(w.values) {
					line += fmt.Sprintf("\t%.6g %s", w.values[i], w.unit)
				}
			}
			if line == "" {
				break
			}
			fmt.Fprintf(b, "Benchmark%s/client=%s\t1%s\n", strings.ToUpper(name[:1])+name[1:], client, line)
		}
	}
}

// clients are those that were sampled, in that order.
func (r *report) clients() []string {
	var names []string
	for _, w := range r.rows {
		if w.client != "" && !slices.Contains(names, w.client) {
			names = append(names, w.client)
		}
	}
	return names
}
