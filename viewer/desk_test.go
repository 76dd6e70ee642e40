package viewer_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"spate"
	"spate/source"
	"spate/viewer"
)

// A desk is where a Viewer is asked, as the page asks it.
type desk struct {
	*http.Client
	t     *testing.T
	base  string
	token string
}

func newDesk(t *testing.T, client *http.Client, base string) *desk {
	t.Helper()
	d := &desk{Client: client, t: t, base: base}
	d.token = d.tokenOfPage()
	return d
}

// atDesk has f ask a Viewer of these options, whose streams come from shelf, over connections in memory, in a bubble of synctest: its time is
// that of the bubble.
func atDesk(t *testing.T, o viewer.Options, shelf source.Source, f func(t *testing.T, d *desk)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		o.Client = &spate.Client{Source: shelf}
		v := viewer.New(&o)
		w := &wire{conns: make(chan net.Conn), done: make(chan struct{})}
		server := &http.Server{Handler: v}
		served := make(chan error)
		go func() { served <- server.Serve(w) }()
		transport := &http.Transport{DialContext: w.dial}
		f(t, newDesk(t, &http.Client{Transport: transport}, "http://localhost"))
		if err := v.Close(); err != nil {
			t.Error(err)
		}
		transport.CloseIdleConnections()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		<-served
		time.Sleep(time.Second) // a server lingers after an answer that was refused
	})
}

// wire is a listener in memory.
type wire struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func (w *wire) Accept() (net.Conn, error) {
	select {
	case c := <-w.conns:
		return c, nil
	case <-w.done:
		return nil, net.ErrClosed
	}
}

func (w *wire) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case w.conns <- theirs:
		return ours, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (w *wire) Close() error   { w.once.Do(func() { close(w.done) }); return nil }
func (w *wire) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

var tokenIn = regexp.MustCompile(`name="spate-token" content="([^"]+)"`)

func (d *desk) tokenOfPage() string {
	d.t.Helper()
	status, page := d.ask("GET", "/", "")
	found := tokenIn.FindStringSubmatch(page)
	if status != http.StatusOK || found == nil {
		d.t.Fatalf("the page: %d, %q", status, page)
	}
	return found[1]
}

// do asks for a path. The body of the answer is closed with the test, if not before.
func (d *desk) do(ctx context.Context, method, path, body string, header ...string) *http.Response {
	d.t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, d.base+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	req.Header.Set("X-Spate-Token", d.token)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := d.Do(req)
	if err != nil {
		d.t.Fatalf("%s %s: %v", method, path, err)
	}
	return resp
}

// ask asks for a path, and reads all of the answer.
func (d *desk) ask(method, path, body string, header ...string) (status int, answer string) {
	d.t.Helper()
	resp := d.do(d.t.Context(), method, path, body, header...)
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		d.t.Fatalf("%s %s: %v", method, path, err)
	}
	return resp.StatusCode, string(data)
}

// start begins a view, and returns its path.
func (d *desk) start(url string) string {
	d.t.Helper()
	return d.startWith(`{"url": ` + quoted(url) + `}`)
}

func (d *desk) startWith(asked string) string {
	d.t.Helper()
	status, answer := d.ask("POST", "/view/", asked)
	var view struct{ ID string }
	if err := json.Unmarshal([]byte(answer), &view); err != nil || status != http.StatusCreated {
		d.t.Fatalf("%s: %d, %s", asked, status, answer)
	}
	return "/view/" + view.ID
}

// isOver reports whether a view has ended; if not, it ends.
func (d *desk) isOver(view string) bool {
	d.t.Helper()
	synctest.Wait()
	status, _ := d.ask("DELETE", view, "")
	return status == http.StatusNotFound
}

func quoted(s string) string {
	data, _ := json.Marshal(s) // a string always can be
	return string(data)
}

// shelf is a source in memory: what its URLs have.
type shelf map[string]func(ctx context.Context) io.ReadCloser

func (s shelf) Open(ctx context.Context, url string, rng source.Range) (*source.Resource, error) {
	open, ok := s[url]
	if !ok {
		return nil, &source.Error{Op: "open", URL: url, Kind: source.KindStatus, Status: http.StatusNotFound, Err: errors.New("404 Not Found")}
	}
	return &source.Resource{Info: source.Info{URL: url, Size: -1}, Len: -1, Body: open(ctx)}, nil
}

// has is what is there at once, all of it.
func has(text string) func(context.Context) io.ReadCloser {
	return func(context.Context) io.ReadCloser { return io.NopCloser(strings.NewReader(text)) }
}

// breaks is text, and then an error.
func breaks(text string, err error) func(context.Context) io.ReadCloser {
	return func(context.Context) io.ReadCloser {
		return io.NopCloser(io.MultiReader(strings.NewReader(text), failing{err}))
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// A stall is a body that has a beginning, and then nothing until it is let go.
type stall struct {
	ctx   context.Context
	text  io.Reader
	ended chan struct{} // closed with the body
	once  sync.Once
}

// stalls makes one, for one view.
func stalls(text string) (open func(context.Context) io.ReadCloser, ended <-chan struct{}) {
	s := &stall{text: strings.NewReader(text), ended: make(chan struct{})}
	return func(ctx context.Context) io.ReadCloser {
		s.ctx = ctx
		return s
	}, s.ended
}

func (s *stall) Read(p []byte) (int, error) {
	if n, err := s.text.Read(p); err == nil {
		return n, nil
	}
	<-s.ctx.Done()
	return 0, s.ctx.Err()
}

func (s *stall) Close() error {
	s.once.Do(func() { close(s.ended) })
	return nil
}
