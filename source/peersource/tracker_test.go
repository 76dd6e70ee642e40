package peersource

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"spate/internal/seeds"
	"spate/internal/servers"
	"spate/source"
	"spate/source/sourcetest"
)

// TestTrackerFailures: what the tracker does not say, or says of other things, is nobody's chunk.
func TestTrackerFailures(t *testing.T) {
	for _, tt := range []struct {
		name, answer string
		kind         source.Kind
		status       int
	}{
		{"unknown", "CHUNK_LOCATION_UNKNOWN,1", source.KindStatus, 404},
		{"unknown, with blanks", "CHUNK LOCATION UNKNOWN,1\n", source.KindStatus, 404},
		{"an empty list", "GET_CHUNK_FROM,1,", source.KindStatus, 404},
		{"garbage", "\x00\xffwhatever", source.KindTimeout, 0},
		{"another chunk", "GET_CHUNK_FROM,2,127.0.0.1,1", source.KindTimeout, 0},
		{"no port", "GET_CHUNK_FROM,1,127.0.0.1,99999", source.KindStatus, 404},
		{"nothing", "", source.KindTimeout, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tr := newTracker(t)
			tr.answer(1, tt.answer)
			opts := *short
			if tt.kind == source.KindTimeout { // else the answer may take its time
				opts.ConnectTimeout = 100 * time.Millisecond
			}
			s := fresh(t, &opts)
			e := sourcetest.FailsWith(t, s, tr.url("1"), tt.kind, tt.status)
			if errors.Is(e, fs.ErrNotExist) != (tt.status == 404) {
				t.Errorf("%v: is fs.ErrNotExist: %v", e, !errors.Is(e, fs.ErrNotExist))
			}
		})
	}
	t.Run("away", func(t *testing.T) {
		s := fresh(t, nil)
		for range 3 { // none of which waits until the last is forgotten
			sourcetest.FailsWith(t, s, "peer://"+dead(t)+"/1", source.KindNetwork, 0)
		}
	})
	t.Run("hangs up", func(t *testing.T) {
		d := newDesk(t, func(net.Conn, string) bool { return false })
		sourcetest.FailsWith(t, fresh(t, nil), "peer://"+d.addr()+"/1", source.KindNetwork, 0)
	})
}

// TestGreeting: some trackers greet, and some send an answer in pieces.
func TestGreeting(t *testing.T) {
	tr := newTracker(t)
	p := newPeer(t, sending(ten))
	tr.answer(1, "Connected\nGET_CHUNK_FROM,1,"+at(p.addr())+"\n")
	if _, body, err := sourcetest.Read(t, fresh(t, nil), tr.url("1?chunk=10&size=10"), source.From(0)); err != nil || body != ten {
		t.Errorf("%q, %v", body, err)
	}
}

// TestRegisteredLater: a chunk that nobody has yet is asked for again.
func TestRegisteredLater(t *testing.T) {
	p := newPeer(t, sending(ten))
	asked := 0
	tr := newDesk(t, func(c net.Conn, _ string) bool {
		answer := "CHUNK_LOCATION_UNKNOWN,1"
		if asked++; asked == 2 {
			answer = "GET_CHUNK_FROM,1," + at(p.addr())
		}
		_, err := c.Write([]byte(answer))
		return err == nil
	})
	_, body, err := sourcetest.Read(t, fresh(t, nil), "peer://"+tr.addr()+"/1?chunk=10&size=10", source.From(0))
	if said, _ := tr.messages(); err != nil || body != ten || len(said) != 2 {
		t.Errorf("%q, %v after %q", body, err, said)
	}
}

// TestTrackerGoesAway: who is known is asked again, and what was asked ahead is used.
func TestTrackerGoesAway(t *testing.T) {
	tr := newTracker(t)
	gone := make(chan struct{})
	var once sync.Once
	p := newPeer(t, func(c net.Conn, chunk int) bool {
		first := false
		once.Do(func() { first = true })
		if first {
			_, _ = c.Write([]byte(ten[:4]))
			<-gone
			return breaking("")(c, chunk)
		}
		return sending(ten)(c, chunk)
	})
	tr.register(1, at(p.addr()))
	res, err := fresh(t, nil).Open(t.Context(), tr.url("1?chunk=10&size=10"), source.From(0))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	tr.close()
	close(gone)
	if body, err := io.ReadAll(res.Body); err != nil || string(body) != ten {
		t.Errorf("%q, %v", body, err)
	}
}

// TestManyHolders: a tracker that names thousands of addresses has not all of them connected to.
func TestManyHolders(t *testing.T) {
	tr := newTracker(t)
	p := newPeer(t, sending(""))
	var all []string
	for i := range 3000 {
		all = append(all, fmt.Sprintf("127.0.%d.%d,%d", i/250, i%250, p.l.Addr().(*net.TCPAddr).Port))
	}
	tr.register(1, all...)
	e := sourcetest.Fails(t, fresh(t, nil), tr.url("1"), source.From(0), source.KindNetwork)
	if n := strings.Count(e.Error(), "127.0."); n > 3*maxCauses || !strings.Contains(e.Error(), fmt.Sprintf("%d peers failed; ", maxAsked-maxCauses)) {
		t.Errorf("%d addresses: %v", n, e)
	}
}

