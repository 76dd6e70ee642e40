package tracker

import (
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"spate/swarm/wire"
)

const sha1a, sha1b = "da39a3ee5e6b4b0d3255bfef95601890afd80709", "0beec7b5ea3f0fdbc95d0dd47f3c5bc275da8a33"

// What is said, to the byte, and what is logged of it.
func TestTranscript(t *testing.T) {
	inRoom(t, Options{}, func(r *room) {
		a, b := r.client(), r.client()
		a.expect("LOCAL_CHUNKS,1,localhost,15122", "")
		wants(t, r.log(), "P2PTracker,LOCAL_CHUNKS,1,localhost,15122")
		b.expect("LOCAL_CHUNKS,1,127.0.0.1,15123", "")
		wants(t, r.log(), "P2PTracker,LOCAL_CHUNKS,1,localhost,15123")
		a.expect("WHERE_CHUNK,1", "GET_CHUNK_FROM,1,localhost,15122,127.0.0.1,15123")
		wants(t, r.log(), "P2PTracker,WHERE_CHUNK,1", "P2PTracker,GET_CHUNK_FROM,1,localhost,15122,localhost,15123")
		b.expect("WHERE_CHUNK,2", "CHUNK_LOCATION_UNKNOWN,2")
		wants(t, r.log(), "P2PTracker,WHERE_CHUNK,2", "P2PTracker,CHUNK_LOCATION_UNKNOWN,2")
	})
}

// A question that could still grow is answered when the client has paused, one that ends in a line end at once.
func TestQuietTime(t *testing.T) {
	inRoom(t, Options{}, func(r *room) {
		c := r.client()
		for question, want := range map[string]time.Duration{"WHERE_CHUNK,1": wire.QuietTime, "WHERE_CHUNK,1\n": 0, "WHERE_CHUNK,2147483647": 0} {
			begin := time.Now()
			c.ask(question)
			if got := time.Since(begin); got != want {
				t.Errorf("%q: after %v, want %v", question, got, want)
			}
		}
	})
}

