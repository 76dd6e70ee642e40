package fetch

import (
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"spate/internal/localcert"
	"spate/internal/servers"
	"spate/source/httpsource"
)

// TestNginx: what nginx is configured to do to those who download.
func TestNginx(t *testing.T) {
	data := content(64 << 20)
	for _, c := range []struct {
		name, http, server string
		tls                bool
	}{
		{name: "as it comes"},
		{name: "a rate for each connection", server: "limit_rate 24m;"},
		{name: "the rate falls", server: "limit_rate_after 4m; limit_rate 24m;"},
		{name: "one range in a request", server: "max_ranges 1;"},
		{name: "no ranges", server: "max_ranges 0;"},
		{name: "no ETag", server: "etag off;"},
		{name: "keeps alive three requests long", server: "keepalive_requests 3;"},
		{name: "never keeps alive", server: "keepalive_timeout 0;"},
		{name: "two connections of a client", http: "limit_conn_zone $binary_remote_addr zone=c:1m;", server: "limit_conn c 2; limit_rate 24m;"},
		{name: "two connections of a client, 429", http: "limit_conn_zone $binary_remote_addr zone=c:1m;",
			server: "limit_conn c 2; limit_conn_status 429; limit_rate 24m;"},
		{name: "gzip for all who want it", server: "gzip on; gzip_types *;"},
		{name: "TLS and HTTP/2", tls: true},
	} {
		for _, n := range []int{1, 4, 0} {
			t.Run(fmt.Sprintf("%s, %d connections", c.name, n), func(t *testing.T) {
				t.Parallel()
				s := nginxScene(t, data, c.http, c.server, c.tls)
				s.get(n).wantFile(t, data)
			})
		}
	}
}

// nginxScene is data as /x of an nginx.
func nginxScene(t *testing.T, data []byte, http, server string, https bool) *scene {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "x"), data, 0o644))
	opts, cert, scheme := &httpsource.Options{}, (*tls.Certificate)(nil), "http://"
	if https {
		pair, pool, err := localcert.New()
		must(t, err)
		opts.TLSConfig, cert, scheme = &tls.Config{RootCAs: pool}, &pair, "https://"
	}
	nginx, err := servers.StartNginx(dir, http, server, cert)
	if _, noApt := exec.LookPath("apt-get"); errors.Is(err, servers.ErrNoNginx) && noApt != nil {
		t.Skip(err)
	} else if err != nil {
		t.Fatalf("%v; make deps installs what is missing", err)
	}
	t.Cleanup(func() {
		if log := nginx.Close(); t.Failed() {
			t.Log(log)
		}
	})
	src := httpsource.New(opts)
	t.Cleanup(src.CloseIdleConnections)
	return &scene{t: t, data: data, src: src, urls: []string{scheme + nginx.Addr() + "/x"}}
}
