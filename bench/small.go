package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// connections is what every client may use, as many as spate does without being told.
const connections = 8

// measureSmall compares the rate of requests for many small parts of one origin with that of the best client found.
func measureSmall(ctx context.Context, l *lab) (*report, error) {
	n, size := l.sized(10_000), int64(16<<10)
	c := l.content()
	defer c.remove("small", "small.parts", "small.curl")
	names, err := c.parts("small", n, size, io.Discard)
	if err != nil {
		return nil, err
	}
	o, err := l.serve(ctx, 1, 0)
	if err != nil {
		return nil, err
	}
	defer o.close()
	spate := l.cat(o.url(0, "small.parts"))
	if err := c.verify(ctx, spate); err != nil {
		return nil, err
	}
	config := filepath.Join(l.dir, "small.curl")
	if err := os.WriteFile(config, curlConfig(o, 0, names), 0o666); err != nil {
		return nil, err
	}
	r := &report{title: fmt.Sprintf("%d parts of %d KiB from one origin, keep-alive; the others: the same URLs", n, size>>10)}
	bytes := int64(n) * size
	err = l.compete(ctx, r, append(l.rivals(o, config, names[0], bytes, n), entrant{"spate", transfer(spate, bytes, n)}))
	best := r.fastest("spate", "req/s")
	r.atLeast("spate / "+best, "", ratios(r.values("spate", "req/s"), r.values(best, "req/s")), 0.5)
	return r, err
}

// rivals are the public clients that are installed.
func (l *lab) rivals(o *origin, config, name string, bytes int64, n int) []entrant {
	one := client{args: []string{l.curl, "-s", "-K", config}}
	many := client{args: []string{l.curl, "--no-progress-meter", "-Z", "--parallel-max", strconv.Itoa(connections), "-K", config}}
	all := []entrant{
		{"curl", transfer(one, bytes, n)},
		{"curl-parallel", transfer(many, bytes, n)},
	}
	if l.wrk != "" {
		all = append(all, entrant{"wrk", l.wrkTurn(o.url(0, name))})
	}
	return all
}

// curlConfig is a file for curl -K that fetches names from the i-th listener.
func curlConfig(o *origin, i int, names []string) []byte {
	var b strings.Builder
	for _, name := range names {
		fmt.Fprintf(&b, "url = %q\noutput = /dev/null\n", o.url(i, name))
	}
	return []byte(b.String())
}

// wrkTurn lets wrk ask for url for a second. It counts its time itself, without that for starting.
func (l *lab) wrkTurn(url string) func(context.Context, func(string, float64)) error {
	found := regexp.MustCompile(`Requests/sec:\s*([0-9.]+)`)
	c := client{args: []string{l.wrk, "-t1", fmt.Sprintf("-c%d", connections), "-d1s", url}}
	return func(ctx context.Context, add func(string, float64)) error {
		out, err := c.output(ctx)
		if err != nil {
			return err
		}
		m := found.FindStringSubmatch(out)
		if m == nil {
			return fmt.Errorf("wrk told no rate:\n%s", out)
		}
		rate, err := strconv.ParseFloat(m[1], 64)
		add("req/s", rate)
		return err
	}
}

// fastest is the client with the highest median of that unit, other than one.
func (r *report) fastest(other, unit string) string {
	best := ""
	for _, name := range r.clients() {
		if name != other && median(r.values(name, unit)) > median(r.values(best, unit)) {
			best = name
		}
	}
	return best
}