// What real clients were seen to do. Each is a fake of one.
func TestQuirks(t *testing.T) {
	tests := []struct {
		name string
		run  func(r *room)
	}{
		{"paces itself, as strangers' trackers need it", func(r *room) {
			c := r.client()
			for i := range 3 {
				c.send(local(i+1, 7000))
				time.Sleep(1100 * time.Millisecond)
			}
			c.expect("WHERE_CHUNK,3", "GET_CHUNK_FROM,3,localhost,7000")
		}},
		{"writes without a pause", func(r *room) {
			c := r.client()
			c.send(local(1, 7000), local(2, 7000), local(3, 80), "WHERE_CHUNK,3")
			c.expect("", "GET_CHUNK_FROM,3,localhost,80")
		}},
		{"glues a question to a registration", func(r *room) {
			c := r.client()
			c.expect("LOCAL_CHUNKS,2,localhost,7901WHERE_CHUNK,3", "CHUNK_LOCATION_UNKNOWN,3")
			c.expect("LOCAL_CHUNKS,3,localhost,70WHERE_CHUNK,3", "GET_CHUNK_FROM,3,localhost,70")
		}},
		{"ends messages with a newline", func(r *room) {
			c := r.client()
			c.expect(local(1, 70)+"\nWHERE_CHUNK,1\n", "GET_CHUNK_FROM,1,localhost,70")
			c.expect("WHERE_CHUNK,10\r\n", "CHUNK_LOCATION_UNKNOWN,10")
		}},
		{"sends whole buffers of C", func(r *room) {
			c := r.client()
			pad := func(s string) string { return s + strings.Repeat("\x00", 1024-len(s)) }
			c.send(pad(local(1, 70)))
			c.expect(pad("WHERE_CHUNK,1"), "GET_CHUNK_FROM,1,localhost,70")
			c.close()
			if n := r.noticed(); n != nil {
				r.t.Errorf("noticed: %q", n)
			}
		}},
		{"cuts a port in two", func(r *room) {
			c := r.client()
			c.send("LOCAL_CHUNKS,1,localhost,7")
			time.Sleep(wire.QuietTime - 1)
			c.send("0")
			time.Sleep(wire.QuietTime - 1)
			c.send("01")
			c.expect("WHERE_CHUNK,1\n", "GET_CHUNK_FROM,1,localhost,7001")
		}},
		{"writes every byte on its own", func(r *room) {
			c := r.client()
			for _, b := range local(12, 70) + "WHERE_CHUNK,12" {
				c.send(string(b))
			}
			c.expect("", "GET_CHUNK_FROM,12,localhost,70")
		}},
		{"asks several things at once", func(r *room) {
			c := r.client()
			c.send(local(2, 7000) + "WHERE_CHUNK,1WHERE_CHUNK,2WHERE_CHUNK,3\n")
			for _, want := range []string{"CHUNK_LOCATION_UNKNOWN,1", "GET_CHUNK_FROM,2,localhost,7000", "CHUNK_LOCATION_UNKNOWN,3"} {
				c.expect("", want) // each in a write of its own
			}
		}},
		{"has a connection for each phase", func(r *room) {
			c := r.client()
			c.send(local(1, 7000))
			c.close()
			c = r.client()
			c.expect("WHERE_CHUNK,1", "GET_CHUNK_FROM,1,localhost,7000")
			c.close()
			c = r.client()
			c.expect(local(2, 7000)+"WHERE_CHUNK,2\n", "GET_CHUNK_FROM,2,localhost,7000")
		}},
		{"hangs up in the middle of a port", func(r *room) {
			c := r.client()
			c.send("LOCAL_CHUNKS,1,localhost,70")
			c.close()
			c = r.client()
			c.expect("WHERE_CHUNK,1", "GET_CHUNK_FROM,1,localhost,70")
		}},
		{"registers the same again", func(r *room) {
			a, b := r.client(), r.client()
			a.send(local(1, 7000), local(1, 7001), local(1, 7000))
			b.send(local(1, 7000))
			b.expect("WHERE_CHUNK,1", "GET_CHUNK_FROM,1,localhost,7000,localhost,7001")
		}},
		{"has another name for this machine", func(r *room) {
			c := r.client()
			c.send("LOCAL_CHUNKS,1,127.0.0.1,7000", "LOCAL_CHUNKS,1,::1,7000", local(1, 7000))
			c.expect("WHERE_CHUNK,1", "GET_CHUNK_FROM,1,127.0.0.1,7000,::1,7000,localhost,7000")
			wants(r.t, r.log(), "P2PTracker,LOCAL_CHUNKS,1,localhost,7000", "P2PTracker,LOCAL_CHUNKS,1,localhost,7000",
				"P2PTracker,LOCAL_CHUNKS,1,localhost,7000", "P2PTracker,WHERE_CHUNK,1",
				"P2PTracker,GET_CHUNK_FROM,1,localhost,7000,localhost,7000,localhost,7000")
		}},
		{"takes the tracker for a peer, and says hello", func(r *room) {
			c := r.client()
			c.expect("Hello\nREQUEST_CHUNK,1\nWHERE_CHUNK,1\n", "CHUNK_LOCATION_UNKNOWN,1")
			c.close()
			if n := r.noticed(); len(n) != 2 || !strings.Contains(n[0], `"Hello"`) || !strings.Contains(n[1], `"REQUEST_CHUNK,1"`) {
				r.t.Errorf("noticed: %q", n)
			}
			wants(r.t, r.log(), "P2PTracker,WHERE_CHUNK,1", "P2PTracker,CHUNK_LOCATION_UNKNOWN,1")
		}},
		{"has a client's log line for a message", func(r *room) {
			c := r.client()
			c.expect("client_1,WHERE_CHUNK,1\n", "CHUNK_LOCATION_UNKNOWN,1")
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { inRoom(t, Options{}, tt.run) })
	}
}

// Both dialects in one swarm: each client is spoken to in its own.
func TestDialects(t *testing.T) {
	hashed := func(chunk int, hash string, port int) string {
		return fmt.Sprintf("LOCAL_CHUNKS,%d,%s,localhost,%d", chunk, hash, port)
	}
	inRoom(t, Options{}, func(r *room) {
		a, b, plain, silent := r.client(), r.client(), r.client(), r.client()
		a.send(hashed(1, sha1a, 7001))
		a.expect("WHERE_CHUNK,1", "CHUNK_LOCATION_UNKNOWN,1") // one alone may be wrong
		b.send(hashed(1, strings.ToUpper(sha1a), 7002))
		b.expect("WHERE_CHUNK,1", "GET_CHUNK_FROM,1,"+sha1a+",localhost,7001,localhost,7002")
		silent.expect("WHERE_CHUNK,1", "GET_CHUNK_FROM,1,"+sha1a+",localhost,7001,localhost,7002")
		plain.send(local(1, 7003))
		plain.expect("WHERE_CHUNK,1", "GET_CHUNK_FROM,1,localhost,7001,localhost,7002,localhost,7003")
		silent.expect("WHERE_CHUNK,1", "GET_CHUNK_FROM,1,localhost,7001,localhost,7002,localhost,7003")
		a.expect("WHERE_CHUNK,1", "GET_CHUNK_FROM,1,"+sha1a+",localhost,7001,localhost,7002")

		// Others say otherwise: most agree on the second, once they are more.
		a.send(hashed(1, sha1b, 7004), hashed(1, sha1b, 7005))
		a.expect("WHERE_CHUNK,1", "GET_CHUNK_FROM,1,"+sha1a+",localhost,7001,localhost,7002")
		plain.send(hashed(1, sha1b, 7003)) // no longer silent about it, nor plain
		plain.expect("WHERE_CHUNK,1", "GET_CHUNK_FROM,1,"+sha1b+",localhost,7003,localhost,7004,localhost,7005")
		wants(t, lastLines(r.log(), 3), "P2PTracker,LOCAL_CHUNKS,1,"+sha1b+",localhost,7003", "P2PTracker,WHERE_CHUNK,1",
			"P2PTracker,GET_CHUNK_FROM,1,"+sha1b+",localhost,7003,localhost,7004,localhost,7005")
	})
}

func lastLines(text string, n int) string {
	lines := strings.SplitAfter(text, "\n")
	return strings.Join(lines[len(lines)-1-n:], "")
}

// A client is dropped when it has not said anything for the time-out. What it has registered stays.
func TestSilent(t *testing.T) {
	inRoom(t, Options{Timeout: time.Minute}, func(r *room) {
		c := r.client()
		c.send(local(1, 7000))
		time.Sleep(59 * time.Second)
		c.expect("WHERE_CHUNK,1", "GET_CHUNK_FROM,1,localhost,7000")
		begin := time.Now()
		for c.receive() != "EOF" {
		}
		if got := time.Since(begin); got != time.Minute+aMoment {
			t.Errorf("dropped after %v", got)
		}
		if st := r.server.Stats(); st.TimedOut != 1 || st.Registrations != 1 {
			t.Errorf("%+v", st)
		}
	})
}

// Who sends a byte from time to time says nothing.
func TestDripping(t *testing.T) {
	inRoom(t, Options{Timeout: time.Minute}, func(r *room) {
		c := r.client()
		begin := time.Now()
		for _, b := range strings.Repeat("LOCAL_CHUNKS,", 10) {
			if _, err := c.Write([]byte(string(b))); err != nil {
				break
			}
			time.Sleep(10 * time.Second)
		}
		if got := time.Since(begin); got > 70*time.Second {
			t.Errorf("dropped after %v", got)
		}
	})
}

// Who does not read what he asked for is dropped, and nobody else waits for him.
func TestSlowReader(t *testing.T) {
	inRoom(t, Options{Timeout: time.Minute}, func(r *room) {
		slow, other := r.client(), r.client()
		slow.send("WHERE_CHUNK,1\n")
		synctest.Wait() // he is being written to
		other.send(local(1, 7000))
		other.expect("WHERE_CHUNK,1", "GET_CHUNK_FROM,1,localhost,7000")
		other.close()
		time.Sleep(time.Minute)
		if got := slow.receive(); got != "EOF" {
			t.Errorf("receives %q", got)
		}
		if st := r.server.Stats(); st.TimedOut != 1 {
			t.Errorf("%+v", st)
		}
		slow.close()
	})
}

// Garbage is told of, not for ever, and ends the connection when it is too long.
func TestGarbage(t *testing.T) {
	inRoom(t, Options{}, func(r *room) {
		c := r.client()
		for range 1000 {
			c.send("\x80\xff%s%d{}[]\n")
		}
		c.expect("WHERE_CHUNK,1", "CHUNK_LOCATION_UNKNOWN,1")
		if n := len(r.noticed()); n != maxGarbage {
			t.Errorf("%d notices", n)
		}
		if st := r.server.Stats(); st.Garbage != 1000 {
			t.Errorf("%+v", st)
		}
	})
}

func TestOversized(t *testing.T) {
	for name, text := range map[string]string{"garbage": "x", "half a message": "LOCAL_CHUNKS,1,localhost,x", "line ends": "\n"} {
		t.Run(name, func(t *testing.T) {
			inRoom(t, Options{}, func(r *room) {
				c := r.client()
				sent := 0
				for err := error(nil); err == nil; {
					var n int
					n, err = c.Write([]byte(strings.Repeat(text, 1000/len(text))))
					sent += n
				}
				if sent <= wire.MaxMessage || sent > wire.MaxMessage+2000 {
					t.Errorf("refused after %d bytes", sent)
				}
				if n := r.noticed(); len(n) == 0 || !strings.Contains(n[len(n)-1], wire.ErrTooLong.Error()) {
					t.Errorf("noticed: %q", n)
				}
			})
		})
	}
}

// More clients than there may be are closed at once; when one has gone, there is room.
func TestTooMany(t *testing.T) {
	inRoom(t, Options{Connections: 2}, func(r *room) {
		a, b, c, d := r.client(), r.client(), r.client(), r.client()
		for _, refused := range []*client{c, d} {
			if got := refused.receive(); got != "EOF" {
				t.Errorf("receives %q", got)
			}
			refused.close()
		}
		a.expect("WHERE_CHUNK,1", "CHUNK_LOCATION_UNKNOWN,1")
		a.close()
		synctest.Wait()
		a = r.client()
		a.expect("WHERE_CHUNK,1", "CHUNK_LOCATION_UNKNOWN,1")
		b.expect("WHERE_CHUNK,1", "CHUNK_LOCATION_UNKNOWN,1")
		if st := r.server.Stats(); st.Refused != 2 || st.Accepted != 5 || st.Connections != 2 || len(r.noticed()) != 1 {
			t.Errorf("%+v, %q", st, r.noticed())
		}
	})
}

// Where there is no memory left, what is registered stays, and is answered.
func TestFull(t *testing.T) {
	inRoom(t, Options{Memory: 3 * (registrationCost + chunkCost + addrCost)}, func(r *room) {
		c := r.client()
		for i := range 20 {
			c.send(local(1, 7001+i))
		}
		got := c.ask("WHERE_CHUNK,1")
		if !strings.HasPrefix(got, "GET_CHUNK_FROM,1,localhost,7001,localhost,7002") || strings.Contains(got, "7020") {
			t.Errorf("answers %q", got)
		}
		if st := r.server.Stats(); st.Registrations+int(st.Unregistered) != 20 || len(r.noticed()) != maxGarbage {
			t.Errorf("%+v, %q", st, r.noticed())
		}
	})
}

// A tracker that stops answers what has come, also what could still grow, and does not wait for anyone.
func TestStop(t *testing.T) {
	inRoom(t, Options{}, func(r *room) {
		_, asking, slow, chatty := r.client(), r.client(), r.client(), r.client()
		asking.send("WHERE_CHUNK,1")
		slow.send("WHERE_CHUNK,1\n")
		synctest.Wait()
		begin := time.Now()
		r.server.stop()
		if got := asking.receive(); got != "CHUNK_LOCATION_UNKNOWN,1" {
			t.Errorf("answers %q", got)
		}
		for {
			if _, err := chatty.Write([]byte("LOCAL_CHUNKS,1,localhost,7000\n")); err != nil {
				break
			}
			time.Sleep(time.Millisecond)
		}
		r.clients.Wait()
		if got := time.Since(begin); got != grace {
			t.Errorf("stopped after %v", got)
		}
	})
}

// A listener that fails for a while, and is closed then.
type failing struct {
	net.Listener
	r     *room
	fails int
}

func (l *failing) Accept() (net.Conn, error) {
	l.fails--
	switch {
	case l.fails > 0:
		return nil, syscall.EMFILE
	case l.fails == 0:
		here, there := net.Pipe()
		l.r.all = append(l.r.all, &client{here, l.r.t})
		return there, nil
	}
	return nil, net.ErrClosed
}

// Where there are no descriptors left the tracker does not turn in circles, and lets clients in when there are some.
func TestAcceptFails(t *testing.T) {
	inRoom(t, Options{}, func(r *room) {
		begin := time.Now()
		r.server.accept(r.t.Context(), &failing{r: r, fails: 11}, &r.clients)
		if got, want := time.Since(begin), (5+10+20+40+80+160+320+640+1000+1000)*time.Millisecond; got != want {
			t.Errorf("%v, want %v", got, want)
		}
		if n := r.noticed(); len(n) != 10 || !strings.Contains(n[0], syscall.EMFILE.Error()) {
			t.Errorf("noticed: %q", n)
		}
		r.all[0].expect("WHERE_CHUNK,1", "CHUNK_LOCATION_UNKNOWN,1")
	})
}
