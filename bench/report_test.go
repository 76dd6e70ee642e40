package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		name   string
		values []float64
		want   float64
	}{
		{"none", nil, 0},
		{"one", []float64{3}, 3},
		{"two", []float64{4, 2}, 3},
		{"three", []float64{9, 1, 2}, 2},
		{"four", []float64{9, 1, 2, 4}, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := median(c.values); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

// twoClients is a report of two rounds.
func twoClients() *report {
	r := &report{title: "two clients"}
	for _, s := range []struct {
		client, unit string
		value        float64
	}{
		{"curl", "MB/s", 100}, {"curl", "cpu-s", 1}, {"spate", "MB/s", 90}, {"spate", "cpu-s", 2},
		{"curl", "MB/s", 200}, {"curl", "cpu-s", 1}, {"spate", "MB/s", 190}, {"spate", "cpu-s", 3},
	} {
		r.sample(s.client, s.unit, s.value)
	}
	return r
}

func TestTargets(t *testing.T) {
	r := twoClients()
	q := ratios(r.values("spate", "MB/s"), r.values("curl", "MB/s"))
	r.atLeast("just met", "", q, 0.925)
	r.atLeast("just missed", "", q, 0.93)
	r.hold("spate", "cpu-s", 3)
	r.hold("curl", "cpu-s", 0.99)
	got := map[string]string{}
	for _, w := range r.rows {
		got[strings.TrimSpace(w.name+" "+w.unit)] = w.verdict()
	}
	want := map[string]string{"curl MB/s": "", "spate MB/s": "", "just met": "met", "just missed": "MISSED",
		"spate cpu-s": "met", "curl cpu-s": "MISSED"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestFastestIsByTheMedian(t *testing.T) {
	r := twoClients()
	r.sample("wrk", "MB/s", 1)
	r.sample("wrk", "MB/s", 250)
	if got := r.fastest("spate", "MB/s"); got != "curl" {
		t.Errorf("got %q, want curl", got)
	}
}

func TestRecordIsInTheFormOfGoBenchmarks(t *testing.T) {
	var b record
	b.add("two", twoClients())
	want := "BenchmarkTwo/client=curl\t1\t100 MB/s\t1 cpu-s\n" +
		"BenchmarkTwo/client=curl\t1\t200 MB/s\t1 cpu-s\n" +
		"BenchmarkTwo/client=spate\t1\t90 MB/s\t2 cpu-s\n" +
		"BenchmarkTwo/client=spate\t1\t190 MB/s\t3 cpu-s\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}

func TestTable(t *testing.T) {
	var b strings.Builder
	twoClients().print(&b, "two")
	var got []string
	for line := range strings.Lines(b.String()) {
		if words := strings.Fields(line); len(words) > 0 {
			got = append(got, strings.Join(words, " "))
		}
	}
	want := []string{"two: two clients", "median min max target", "curl 150 100 200 MB/s", "curl 1.00 1.00 1.00 cpu-s",
		"spate 140 90.0 190 MB/s", "spate 2.50 2.00 3.00 cpu-s"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestChoose(t *testing.T) {
	for _, c := range []struct {
		names string
		want  []string
		fails bool
	}{
		{"", []string{"large", "small", "origins", "firstbyte", "endless"}, false},
		{"small,large", []string{"small", "large"}, false},
		{"small,", nil, true},
		{"other", nil, true},
	} {
		t.Run(c.names, func(t *testing.T) {
			ms, err := choose(c.names)
			var got []string
			for _, m := range ms {
				got = append(got, m.name)
			}
			if diff := cmp.Diff(c.want, got); diff != "" || (err != nil) != c.fails {
				t.Errorf("%s\nerror %v", diff, err)
			}
		})
	}
}

func TestGrowth(t *testing.T) {
	v := lap{mib: []float64{1, 1, 50, 50, 50, 50, 50, 50, 50, 50, 50, 50, 50, 50, 50, 50, 50, 50, 4, 4}}
	if got := v.growth(); got != 3 {
		t.Errorf("got %v, want 3", got)
	}
}

func TestCurlConfig(t *testing.T) {
	o := &origin{addrs: []string{"a:1", "b:2"}}
	got := string(curlConfig(o, 1, []string{"x", "y"}))
	want := "url = \"http://b:2/x\"\noutput = /dev/null\nurl = \"http://b:2/y\"\noutput = /dev/null\n"
	if got != want {
		t.Errorf("got %q", got)
	}
}
