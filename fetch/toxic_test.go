package fetch

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"spate/internal/farm"
)

// toxicEnv has what a child process of the tests, a proxy, stands before, and what it does to that, a line each. It is a
// process of its own because toxiproxy leaves goroutines behind.
const toxicEnv = "SPATE_TEST_TOXIC"

// toxicProxy is the child: it says where it is and ends with its input.
func toxicProxy(spec string) int {
	lines := strings.Split(spec, "\n")
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop())
	proxy := toxiproxy.NewProxy(server, "x", "127.0.0.1:0", lines[0])
	if err := proxy.Start(); err != nil {
		fmt.Println(err)
		return 1
	}
	for _, line := range lines[1:] {
		if _, err := proxy.Toxics.AddToxicJson(strings.NewReader(line)); err != nil {
			fmt.Println(line, err)
			return 1
		}
	}
	fmt.Println(proxy.Listen)
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

// startToxic is the address of a proxy before addr.
func startToxic(t *testing.T, addr string, toxics ...string) string {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), toxicEnv+"="+strings.Join(append([]string{addr}, toxics...), "\n"))
	in, err := c.StdinPipe()
	must(t, err)
	out, err := c.StdoutPipe()
	must(t, err)
	must(t, c.Start())
	t.Cleanup(func() {
		in.Close()
		must(t, c.Wait())
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "127.0.0.1:") {
		t.Fatalf("%q, %v", line, err)
	}
	return strings.TrimSpace(line)
}

// TestToxic: what networks do, by toxiproxy.
func TestToxic(t *testing.T) {
	for _, c := range []struct {
		name   string
		toxics []string
		other  bool // a second mirror is reached directly
	}{
		{name: "latency", toxics: []string{`{"type": "latency", "attributes": {"latency": 50, "jitter": 20}}`}},
		{name: "latency both ways", toxics: []string{`{"type": "latency", "attributes": {"latency": 50}}`,
			`{"type": "latency", "stream": "upstream", "attributes": {"latency": 50}}`}},
		{name: "crumbs", toxics: []string{`{"type": "slicer", "attributes": {"average_size": 1000, "size_variation": 500}}`}},
		{name: "little bandwidth", toxics: []string{`{"type": "bandwidth", "attributes": {"rate": 4000}}`}},
		{name: "closes late", toxics: []string{`{"type": "slow_close", "attributes": {"delay": 300}}`}},
		{name: "each connection ends after 700 kB", toxics: []string{`{"type": "limit_data", "attributes": {"bytes": 700000}}`}},
		{name: "latency, crumbs, and each connection ends", toxics: []string{`{"type": "latency", "attributes": {"latency": 20}}`,
			`{"type": "slicer", "attributes": {"average_size": 5000, "size_variation": 1000}}`, `{"type": "limit_data", "attributes": {"bytes": 1000000}}`}},
		{name: "resets every connection", other: true, toxics: []string{`{"type": "reset_peer", "attributes": {"timeout": 20}}`}},
		{name: "lets nothing through", other: true, toxics: []string{`{"type": "timeout", "attributes": {"timeout": 0}}`}},
		{name: "lets nothing through, and hangs up", other: true, toxics: []string{`{"type": "timeout", "attributes": {"timeout": 100}}`}},
		{name: "ends in the middle of headers", other: true, toxics: []string{`{"type": "limit_data", "attributes": {"bytes": 100}}`}},
	} {
		for _, n := range []int{1, 4, 0} {
			t.Run(fmt.Sprintf("%s, %d connections", c.name, n), func(t *testing.T) {
				t.Parallel()
				s := newScene(t, whole[:usual], farm.Resource{}, farm.Resource{})
				s.urls[0] = "http://" + startToxic(t, s.farms[0].Addr(), c.toxics...) + "/x"
				if !c.other {
					s.urls = s.urls[:1]
				}
				s.get(n).wantFile(t, s.data)
			})
		}
	}
}
