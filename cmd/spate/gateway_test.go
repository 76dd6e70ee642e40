package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/spf13/pflag"

	"spate/internal/farm"
)

// A running is a gateway in a process of its own.
type running struct {
	cmd *exec.Cmd
	url string
	out *bufio.Scanner
}

var listeningOn = regexp.MustCompile(`listening on (http\S+)`)

func startGateway(t *testing.T, args ...string) *running {
	t.Helper()
	g := &running{cmd: program(t, t.TempDir(), append([]string{"gateway", "--listen", "127.0.0.1:0"}, args...)...)}
	stderr, err := g.cmd.StderrPipe()
	if err == nil {
		err = g.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.cmd.Process.Kill(); g.cmd.Wait() })
	g.out = bufio.NewScanner(stderr)
	var told []string
	for g.out.Scan() {
		told = append(told, g.out.Text())
		if m := listeningOn.FindStringSubmatch(g.out.Text()); m != nil {
			g.url = m[1]
			go io.Copy(io.Discard, stderr)
			return g
		}
	}
	t.Fatalf("it does not listen: %q", told)
	return nil
}

// end sends a signal and returns how the process has ended.
func (g *running) end(t *testing.T, sig syscall.Signal) error {
	t.Helper()
	if err := g.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
	return g.cmd.Wait()
}

// fetch reads what the gateway has for url.
func (g *running) fetch(t *testing.T, url string) []byte { return g.get(t, "/s/"+url) }

var originBytes = regexp.MustCompile(`(?m)^spate_gateway_origin_bytes_total (\S+)$`)

// originBytes is how many bytes it has read from origins.
func (g *running) originBytes(t *testing.T) int64 {
	t.Helper()
	m := originBytes.FindSubmatch(g.get(t, "/metrics"))
	if m == nil {
		t.Fatal("the figure is missing")
	}
	n, err := strconv.ParseFloat(string(m[1]), 64)
	if err != nil {
		t.Error(err)
	}
	return int64(n)
}

func (g *running) get(t *testing.T, path string) []byte {
	t.Helper()
	return []byte(fetched(t, g.url+path))
}

// random is n bytes that nothing else has.
func random(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(rand.Uint32())
	}
	return p
}

// runs are the folders of gateways below dir.
func runs(t *testing.T, dir string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, "spate-*"))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// checkSealed looks for 32 bytes in a row of data in the files below dir: such have 16 that begin at a multiple of 16.
func checkSealed(t *testing.T, dir string, data []byte) {
	t.Helper()
	stretches := map[[16]byte]bool{}
	for at := 0; at+16 <= len(data); at += 16 {
		stretches[[16]byte(data[at:])] = true
	}
	total := 0
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		file, err := os.ReadFile(path)
		total += len(file)
		for at := 0; at+16 <= len(file); at++ {
			if stretches[[16]byte(file[at:])] {
				t.Errorf("%s has plain bytes at %d", path, at)
				break
			}
		}
		return err
	})
	if err != nil || total < len(data) {
		t.Errorf("%d bytes on disk, %v", total, err)
	}
}

// TestGatewayKilled: what is left can be read by nobody, another gateway in the same folder is not concerned, and the next one clears
// it away.
func TestGatewayKilled(t *testing.T) {
	origin := farm.New()
	defer origin.Close()
	film := random(2 << 20)
	origin.Serve("/film", farm.Resource{Body: film})
	dir := t.TempDir()
	killed, other := startGateway(t, "--cache-dir", dir), startGateway(t, "--cache-dir", dir)
	for _, g := range []*running{killed, other} {
		if got := g.fetch(t, origin.URL("/film")); !bytes.Equal(got, film) {
			t.Errorf("got %d other bytes", len(got))
		}
	}
	if n := origin.Requests("/film"); n < 2 || len(runs(t, dir)) != 2 {
		t.Errorf("two gateways have asked %d times, and have %q", n, runs(t, dir))
	}
	killed.end(t, syscall.SIGKILL)
	checkSealed(t, dir, film)
	next := startGateway(t, "--cache-dir", dir)
	if got := next.fetch(t, origin.URL("/film")); !bytes.Equal(got, film) {
		t.Errorf("the next: got %d other bytes", len(got))
	}
	if err := next.end(t, syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	if left := runs(t, dir); len(left) != 1 {
		t.Errorf("beside the one that runs there are %q", left)
	}
	before := origin.Requests("/film")
	if got := other.fetch(t, origin.URL("/film")); !bytes.Equal(got, film) || origin.Requests("/film") > before+1 {
		t.Errorf("the one that runs: got %d bytes, or asked for them anew", len(got))
	}
	if err := other.end(t, syscall.SIGINT); err != nil {
		t.Error(err)
	}
	if left := runs(t, dir); len(left) != 0 {
		t.Errorf("in the end there are %q", left)
	}
}

// TestGatewayKeeps: with a key file the blocks outlast the process. They are used once the origin has said that they still hold, and
// can be read by nobody without the key.
func TestGatewayKeeps(t *testing.T) {
	origin := farm.New()
	defer origin.Close()
	film, key, dir := random(4<<20), filepath.Join(t.TempDir(), "key"), t.TempDir()
	origin.Serve("/film", farm.Resource{Body: film})
	run := func(film []byte) (cost int64) {
		g := startGateway(t, "--cache-dir", dir, "--cache-key", key)
		if got := g.fetch(t, origin.URL("/film")); !bytes.Equal(got, film) {
			t.Errorf("got %d other bytes", len(got))
		}
		cost = g.originBytes(t)
		if err := g.end(t, syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		return cost
	}
	run(film)
	checkSealed(t, dir, film)
	asked := origin.Requests("/film")
	if cost := run(film); cost > 1<<20 || origin.Requests("/film") == asked {
		t.Errorf("the second process has read %d bytes, by %d requests", cost, origin.Requests("/film")-asked)
	}
	changed := random(4 << 20)
	origin.Serve("/film", farm.Resource{Body: changed})
	run(changed)
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	if cost := run(changed); cost < 4<<20 {
		t.Errorf("without the key only %d bytes were fetched", cost)
	}
}

// TestGatewayTalk is what is told on stderr where nobody asks for anything.
func TestGatewayTalk(t *testing.T) {
	for args, want := range map[string]string{"": `^spate: listening on http://127\.0\.0\.1:\d+\n$`, "-q": `^$`,
		"--json": `^{.*"type":"listening",.*"origin":"http://127\.0\.0\.1:\d+"}\n$`} {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(&signalError{syscall.SIGTERM})
		var stderr bytes.Buffer
		p := &process{args: append([]string{"gateway", "--listen", "127.0.0.1:0", "--no-cache"}, strings.Fields(args)...), stdout: io.Discard,
			stderr: &stderr, env: noEnv}
		if code := run(ctx, p); code != exitOK || !regexp.MustCompile(want).MatchString(stderr.String()) {
			t.Errorf("%s: exit %d, %s", args, code, stderr.String())
		}
	}
}

// TestGatewayFlagsOfFilling get to where they are meant for.
func TestGatewayFlagsOfFilling(t *testing.T) {
	var c gatewayCmd
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	c.register(flags)
	if err := flags.Parse([]string{"-x", "3", "--block-size", "8K", "--fill"}); err != nil {
		t.Fatal(err)
	}
	if o := c.filling(nil, nil, nil, 0); o.PerHost != 3 || o.BlockSize != 8<<10 || !o.Fill || o.Cache != nil {
		t.Errorf("got %+v", o)
	}
}
