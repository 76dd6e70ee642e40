package main

import (
	"context"
	"strings"
	"testing"
)

// The same measurements as Go benchmarks, b.N rounds each: go test -run '^$' -bench . -benchtime 5x ./bench
// What they report are the medians of the rows. The time per operation means nothing: it has the making of the content.

func BenchmarkLarge(b *testing.B)     { benchmark(b, measureLarge) }
func BenchmarkSmall(b *testing.B)     { benchmark(b, measureSmall) }
func BenchmarkOrigins(b *testing.B)   { benchmark(b, measureOrigins) }
func BenchmarkFirstByte(b *testing.B) { benchmark(b, measureFirstByte) }
func BenchmarkEndless(b *testing.B)   { benchmark(b, measureEndless) }

func benchmark(b *testing.B, measure func(context.Context, *lab) (*report, error)) {
	l, err := newLab(b.Context(), &options{rounds: b.N})
	if err != nil {
		b.Fatal(err)
	}
	defer l.close()
	r, err := measure(b.Context(), l)
	if err != nil {
		b.Fatal(err)
	}
	for _, w := range r.rows {
		name := strings.NewReplacer(" ", "", ",", "-").Replace(w.name)
		b.ReportMetric(median(w.values), strings.TrimSuffix(name+"_"+w.unit, "_"))
	}
}
