package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// script has wrk ask for ranges of 1 MiB at random offsets, the same ones in each turn.
func script(size int64) string {
	return fmt.Sprintf(`local threads = 0
function setup(thread) threads = threads + 1; thread:set("id", threads) end
function init() math.randomseed(7919 * id) end
function request()
  local from = math.random(0, %d)
  return wrk.format("GET", nil, {["Range"] = "bytes=" .. from .. "-" .. (from + %d)})
end
`, size-rangeSize, rangeSize-1)
}

// both starts nginx, and a gateway over it, which has all of the file then: it is compared with what it has to be.
func (l *lab) both(ctx context.Context) (pair [2]*server, end func() error, err error) {
	nginx, err := l.serveNginx(ctx)
	if err != nil {
		return pair, nil, err
	}
	gateway, err := l.serveGateway(ctx, nginx.url())
	if err != nil {
		return pair, nil, errors.Join(err, nginx.end())
	}
	end = func() error { return errors.Join(gateway.end(), nginx.end()) }
	if err := l.compare(ctx, gateway); err != nil {
		return pair, nil, errors.Join(err, end())
	}
	return [2]*server{nginx, gateway}, end, nil
}

func (l *lab) compare(ctx context.Context, s *server) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url(), nil)
	if err != nil {
		return err
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	got, err := sum(resp.Body)
	if err != nil {
		return err
	}
	file, err := os.Open(l.path("file"))
	if err != nil {
		return err
	}
	defer file.Close()
	if want, err := sum(file); err != nil || got != want {
		return errors.Join(err, errors.New("the gateway does not give what the origin has"))
	}
	return nil
}

func sum(r io.Reader) (s [sha256.Size]byte, err error) {
	h := sha256.New()
	_, err = io.Copy(h, r)
	return [sha256.Size]byte(h.Sum(nil)), err
}

// warm is ranges of 1 MiB at random offsets, by wrk.
func (l *lab) warm(ctx context.Context, r *report) (err error) {
	servers, end, err := l.both(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	for _, clients := range []int{2, 8, 32} {
		var rates, costs [2][]float64
		for round := range l.rounds {
			for i := range servers {
				which := (round + i) % 2
				rate, cost, err := l.wrk(ctx, servers[which], clients)
				if err != nil {
					return err
				}
				rates[which], costs[which] = append(rates[which], rate), append(costs[which], cost)
			}
		}
		r.against(fmt.Sprintf("warm ranges of 1 MiB, %d connections: requests/s", clients), rates[1], rates[0], "%.0f", 0.6)
		r.against("  its processor time, ms for each", costs[1], costs[0], "%.3f", 0)
	}
	return nil
}

// wrk is a turn of it: requests a second, and the server's milliseconds of processor time for each.
func (l *lab) wrk(ctx context.Context, s *server, clients int) (rate, cost float64, err error) {
	before, err := s.cpu()
	if err != nil {
		return 0, 0, err
	}
	// wrk takes whole seconds.
	seconds := max(1, int(l.turn/time.Second))
	out, err := exec.CommandContext(ctx, "wrk", "-t", "2", "-c", strconv.Itoa(clients), "-d", strconv.Itoa(seconds)+"s",
		"-s", l.path("range.lua"), s.url()).CombinedOutput()
	if err != nil {
		return 0, 0, fmt.Errorf("wrk: %w: %s", err, out)
	}
	after, err := s.cpu()
	if err != nil {
		return 0, 0, err
	}
	requests, took, err := parseWrk(string(out))
	if err != nil {
		return 0, 0, err
	}
	return requests / took, float64((after - before).Milliseconds()) / requests, nil
}

// parseWrk reads how many requests wrk has made, in how many seconds.
func parseWrk(out string) (requests, seconds float64, err error) {
	if strings.Contains(out, "Non-2xx") || strings.Contains(out, "Socket errors") {
		return 0, 0, fmt.Errorf("wrk: %s", out)
	}
	for line := range strings.Lines(out) {
		var took string
		if n, _ := fmt.Sscanf(strings.ReplaceAll(strings.TrimSpace(line), ",", ""), "%f requests in %s", &requests, &took); n == 2 {
			d, err := time.ParseDuration(took)
			return requests, d.Seconds(), err
		}
	}
	return 0, 0, fmt.Errorf("wrk: %s", out)
}
