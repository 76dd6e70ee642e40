package loopback_test

import (
	"errors"
	"net"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"spate/internal/leak"
	"spate/swarm/loopback"
)

func TestMain(m *testing.M) { leak.Main(m) }

func listen(t *testing.T, host string, port int) ([]net.Listener, int) {
	t.Helper()
	all, got, err := loopback.Listen(t.Context(), host, port)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, l := range all {
			l.Close()
		}
	})
	return all, got
}

func hasIPv6() bool {
	l, err := net.Listen("tcp", "[::1]:0")
	if err == nil {
		l.Close()
	}
	return err == nil
}

func TestLocalhostIsBothAddresses(t *testing.T) {
	all, port := listen(t, loopback.Name, 0)
	want := []string{"127.0.0.1"}
	if hasIPv6() {
		want = append(want, "::1")
	}
	if len(all) != len(want) {
		t.Fatalf("%d listeners, want %d", len(all), len(want))
	}
	for _, host := range want {
		c, err := net.Dial("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
		if err != nil {
			t.Errorf("%s: %v", host, err)
			continue
		}
		c.Close()
	}
}

func TestOneHost(t *testing.T) {
	all, port := listen(t, "127.0.0.1", 0)
	if len(all) != 1 || port == 0 || loopback.PortOf(all[0]) != port {
		t.Errorf("%d listeners, port %d", len(all), port)
	}
}

func TestPortInUse(t *testing.T) {
	for _, host := range []string{"127.0.0.1", "::1", loopback.Name} {
		if host == "::1" && !hasIPv6() {
			continue
		}
		_, port := listen(t, host, 0)
		for _, asked := range []string{host, loopback.Name} {
			all, _, err := loopback.Listen(t.Context(), asked, port)
			if !errors.Is(err, syscall.EADDRINUSE) || all != nil {
				t.Errorf("%s beside %s: %v, %v", asked, host, all, err)
				continue
			}
			if want := ":" + strconv.Itoa(port) + ": "; strings.Count(err.Error(), want) != 1 {
				t.Errorf("%v does not name the port once", err)
			}
		}
	}
}

func TestIs(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "127.0.0.1": true, "127.9.9.9": true, "::1": true, "": false, "0.0.0.0": false, "10.0.0.1": false, "example.org": false,
	} {
		if got := loopback.Is(host); got != want {
			t.Errorf("%q: %v", host, got)
		}
	}
}
