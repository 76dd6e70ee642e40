package servers

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
)

// A Proxy leads wherever it is asked to: by CONNECT, or by SOCKS 5 (RFC 1928), whichever is spoken. What comes with the answer of
// an origin that speaks first may come in one packet with its own.
type Proxy struct {
	l        *crowd
	login    string // user:password that it wants; "": none
	hosts    map[string]string
	serving  sync.WaitGroup
	mu       sync.Mutex
	asked    []string
	carrying []net.Conn // to where it leads
}

// StartProxy starts a proxy on loopback, over TLS if there is a config. login is the user:password that it wants, "" for none; hosts are the addresses of names
// that only it knows.
func StartProxy(config *tls.Config, login string, hosts map[string]string) *Proxy {
	p := &Proxy{l: listen(), login: login, hosts: hosts}
	var l net.Listener = p.l
	if config != nil {
		l = tls.NewListener(p.l, config)
	}
	p.serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.serving.Go(func() { p.serve(c) })
		}
	})
	return p
}

// Addr is its host:port.
func (p *Proxy) Addr() string { return p.l.Addr().String() }

// Asked are the host:ports that it was asked for, in order.
func (p *Proxy) Asked() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.asked...)
}

// Close ends it, with all that it carries.
func (p *Proxy) Close() {
	p.l.close()
	p.mu.Lock()
	for _, c := range p.carrying {
		c.Close()
	}
	p.mu.Unlock()
	p.serving.Wait()
}

func (p *Proxy) serve(c net.Conn) {
	defer c.Close()
	in := bufio.NewReader(c)
	first, err := in.Peek(1)
	if err != nil {
		return
	}
	agree := p.connect
	if first[0] == 5 {
		agree = p.socks
	}
	to, yes := agree(c, in)
	if to == "" {
		return
	}
	p.mu.Lock()
	p.asked = append(p.asked, to)
	p.mu.Unlock()
	if host, port, _ := net.SplitHostPort(to); p.hosts[host] != "" {
		to = net.JoinHostPort(p.hosts[host], port)
	}
	out, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer out.Close()
	p.mu.Lock()
	p.carrying = append(p.carrying, out)
	p.mu.Unlock()
	io.WriteString(c, yes)
	p.serving.Go(func() { io.Copy(out, in); out.(*net.TCPConn).CloseWrite() })
	io.Copy(c, out)
}

// connect is where an HTTP client wants to go, "" for nowhere, and the answer to that.
func (p *Proxy) connect(c net.Conn, in *bufio.Reader) (to, yes string) {
	req, err := http.ReadRequest(in)
	if err != nil || req.Method != http.MethodConnect {
		return "", ""
	}
	if p.login != "" && req.Header.Get("Proxy-Authorization") != "Basic "+base64.StdEncoding.EncodeToString([]byte(p.login)) {
		fmt.Fprint(c, "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
		return "", ""
	}
	return req.Host, "HTTP/1.1 200 OK\r\n\r\n"
}

// socks is where a client of SOCKS 5 wants to go, "" for nowhere, and the answer to that.
func (p *Proxy) socks(c net.Conn, in *bufio.Reader) (to, yes string) {
	take := func(n int) string {
		b := make([]byte, n)
		if _, err := io.ReadFull(in, b); err != nil {
			return string(make([]byte, n))
		}
		return string(b)
	}
	take(int(take(2)[1]))
	if p.login == "" {
		io.WriteString(c, "\x05\x00")
	} else {
		io.WriteString(c, "\x05\x02")
		user := take(int(take(2)[1]))
		if user+":"+take(int(take(1)[0])) != p.login {
			io.WriteString(c, "\x01\x01")
			return "", ""
		}
		io.WriteString(c, "\x01\x00")
	}
	host := ""
	switch take(4)[3] {
	case 1:
		host = net.IP(take(4)).String()
	case 3:
		host = take(int(take(1)[0]))
	case 4:
		host = net.IP(take(16)).String()
	default:
		return "", ""
	}
	port := binary.BigEndian.Uint16([]byte(take(2)))
	return net.JoinHostPort(host, strconv.Itoa(int(port))), "\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"
}
