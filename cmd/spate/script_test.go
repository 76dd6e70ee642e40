package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"

	"spate/internal/farm"
	"spate/internal/localcert"
	"spate/internal/seeds"
	"spate/internal/servers"
)

// TestScript runs testdata/script. Beside the commands of testscript there are
//
//	origins NAME...               origins on loopback, their URLs in $NAME, their addresses in $NAME_addr and ports in
//	                              $NAME_port; -tls before the names for https, their certificates are in NAME.pem
//	serve NAME/PATH [FILE] [KEY=VALUE...]
//	                              puts FILE under the path, environment variables in it expanded, misbehaving as resource
//	                              says, or nothing but that; behind the word then stands what the next request sees
//	servers                       an FTP and an SFTP server on loopback, their URLs in $ftp and $sftp (with user and
//	                              password), their addresses in $ftp_addr and $sftp_addr, their
//	                              ports in $ftp_port and $sftp_port and the fingerprint of its key in $sftp_key; what known_hosts
//	                              has to say of it in the file known_hosts, and a private key with which user may log in there
//	                              in the file identity; and a proxy, its address in $proxy_addr, which wants me:s3cret and alone knows
//	                              where origin.example is
//	swarm FILE N                  a tracker, its address in $tracker, and three peers that have FILE in N chunks, after a while
//	put ftp|sftp PATH FILE        makes FILE, environment variables in it expanded, available there
//	certificate FILE KEY          makes a certificate for localhost and 127.0.0.1, and its private key
//	expanded FILE TO              copies FILE, environment variables in it expanded
//	requests NAME/PATH N          so many requests have come
//	header NAME/PATH FIELD VALUE  the last request had that header; "": none
//	exits CODE PROGRAM ARG...     runs a program as exec does; its exit code must be this one
//	starts WHERE WHAT PROGRAM ARG...
//	                              starts a program and waits until WHAT, a pattern, appears in its stdout or stderr, WHERE; what
//	                              the pattern's named groups have found is in variables of these names
//	asks METHOD URL ['NAME: VALUE'...]
//	                              sends a request with that header; status, header and body of the answer are the stdout. An https
//	                              URL is asked over HTTP/2 if that is offered, whoever has its certificate
//	ends SIGNAL CODE              sends the program a signal; its exit code must be this one
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                "../../testdata/script",
		RequireUniqueNames: true,
		Setup: func(env *testscript.Env) error {
			w := &world{origins: map[string]*farm.Farm{}}
			env.Values[worldKey{}] = w
			env.Defer(w.close)
			env.Setenv("GORACE", "atexit_sleep_ms=0") // else each program sleeps for a second when it ends
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"origins": cmdOrigins, "serve": cmdServe, "requests": cmdRequests, "header": cmdHeader, "exits": cmdExits,
			"starts": cmdStarts, "ends": cmdEnds, "servers": cmdServers, "put": cmdPut, "expanded": cmdExpanded,
			"peak": cmdPeak, "swarm": cmdSwarm, "asks": cmdAsks, "certificate": cmdCertificate,
		},
	})
}

type worldKey struct{}

// world is what one script has started.
type world struct {
	origins map[string]*farm.Farm
	ftp     *servers.FTP
	sftp    *servers.SFTP
	proxy   *servers.Proxy
	swarm   []func() // ends it
	running *exec.Cmd
	out     [2]strings.Builder // stdout and stderr of running
}

func (w *world) close() {
	if w.running != nil {
		w.running.Process.Kill()
		w.running.Wait()
	}
	for _, f := range w.origins {
		f.Close()
	}
	for _, end := range w.swarm {
		end()
	}
	if w.ftp != nil {
		w.ftp.Close()
		w.sftp.Close()
		w.proxy.Close()
	}
}

