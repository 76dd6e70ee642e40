package main

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// An outcome is one run of a swarm.
type outcome struct {
	ends     []time.Duration // when each peer was complete
	sent     []int64         // by each node, with all headers; the seed first
	given    []tally         // by each node, the seed first; nil: not counted
	messages int             // to and from the tracker; 0: not counted
	cpu      time.Duration   // of all programs together, the kernel's on their behalf included
	others   time.Duration   // of all else that the machine did meanwhile
}

const header = "                last   of the      seed sends      tracker  fairness of   processor time\n" +
	"              finish    bound  / file  chunks lost messages what is sent  ours    others"

// line is a row of the table. Chunks are those that the seed has given; lost are those of them that were begun in vain.
func (o *outcome) line(name string, f *field) string {
	chunks, lost, messages := "-", "-", "-"
	if len(o.given) > 0 {
		chunks, lost, messages = strconv.Itoa(o.given[0].chunks), strconv.Itoa(o.given[0].broken), strconv.Itoa(o.messages)
	}
	return fmt.Sprintf("%-12s %6.2f s   %.2f    %.2f   %6s %4s %8s    %.2f      %6.1f s %6.1f s", name, o.last().Seconds(),
		o.efficiency(f), o.seeded(f), chunks, lost, messages, fairness(o.sent[1:]), o.cpu.Seconds(), o.others.Seconds())
}

// last is when the last peer was complete.
func (o *outcome) last() time.Duration { return slices.Max(o.ends) }

// efficiency is the least time that it could have taken, as a share of what it took.
func (o *outcome) efficiency(f *field) float64 { return f.bound().Seconds() / o.last().Seconds() }

// seeded is how many files the seed has sent, by what left its uplink: copies that TCP has sent again are in it.
func (o *outcome) seeded(f *field) float64 { return float64(o.sent[0]) * payload / float64(f.size) }

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
