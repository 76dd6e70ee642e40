package ftpsource

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
)

// A script is what an origin answers, by command; what is missing it answers as a good one would. "" as an answer is
// silence, and "-" hangs up.
type script map[string]string

// with is s, and more.
func (s script) with(more script) script {
	all := script{}
	for _, from := range []script{s, more} {
		for k, v := range from {
			all[k] = v
		}
	}
	return all
}

var good = script{
	"greeting": "220 hello", "USER": "331 password", "PASS": "230 in", "TYPE": "200 ok", "OPTS": "200 ok",
	"FEAT": "211-features\r\n MDTM\r\n REST STREAM\r\n211 end", "SIZE": "213 10", "MDTM": "213 20240101000000", "REST": "350 go on",
	"RETR": "150 here it comes", "done": "226 that was it", "QUIT": "221 bye", "MLST": "500 what",
}

// A fake is an origin of one file, "0123456789", that behaves as a script says.
type fake struct {
	l      net.Listener
	s      script
	data   string
	served sync.WaitGroup

	mu    sync.Mutex
	heard []string
	conns []net.Conn
}

func newFake(t *testing.T, s script) *fake {
	return startFake(t, good.with(s), "0123456789")
}

func startFake(t *testing.T, s script, data string) *fake {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{l: l, s: s, data: data}
	t.Cleanup(f.close)
	f.served.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			f.keep(c)
			f.served.Go(func() { f.talk(c) })
		}
	})
	return f
}

func (f *fake) keep(c net.Conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.conns = append(f.conns, c)
}

func (f *fake) close() {
	f.l.Close()
	f.mu.Lock()
	for _, c := range f.conns {
		c.Close()
	}
	f.mu.Unlock()
	f.served.Wait()
}

func (f *fake) url(path string) string { return "ftp://" + f.l.Addr().String() + "/" + path }

// commands are those that have come.
func (f *fake) commands() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.heard, "|")
}

// say answers key; it reports false where that ends the connection.
func (f *fake) say(c net.Conn, key string) bool {
	switch answer := f.s[key]; answer {
	case "":
		return true
	case "-":
		return false
	default:
		_, err := fmt.Fprintf(c, "%s\r\n", answer)
		return err == nil
	}
}

func (f *fake) talk(c net.Conn) {
	defer c.Close()
	var data net.Listener
	defer func() {
		if data != nil {
			data.Close()
		}
	}()
	if !f.say(c, "greeting") {
		return
	}
	rest := 0
	for lines := bufio.NewScanner(c); lines.Scan(); {
		f.mu.Lock()
		f.heard = append(f.heard, lines.Text())
		f.mu.Unlock()
		verb, arg, _ := strings.Cut(lines.Text(), " ")
		switch {
		case verb == "EPSV" && f.s["EPSV"] == "":
			if data != nil {
				data.Close()
			}
			data, _ = net.Listen("tcp", "127.0.0.1:0")
			fmt.Fprintf(c, "229 entering (|||%d|)\r\n", data.Addr().(*net.TCPAddr).Port)
		case verb == "RETR" && strings.HasPrefix(f.s["RETR"], "1"):
			f.say(c, "RETR")
			if !f.send(data, rest) || !f.say(c, "done") {
				return
			}
			rest = 0
		default:
			if verb == "REST" && strings.HasPrefix(f.s["REST"], "3") {
				fmt.Sscan(arg, &rest)
			}
			if !f.say(c, verb) {
				return
			}
		}
	}
}

// send sends the data from rest on; it reports false if it could not.
func (f *fake) send(l net.Listener, rest int) bool {
	d, err := l.Accept()
	if err != nil {
		return false
	}
	defer d.Close()
	_, err = d.Write([]byte(f.data[min(rest, len(f.data)):]))
	return err == nil
}
