package fetch

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"spate/source"
	"spate/source/httpsource"
)

// An http2Origin offers HTTP/2, and HTTP/1.1 to who wants that.
type http2Origin struct {
	data   []byte
	only   bool  // HTTP/2 and nothing else
	cut    int   // an answer breaks behind so many bytes; 0: none does
	away   int64 // every so manieth answer has a GOAWAY with it
	asked  atomic.Int64
	protos [3]atomic.Int64 // requests by major version
}

// ServeHTTP ends the stream by RST_STREAM where it breaks, and the connection by GOAWAY where it says it closes it.
func (o *http2Origin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.protos[r.ProtoMajor].Add(1)
	if nth := o.asked.Add(1); o.away > 0 && nth%o.away == 0 {
		w.Header().Set("Connection", "close")
	}
	w.Header().Set("ETag", `"x"`)
	if o.cut > 0 {
		w = &cutter{w, o.cut}
	}
	http.ServeContent(w, r, "x", time.Time{}, bytes.NewReader(o.data))
}

// A cutter breaks what is written.
type cutter struct {
	http.ResponseWriter
	left int
}

func (c *cutter) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p[:min(len(p), c.left)])
	if c.left -= n; c.left == 0 {
		_ = http.NewResponseController(c.ResponseWriter).Flush()
		panic(http.ErrAbortHandler)
	}
	return n, err
}

// scene is o behind TLS, with so many streams a connection. Without sessions all are those of one Source, over HTTP/2.
func (o *http2Origin) scene(t *testing.T, most int, sessions bool) *scene {
	s := httptest.NewUnstartedServer(o)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.Config.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: most}
	s.EnableHTTP2 = true
	if o.only {
		s.Config.Protocols = new(http.Protocols)
		s.Config.Protocols.SetHTTP2(true)
		s.TLS = &tls.Config{NextProtos: []string{"h2"}}
	}
	s.StartTLS()
	t.Cleanup(s.Close)
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	web := httpsource.New(&httpsource.Options{TLSConfig: &tls.Config{RootCAs: pool}})
	t.Cleanup(web.CloseIdleConnections)
	src := source.Source(web)
	if !sessions {
		src = struct{ source.Source }{web}
	}
	return &scene{t: t, data: o.data, src: src, urls: []string{s.URL + "/x"}}
}

// An origin that offers HTTP/2 gives the first answer by that, and other connections are of HTTP/1.1; to who has no sessions
// all are streams.
func TestHTTP2(t *testing.T) {
	for _, tt := range []struct {
		name string
		most int
		away int64
		cut  int
		only bool
	}{
		{name: "as it comes"},
		{name: "one stream a connection", most: 1},
		{name: "RST_STREAM every MiB", cut: MiB},
		{name: "GOAWAY with every answer", away: 1},
		{name: "HTTP/2 alone", only: true},
		{name: "HTTP/2 alone, RST_STREAM every MiB", only: true, cut: MiB},
		{name: "GOAWAY with every third answer, RST_STREAM, one stream a connection", most: 1, away: 3, cut: MiB},
	} {
		for _, sessions := range []bool{true, false} {
			for _, n := range []int{1, 4, 0} {
				t.Run(fmt.Sprintf("%s, sessions %v, %d connections", tt.name, sessions, n), func(t *testing.T) {
					t.Parallel()
					o := &http2Origin{data: whole[:8*MiB+1], only: tt.only, cut: tt.cut, away: tt.away}
					o.scene(t, tt.most, sessions).get(n).wantFile(t, o.data)
					one, two := o.protos[1].Load(), o.protos[2].Load()
					if two == 0 || !sessions && one > 0 || sessions && !tt.only && n > 1 && one == 0 {
						t.Errorf("%d requests by HTTP/1.1, %d by HTTP/2", one, two)
					}
				})
			}
		}
	}
}
