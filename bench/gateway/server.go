package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"spate/bench/procfs"
	"spate/event"
)

// A server is a process that serves the file.
type server struct {
	name string
	cmd  *exec.Cmd
	addr string
	path string
	said chan struct{} // closed when it says no more
}

func (s *server) url() string { return "http://" + s.addr + s.path }

// begin starts a server. listens reads what it says until it listens, and returns where.
func (s *server) begin(ctx context.Context, program string, args []string, listens func(*bufio.Scanner) string) error {
	s.said = make(chan struct{})
	s.cmd = exec.CommandContext(ctx, program, args...)
	s.cmd.Cancel = func() error { return s.cmd.Process.Signal(syscall.SIGTERM) }
	s.cmd.WaitDelay = 10 * time.Second
	out, told, err := os.Pipe()
	if err != nil {
		return err
	}
	s.cmd.Stderr, s.cmd.Stdout = told, told
	if err := errors.Join(s.cmd.Start(), told.Close()); err != nil {
		return errors.Join(err, out.Close())
	}
	lines := bufio.NewScanner(out)
	s.addr = listens(lines)
	go func() {
		defer close(s.said)
		defer out.Close()
		for lines.Scan() { // which ends with the process; what is said of clients that are cut off is none of our business
		}
	}()
	if s.addr == "" {
		return errors.Join(fmt.Errorf("%s does not begin to listen", s.name), s.end())
	}
	return nil
}

// end ends it as a user does.
func (s *server) end() error {
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	err := s.cmd.Wait()
	<-s.said
	if _, ok := errors.AsType[*exec.ExitError](err); ok {
		return nil // by the signal
	}
	return err
}

// serveGateway starts spate gateway over the file at url, with an empty cache.
func (l *lab) serveGateway(ctx context.Context, url string) (*server, error) {
	s := &server{name: "spate", path: "/f"}
	return s, s.begin(ctx, l.spate, []string{"gateway", "--listen", "127.0.0.1:0", "--json", "--serve", "f=" + url, "--cache-dir", l.path("cache")},
		func(lines *bufio.Scanner) string {
			for lines.Scan() {
				var e event.Event
				if json.Unmarshal(lines.Bytes(), &e) == nil && e.Type == event.Listening {
					return strings.TrimPrefix(e.Origin, "http://")
				}
			}
			return ""
		})
}

// serveNginx starts nginx with the file.
func (l *lab) serveNginx(ctx context.Context) (*server, error) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	addr := free.Addr().String()
	if err := errors.Join(free.Close(), os.WriteFile(l.path("nginx.conf"), []byte(config(l.dir, addr)), 0o600)); err != nil {
		return nil, err
	}
	s := &server{name: "nginx", path: "/file"}
	return s, s.begin(ctx, l.nginx, []string{"-p", l.dir, "-c", l.path("nginx.conf"), "-e", "stderr"}, func(*bufio.Scanner) string {
		for range 200 {
			if conn, err := net.Dial("tcp", addr); err == nil {
				_ = conn.Close() // nothing was sent
				return addr
			}
			time.Sleep(10 * time.Millisecond)
		}
		return ""
	})
}

// config is that of an nginx which has nothing to do but to send: as many processes as cores, sendfile, no log.
func config(dir, addr string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "worker_processes auto; daemon off; pid %s/nginx.pid; error_log stderr;\n", dir)
	if os.Getuid() == 0 {
		b.WriteString("user root;\n") // the folder is ours alone
	}
	b.WriteString("events { worker_connections 4096; }\nhttp {\n access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000;\n")
	for _, temp := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		fmt.Fprintf(&b, " %s_temp_path %s/%s;\n", temp, dir, temp)
	}
	fmt.Fprintf(&b, " server { listen %s; root %s; }\n}\n", addr, dir)
	return b.String()
}

// serveOrigin starts the origin of package bench, which sends so many bytes a second, all connections together; 0: no limit.
func (l *lab) serveOrigin(ctx context.Context, rate int64) (*origin, error) {
	o := &origin{server: server{name: "origin", path: "/file"}}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	o.stdin = w
	cmd := exec.CommandContext(ctx, l.origin, "-dir", l.dir, "-rate", strconv.FormatInt(rate, 10))
	cmd.Stdin, cmd.Stderr = r, os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err = errors.Join(err, r.Close()); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	o.cmd = cmd
	if lines := bufio.NewScanner(out); lines.Scan() {
		o.addr = lines.Text()
	}
	if o.addr == "" {
		return nil, errors.Join(errors.New("the origin does not begin to listen"), o.end())
	}
	return o, nil
}

// An origin ends when its stdin does.
type origin struct {
	server
	stdin io.Closer
}

func (o *origin) end() error { return errors.Join(o.stdin.Close(), o.cmd.Wait()) }

// peak is how many bytes of memory the process has had resident at most.
func (s *server) peak() (int64, error) { return procfs.Memory(s.cmd.Process.Pid, "VmHWM") }

// cpu is how much processor time the process and those that it has started have taken, in ticks of 10 ms.
func (s *server) cpu() (time.Duration, error) {
	pid := strconv.Itoa(s.cmd.Process.Pid)
	all, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, err
	}
	var sum time.Duration
	for _, path := range all {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		parent, took, err := parseStat(text)
		if err != nil {
			return 0, err
		}
		if parent == pid || path == "/proc/"+pid+"/stat" {
			sum += took
		}
	}
	return sum, nil
}

// parseStat reads who has started a process, and what time it has taken, from /proc/PID/stat.
func parseStat(text []byte) (parent string, took time.Duration, err error) {
	words := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:])) // the name may be anything
	if len(words) < 13 {
		return "", 0, fmt.Errorf("no times in %.40q", text)
	}
	user, err := strconv.ParseInt(words[11], 10, 64)
	system, err2 := strconv.ParseInt(words[12], 10, 64)
	return words[1], time.Duration(user+system) * 10 * time.Millisecond, errors.Join(err, err2)
}
