package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// cold is the file from its first byte to its last by curl: from an origin, and from a gateway that has nothing of it yet.
func (l *lab) cold(ctx context.Context, r *report) error {
	for _, rate := range l.rates {
		o, err := l.serveOrigin(ctx, rate)
		if err != nil {
			return err
		}
		direct, through, err := l.coldRounds(ctx, o)
		if err := errors.Join(err, o.end()); err != nil {
			return err
		}
		what, target := fmt.Sprintf("cold, in order, origin of %d MB/s: MB/s", rate/1e6), 0.85
		if rate == 0 {
			what, target = "cold, in order, origin without a limit: MB/s", 0
		}
		r.against(what, through, direct, "%.0f", target)
	}
	return nil
}

func (l *lab) coldRounds(ctx context.Context, o *origin) (direct, through []float64, err error) {
	for round := range l.rounds {
		for i := range 2 {
			if (round+i)%2 == 0 {
				rate, err := curl(ctx, o.url())
				if err != nil {
					return nil, nil, err
				}
				direct = append(direct, rate)
				continue
			}
			rate, err := l.coldOnce(ctx, o)
			if err != nil {
				return nil, nil, err
			}
			through = append(through, rate)
		}
	}
	return direct, through, nil
}

func (l *lab) coldOnce(ctx context.Context, o *origin) (rate float64, err error) {
	s, err := l.serveGateway(ctx, o.url())
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.end()) }()
	return curl(ctx, s.url())
}

// curl is a turn of it: megabytes a second.
func curl(ctx context.Context, url string) (float64, error) {
	out, err := exec.CommandContext(ctx, "curl", "-sSf", "-o", "/dev/null", "-w", "%{speed_download}", url).Output()
	if err != nil {
		return 0, fmt.Errorf("curl: %w", err)
	}
	rate, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
	return rate / 1e6, err
}
