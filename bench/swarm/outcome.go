package main

import (
	"fmt"
	"slices"
	"time"
)

// An outcome is one run of a swarm.
type outcome struct {
	ends     []time.Duration // when each peer was complete
	sent     []int64         // by each node, with all headers; the seed first
	messages int             // to and from the tracker; 0: not counted
}

const header = "            last    of the   seed's bytes   tracker    fairness of\n" +
	"            finish  bound    / the file     messages   what peers send"

func (o *outcome) line(name string, f *field) string {
	last := slices.Max(o.ends)
	return fmt.Sprintf("%-10s %6.2f s   %.2f       %.2f        %6d         %.2f", name, last.Seconds(),
		f.bound().Seconds()/last.Seconds(), float64(o.sent[0])*payload/float64(f.size), o.messages, fairness(o.sent[1:]))
}

// fairness is 1 if all do the same, and 1/n if one does everything (R. Jain, D. Chiu, W. Hawe, DEC-TR-301, 1984).
func fairness(x []int64) float64 {
	sum, squares := 0.0, 0.0
	for _, v := range x {
		sum += float64(v)
		squares += float64(v) * float64(v)
	}
	if squares == 0 {
		return 1
	}
	return sum * sum / (float64(len(x)) * squares)
}