func cmdServers(ts *testscript.TestScript, _ bool, _ []string) {
	w := ts.Value(worldKey{}).(*world)
	w.ftp, w.sftp = servers.StartFTP(nil, false), servers.StartSFTP(newIdentity(ts))
	w.proxy = servers.StartProxy(nil, "me:s3cret", map[string]string{"origin.example": "127.0.0.1"})
	ts.Setenv("proxy_addr", w.proxy.Addr())
	ts.Setenv("ftp_port", w.ftp.Addr()[strings.LastIndexByte(w.ftp.Addr(), ':')+1:])
	ts.Setenv("ftp", "ftp://"+w.ftp.Addr())
	ts.Setenv("ftp_addr", w.ftp.Addr())
	ts.Setenv("sftp", "sftp://user:secret@"+w.sftp.Addr())
	ts.Setenv("sftp_addr", w.sftp.Addr())
	ts.Setenv("sftp_port", w.sftp.Addr()[strings.LastIndexByte(w.sftp.Addr(), ':')+1:])
	ts.Setenv("sftp_key", w.sftp.Fingerprint())
	line := knownhosts.Line([]string{w.sftp.Addr()}, w.sftp.Key.PublicKey())
	ts.Check(os.WriteFile(ts.MkAbs("known_hosts"), []byte(line+"\n"), 0o600))
}

func cmdSwarm(ts *testscript.TestScript, _ bool, args []string) {
	w := ts.Value(worldKey{}).(*world)
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	file := ts.MkAbs(args[0])
	swarm, err := seeds.Start(n, file, file, file)
	ts.Check(err)
	ts.Setenv("tracker", swarm.Addr)
	w.swarm = append(w.swarm, swarm.Close)
}

// newIdentity writes a private key to the file identity.
func newIdentity(ts *testscript.TestScript) ssh.PublicKey {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	ts.Check(err)
	block, err := ssh.MarshalPrivateKey(private, "")
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("identity"), pem.EncodeToMemory(block), 0o600))
	key, err := ssh.NewPublicKey(public)
	ts.Check(err)
	return key
}

func cmdExpanded(ts *testscript.TestScript, _ bool, args []string) {
	text := os.Expand(ts.ReadFile(args[0]), ts.Getenv)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o600))
}

func cmdPut(ts *testscript.TestScript, _ bool, args []string) {
	w := ts.Value(worldKey{}).(*world)
	content := []byte(os.Expand(ts.ReadFile(args[2]), ts.Getenv))
	if args[0] == "ftp" {
		w.ftp.Put(args[1], content)
	} else {
		w.sftp.Put(args[1], content)
	}
}

// find splits NAME/PATH.
func find(ts *testscript.TestScript, place string) (*farm.Farm, string) {
	name, path, _ := strings.Cut(place, "/")
	f := ts.Value(worldKey{}).(*world).origins[name]
	if f == nil {
		ts.Fatalf("no origin %q", name)
	}
	return f, "/" + path
}

