package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"
)

const (
	verse      = 1 << 10 // bytes of the part that the endless manifests repeat
	settled    = 1000    // parts after which memory is to stay as it is
	maxGrowth  = 1.0     // MiB that it may grow by all the same: noise of the collector
	endlessMiB = 48      // peak
)

// measureEndless follows manifests that name a part and then themselves, and looks at the memory on the way. The
// mirrored one names itself under two URLs, so that every lap leaves an alternative behind.
func measureEndless(ctx context.Context, l *lab) (*report, error) {
	n := l.sized(200_000)
	c := l.content()
	defer c.remove("verse", "endless.parts", "mirrored.parts")
	if err := c.file("verse", verse, io.Discard); err != nil {
		return nil, err
	}
	if err := c.manifest("endless.parts", []string{"verse", "endless.parts"}); err != nil {
		return nil, err
	}
	if err := c.manifest("mirrored.parts", []string{"verse", "mirrored.parts\nmirrored.parts?mirror"}); err != nil {
		return nil, err
	}
	o, err := l.serve(ctx, 1, 0)
	if err != nil {
		return nil, err
	}
	defer o.close()
	r := &report{title: fmt.Sprintf("%d parts of a manifest that names a part and itself; memory in MiB", n)}
	for _, name := range []string{"endless", "mirrored"} {
		t := &trail{stream: l.cat(o.url(0, name+".parts"), "--max-bytes", strconv.Itoa(n*verse)), parts: int64(n)}
		if err := t.walk(ctx, min(l.rounds, 3)); err != nil {
			return nil, err
		}
		t.judge(r, name)
	}
	return r, nil
}

// A trail is the memory of a client along its stream.
type trail struct {
	stream client
	parts  int64
	laps   []lap
}

// A lap is one run of it.
type lap struct {
	bytes int64
	at    []int64   // parts seen at each sample
	mib   []float64 // resident then
	took  cost
}

func (t *trail) walk(ctx context.Context, times int) error {
	for range times {
		v := lap{}
		var failed error
		took, err := t.stream.read(ctx, func(p *running, b []byte) {
			v.bytes += int64(len(b))
			if err := v.sample(p, t.parts); err != nil && failed == nil {
				failed = err
			}
		})
		if err != nil {
			return err
		}
		if failed != nil {
			return failed
		}
		v.took = took
		t.laps = append(t.laps, v)
	}
	return nil
}

// sample looks at the memory from the part on from which it is to stay, and then after each hundredth of them all.
func (v *lap) sample(p *running, parts int64) error {
	due := int64(settled) + int64(len(v.at))*max((parts-settled)/100, 1)
	seen := v.bytes / verse
	if seen < due || seen >= parts { // after the last part the process may be gone
		return nil
	}
	rss, err := p.resident()
	v.at, v.mib = append(v.at, seen), append(v.mib, float64(rss)/(1<<20))
	return err
}

// judge adds the rows of a trail.
func (t *trail) judge(r *report, name string) {
	for _, percent := range []int{0, 5, 10, 25, 50, 75, 100} {
		at := func(v lap) int { return percent * (len(v.mib) - 1) / 100 }
		first := t.laps[0]
		r.rows = append(r.rows, row{name: fmt.Sprintf("%s, at part %d", name, first.at[at(first)]), unit: "MiB",
			values: t.each(func(v lap) float64 { return v.mib[at(v)] })})
	}
	r.rows = append(r.rows, row{name: name + ", speed", unit: "parts/s",
		values: t.each(func(v lap) float64 { return float64(t.parts) * float64(time.Second) / float64(v.took.wall) })})
	for _, v := range t.laps {
		r.sample(name, "peak-MiB", float64(v.took.peak)/(1<<20))
	}
	r.hold(name, "peak-MiB", endlessMiB)
	r.atMost(name+", last tenth - first tenth", "MiB", t.each(lap.growth), maxGrowth)
}

func (t *trail) each(f func(lap) float64) []float64 {
	var values []float64
	for _, v := range t.laps {
		values = append(values, f(v))
	}
	return values
}

// growth is how much more memory there is in the last tenth than in the first.
func (v lap) growth() float64 {
	n := max(len(v.mib)/10, 1)
	return median(v.mib[len(v.mib)-n:]) - median(v.mib[:n])
}
