package farm

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
)

// Sizes of one write: of a Body at full speed, and of Gen's buffer and of anything that is slowed down.
const (
	bigWrite   = 256 << 10
	smallWrite = 32 << 10
)

// body sends s, as far as the misbehaviours let it.
func (x *exchange) body(s span) {
	stall := at(x.res.StallAt, s.off, s.end)
	breaks := x.breakPoint(s)
	off := s.off
	if stall < breaks && stall < endless {
		if !x.send(off, stall) {
			return
		}
		x.flush()
		x.stick()
		off = stall
	}
	if x.send(off, min(breaks, s.end)) && breaks < endless {
		x.die()
	}
}

// breakPoint is the offset at which this answer breaks, endless if it does not. One that does is counted.
func (x *exchange) breakPoint(s span) int64 {
	p := at(x.res.BreakAt, s.off, s.end)
	if n := x.res.BreakAfter; n > 0 && s.end-s.off >= n {
		p = min(p, s.off+n)
	}
	if p == endless || x.res.BreakTimes == 0 {
		return p
	}
	x.farm.mu.Lock()
	defer x.farm.mu.Unlock()
	if x.place.breaks >= x.res.BreakTimes {
		return endless
	}
	x.place.breaks++
	return p
}

// send sends the bytes from off to end; false if the content ended before.
func (x *exchange) send(off, end int64) bool {
	step := x.step()
	var buf []byte
	if x.res.Gen != nil {
		buf = make([]byte, smallWrite)
	}
	for off < end {
		p := x.res.read(off, min(end-off, step), buf)
		if len(p) == 0 {
			return false
		}
		x.write(p)
		off += int64(len(p))
	}
	return true
}

// step is the most that is written at once: where a rate limits, a hundredth of a second's worth.
func (x *exchange) step() int64 {
	slow := x.pace.get()
	if all := x.farm.pace.get(); slow == 0 || all > 0 && all < slow {
		slow = all
	}
	if slow == 0 {
		return bigWrite
	}
	return min(max(slow/100, 1), smallWrite)
}

// write sends p as soon as the rates allow it. What was generated, or is slowed down, is not left in a buffer.
func (x *exchange) write(p []byte) {
	slowed := max(x.pace.take(len(p)), x.farm.pace.take(len(p)))
	x.sleep(slowed)
	n, err := x.out.Write(p)
	x.farm.tally.update(x.entry, func(e *Request) { e.Bytes += int64(n) })
	if err != nil || x.ctx().Err() != nil {
		x.abort()
	}
	if slowed > 0 || x.res.Gen != nil {
		x.flush()
	}
}

func (x *exchange) flush() {
	if x.conn == nil {
		_ = http.NewResponseController(x.w).Flush()
	}
}

// die breaks the connection. Over HTTP/2 only the stream can be broken.
func (x *exchange) die() {
	x.flush()
	x.hijack()
	if x.res.Reset {
		reset(x.conn)
	}
	x.farm.tally.note(Broken, x.path)
	x.abort()
}

// reset makes the next Close of c send RST.
func reset(c net.Conn) {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
}

// hijack takes the connection from the server, with what was written before sent. Over HTTP/2 there is none to take.
func (x *exchange) hijack() {
	if x.conn != nil {
		return
	}
	conn, buf, err := http.NewResponseController(x.w).Hijack()
	if err != nil {
		x.abort()
	}
	x.conn, x.out = conn, conn
	context.AfterFunc(x.ctx(), func() { _ = conn.Close() })
	if buf.Flush() != nil {
		x.abort()
	}
}

// rawHeader sends a header that net/http would not.
func (x *exchange) rawHeader(status int, h http.Header) {
	x.hijack()
	h.Set("Connection", "close")
	fmt.Fprintf(x.conn, "HTTP/1.1 %d %s\r\n", status, http.StatusText(status))
	_ = h.Write(x.conn)
	_, _ = x.conn.Write([]byte("\r\n"))
}

func (x *exchange) garbage() {
	x.hijack()
	_, _ = x.conn.Write([]byte("SSH-2.0-farm no HTTP here\r\n"))
	_ = x.conn.Close()
}