func cmdOrigins(ts *testscript.TestScript, _ bool, args []string) {
	start := farm.New
	for _, name := range args {
		if name == "-tls" {
			start = farm.NewTLS
			continue
		}
		f := start()
		ts.Value(worldKey{}).(*world).origins[name] = f
		ts.Setenv(name, f.URL(""))
		_, port, _ := net.SplitHostPort(f.Addr())
		ts.Setenv(name+"_addr", f.Addr())
		ts.Setenv(name+"_port", port)
		if cert := f.Certificate(); cert != nil {
			ts.Check(os.WriteFile(ts.MkAbs(name+".pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), 0o666))
		}
	}
	ts.Setenv("dead", farm.Dead())
}

func cmdServe(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) == 0 {
		ts.Fatalf("usage: serve NAME/PATH [FILE] [KEY=VALUE...]")
	}
	f, path := find(ts, args[0])
	seen := []farm.Resource{{}}
	for _, arg := range args[1:] {
		r := &seen[len(seen)-1]
		switch key, value, ok := strings.Cut(arg, "="); {
		case ok:
			ts.Check(misbehave(r, key, value))
		case arg == "then":
			seen = append(seen, farm.Resource{})
		default:
			r.Body = []byte(os.Expand(ts.ReadFile(arg), ts.Getenv))
		}
	}
	f.Serve(path, farm.Then(seen...))
}

func cmdRequests(ts *testscript.TestScript, _ bool, args []string) {
	f, path := find(ts, args[0])
	if got := strconv.Itoa(f.Requests(path)); got != args[1] {
		ts.Fatalf("%s requests of %s, want %s", got, args[0], args[1])
	}
}

// cmdPeak: an origin has answered at most so many requests at the same time, and so many once.
func cmdPeak(ts *testscript.TestScript, _ bool, args []string) {
	if got := strconv.Itoa(ts.Value(worldKey{}).(*world).origins[args[0]].Peak()); got != args[1] {
		ts.Fatalf("%s requests of %s at the same time, want %s", got, args[0], args[1])
	}
}

func cmdHeader(ts *testscript.TestScript, _ bool, args []string) {
	f, path := find(ts, args[0])
	for _, r := range slices.Backward(f.Log()) {
		if r.Path == path {
			if got := strings.Join(r.Header.Values(args[1]), ", "); got != args[2] {
				ts.Fatalf("%s of the last request of %s is %q, want %q", args[1], args[0], got, args[2])
			}
			return
		}
	}
	ts.Fatalf("no request of %s", args[0])
}

// patience is how long an event may take before a test is taken for stuck.
const patience = 30 * time.Second

func cmdExits(ts *testscript.TestScript, _ bool, args []string) {
	checkExit(ts, args[0], ts.Exec(args[1], args[2:]...))
}

func checkExit(ts *testscript.TestScript, want string, err error) {
	code := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		code = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(code) != want {
		ts.Fatalf("exit code %d, want %s", code, want)
	}
}

func cmdCertificate(ts *testscript.TestScript, _ bool, args []string) {
	pair, _, err := localcert.New()
	ts.Check(err)
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	ts.Check(err)
	for i, block := range []pem.Block{{Type: "CERTIFICATE", Bytes: pair.Certificate[0]}, {Type: "PRIVATE KEY", Bytes: key}} {
		ts.Check(os.WriteFile(ts.MkAbs(args[i]), pem.EncodeToMemory(&block), 0o600))
	}
}

func cmdAsks(ts *testscript.TestScript, neg bool, args []string) {
	req, err := http.NewRequest(args[0], args[1], nil)
	ts.Check(err)
	for _, field := range args[2:] {
		name, value, _ := strings.Cut(field, ":")
		req.Header.Add(name, strings.TrimSpace(value))
	}
	if host := req.Header.Get("Host"); host != "" {
		req.Host = host
	}
	client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true,
		ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	resp, err := client.Do(req)
	if err == nil {
		defer client.CloseIdleConnections()
		defer resp.Body.Close()
		resp.Write(ts.Stdout())
		return
	}
	if !neg {
		ts.Fatalf("%v", err)
	}
}

var signals = map[string]syscall.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM}

func cmdStarts(ts *testscript.TestScript, _ bool, args []string) {
	w := ts.Value(worldKey{}).(*world)
	seen := &watcher{pattern: regexp.MustCompile(args[1]), found: make(chan struct{})}
	cmd := exec.Command(args[2], args[3:]...)
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "GORACE", "GOCOVERDIR"} {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	w.out = [2]strings.Builder{}
	cmd.Dir, cmd.Stdout, cmd.Stderr = ts.MkAbs("."), &w.out[0], &w.out[1]
	if args[0] == "stdout" {
		cmd.Stdout = io.MultiWriter(cmd.Stdout, seen)
	} else {
		cmd.Stderr = io.MultiWriter(cmd.Stderr, seen)
	}
	ts.Check(cmd.Start())
	w.running = cmd
	select {
	case <-seen.found:
	case <-time.After(patience):
		ts.Fatalf("no %q in %s", args[1], args[0])
	}
	for i, name := range seen.pattern.SubexpNames() {
		if name != "" {
			ts.Setenv(name, string(seen.match[i]))
		}
	}
}

func cmdEnds(ts *testscript.TestScript, _ bool, args []string) {
	w := ts.Value(worldKey{}).(*world)
	cmd := w.running
	w.running = nil
	ts.Check(cmd.Process.Signal(signals[args[0]]))
	err := cmd.Wait()
	io.WriteString(ts.Stdout(), w.out[0].String())
	io.WriteString(ts.Stderr(), w.out[1].String())
	checkExit(ts, args[1], err)
}

// watcher closes found once pattern has been written.
type watcher struct {
	pattern *regexp.Regexp
	text    []byte
	match   [][]byte // of the pattern and its groups, once found is closed
	found   chan struct{}
	once    sync.Once
}

func (w *watcher) Write(p []byte) (int, error) {
	w.text = append(w.text, p...)
	if match := w.pattern.FindSubmatch(w.text); match != nil {
		w.once.Do(func() {
			w.match = match
			close(w.found)
		})
	}
	return len(p), nil
}