// TestOneConnection: however many ask at once, a tracker has one connection, and is asked for nothing that the range does
// not need.
func TestOneConnection(t *testing.T) {
	const n = 20
	tr := newTracker(t)
	p := newPeer(t, sending(ten))
	for chunk := range n {
		tr.register(chunk+1, at(p.addr()))
	}
	s := fresh(t, nil)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			res, err := s.Open(t.Context(), tr.url("1-%d?chunk=10&size=%d", n, 10*n), source.Range{Off: 55, Len: 20})
			if err != nil {
				t.Error(err)
				return
			}
			defer res.Body.Close()
			if body, err := io.ReadAll(res.Body); err != nil || string(body) != "56789"+ten+"01234" {
				t.Errorf("%q, %v", body, err)
			}
		})
	}
	wg.Wait()
	said, conns := tr.messages()
	slices.Sort(said)
	if said = slices.Compact(said); !slices.Equal(said, []string{"WHERE_CHUNK,6", "WHERE_CHUNK,7", "WHERE_CHUNK,8"}) || conns != 1 {
		t.Errorf("asked %q over %d connections", said, conns)
	}
}

// TestSets: without sizes, one chunk that was confirmed vouches for those of its size.
func TestSets(t *testing.T) {
	tr := newTracker(t)
	texts := []string{ten, "abcdefghij", "ABCDEFGHIJ", "xyz"}
	text := func(c net.Conn, chunk int) bool { return sending(texts[chunk-1])(c, chunk) }
	a, b := newPeer(t, text), newPeer(t, text)
	for chunk := range texts {
		tr.register(chunk+1, at(a.addr()), at(b.addr()))
	}
	res, body, err := sourcetest.Read(t, fresh(t, nil), tr.url("1-4"), source.From(0))
	if err != nil || body != strings.Join(texts, "") || res.Size != -1 || res.Seekable || res.Len != -1 {
		t.Errorf("%q, %+v, %v", body, res, err)
	}
	ofA, _ := a.messages()
	ofB, _ := b.messages()
	all := append(ofA, ofB...)
	slices.Sort(all)
	if got := strings.Join(all, " "); got != "REQUEST_CHUNK,1 REQUEST_CHUNK,1 REQUEST_CHUNK,2 REQUEST_CHUNK,3 REQUEST_CHUNK,4 REQUEST_CHUNK,4" {
		t.Errorf("asked for %s", got)
	}
	tr.answer(2, "CHUNK_LOCATION_UNKNOWN,2")
	_, body, err = sourcetest.Read(t, fresh(t, short), tr.url("1-4"), source.From(0))
	if body != ten || !errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, fs.ErrNotExist) || source.KindOf(err) != source.KindNetwork {
		t.Errorf("a chunk that is missing: %q, %v", body, err)
	}
}

// TestRealSwarm: the same with our own tracker and peers.
func TestRealSwarm(t *testing.T) {
	content := sourcetest.Content(1<<20+17, 1)
	const n = 16
	at := realSwarm(t, content, n)
	size := (len(content) + n - 1) / n
	for _, query := range []string{"", fmt.Sprintf("?chunk=%d&size=%d", size, len(content))} {
		_, body, err := sourcetest.Read(t, fresh(t, nil), fmt.Sprintf("peer://%s/1-%d%s", at, n, query), source.From(0))
		if err != nil || body != string(content) {
			t.Errorf("%s: %d bytes, %v", query, len(body), err)
		}
	}
}

// realSwarm is a tracker and two peers that have content.
func realSwarm(t *testing.T, content []byte, n int) (at string) {
	s, err := seeds.Start(n, file(t, content), file(t, content))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s.Addr
}

// TestWay: proxies, addresses of names, and one kind of addresses alone are for the tracker and the peers.
func TestWay(t *testing.T) {
	tr := newTracker(t)
	p := newPeer(t, sending(ten))
	_, port, _ := net.SplitHostPort(p.addr())
	_, trackerPort, _ := net.SplitHostPort(tr.addr())
	tr.register(1, "peer.example,"+port)
	named := "peer://tracker.example:" + trackerPort + "/1?chunk=10&size=10"
	hosts := map[string]string{"tracker.example": "127.0.0.1", "peer.example": "127.0.0.1"}
	proxy := servers.StartProxy(nil, "", hosts)
	t.Cleanup(proxy.Close)
	through, err := url.Parse("socks5h://" + proxy.Addr())
	if err != nil {
		t.Fatal(err)
	}
	resolve := map[string][]string{"tracker.example:" + trackerPort: {"127.0.0.1"}, "peer.example:" + port: {"127.0.0.1"}}
	for name, opts := range map[string]*Options{"proxy": {Proxy: through}, "resolved": {Resolve: resolve}, "IPv4": {Resolve: resolve, Network: "tcp4"}} {
		if _, body, err := sourcetest.Read(t, fresh(t, opts), named, source.From(0)); err != nil || body != ten {
			t.Errorf("%s: %q, %v", name, body, err)
		}
	}
	if asked := proxy.Asked(); !slices.Equal(asked, []string{"tracker.example:" + trackerPort, "peer.example:" + port}) {
		t.Errorf("the proxy was asked for %q", asked)
	}
	sourcetest.Fails(t, fresh(t, &Options{Resolve: resolve, Network: "tcp6"}), named, source.From(0), source.KindNetwork)
	refusing := servers.StartProxy(nil, "me:s3cret", hosts)
	t.Cleanup(refusing.Close)
	if through, err = url.Parse("http://" + refusing.Addr()); err != nil {
		t.Fatal(err)
	}
	e := sourcetest.Fails(t, fresh(t, &Options{Proxy: through}), named, source.From(0), source.KindAuth)
	if !strings.Contains(e.Error(), "tracker: the proxy answered 407") {
		t.Error(e)
	}
}
