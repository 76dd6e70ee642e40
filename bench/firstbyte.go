package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// measureFirstByte looks how long the first byte of a stream takes from where its origin sends it to where spate hands
// it on, with more and more parts behind. The origin sends the first part at once, or later than those behind it, by
// when they fill the memory and the connections that reading ahead may use.
func measureFirstByte(ctx context.Context, l *lab) (*report, error) {
	c := l.content()
	defer c.remove("first")
	if err := c.file("first/a", 64<<10, io.Discard); err != nil {
		return nil, err
	}
	if err := c.file("first/b", 4<<20, io.Discard); err != nil {
		return nil, err
	}
	o, err := l.serve(ctx, 1, 0)
	if err != nil {
		return nil, err
	}
	defer o.close()
	r := &report{title: "from the origin's first byte to the first byte handed on, in milliseconds"}
	var entrants []entrant
	for _, late := range []time.Duration{0, 300 * time.Millisecond} {
		for _, n := range []int{1, 100, 10_000} {
			e, err := firstByteEntrant(l, o, n, late)
			if err != nil {
				return nil, err
			}
			entrants = append(entrants, e)
		}
	}
	err = l.compete(ctx, r, entrants)
	for _, e := range entrants {
		r.hold(e.name, "ms", 10)
	}
	return r, err
}

// firstByteEntrant writes a manifest of n parts of which the first comes late.
func firstByteEntrant(l *lab, o *origin, n int, late time.Duration) (entrant, error) {
	parts := []string{fmt.Sprintf("a?mark&late=%v", late)}
	for i := range n - 1 {
		parts = append(parts, fmt.Sprintf("b?%d", i))
	}
	name := fmt.Sprintf("first/%d-%v.parts", n, late)
	spate := l.cat(o.url(0, name))
	e := entrant{fmt.Sprintf("%d-parts", n), func(ctx context.Context, add func(string, float64)) error {
		took, err := firstByte(ctx, o, spate)
		add("ms", took.Seconds()*1e3)
		return err
	}}
	if late > 0 {
		e.name += "-late"
	}
	return e, l.content().manifest(name, parts)
}

// firstByte starts spate and ends it after its first byte.
func firstByte(ctx context.Context, o *origin, spate client) (time.Duration, error) {
	p, err := spate.start(ctx)
	if err != nil {
		return 0, err
	}
	defer p.kill()
	var one [1]byte
	if _, err := io.ReadFull(p.out, one[:]); err != nil {
		return 0, fmt.Errorf("no first byte: %w\n%s", err, p.talk)
	}
	came := time.Now()
	sent, err := marked(ctx, o)
	return came.Sub(sent), err
}

// marked is when the origin sent the first byte of the part that it is to watch.
func marked(ctx context.Context, o *origin) (time.Time, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, o.url(0, ".mark"), nil)
	if err != nil {
		return time.Time{}, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return time.Time{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return time.Time{}, err
	}
	ns, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err == nil && ns == 0 {
		err = fmt.Errorf("the origin has not sent the first part")
	}
	return time.Unix(0, ns), err
}
