package viewer_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"spate"
	"spate/event"
	"spate/gateway"
	"spate/gateway/fill"
	"spate/internal/farm"
	"spate/source/httpsource"
	"spate/viewer"
)

// patience is for what happens at once on a machine that has time.
const patience = 60 * time.Second

// A scene is a gateway with its page on loopback, and an origin.
type scene struct {
	*farm.Farm
	t      *testing.T
	change func(*viewer.Options)
	viewer *viewer.Viewer
	server *httptest.Server
	stop   func()
}

// stage starts a gateway with a page; change, where it is not nil, has the page's options before.
func stage(t *testing.T, change func(*viewer.Options)) *scene {
	t.Helper()
	s := &scene{Farm: farm.New(), t: t, change: change}
	t.Cleanup(s.Farm.Close)
	s.start("127.0.0.1:0")
	t.Cleanup(func() { s.stop() }) // what it is then
	return s
}

// start starts the gateway at an address.
func (s *scene) start(address string) {
	s.t.Helper()
	src := httpsource.New(nil)
	client := &spate.Client{Source: src}
	policy := new(gateway.Policy)
	var g *gateway.Gateway
	opts := &viewer.Options{Client: client, Allow: policy.AllowURL,
		Watch: func(url string) (event.Event, bool) { return g.Watch(url) }}
	if s.change != nil {
		s.change(opts)
	}
	s.viewer = viewer.New(opts)
	pool := fill.New(&fill.Options{Source: src})
	g = gateway.New(&gateway.Options{Client: client, Source: src, Pool: pool, Policy: policy, Page: s.viewer})
	s.listen(address, g)
	page := s.viewer
	s.stop = func() {
		if err := page.Close(); err != nil {
			s.t.Error(err)
		}
		s.server.Close()
		if err := pool.Close(); err != nil {
			s.t.Error(err)
		}
		src.CloseIdleConnections()
	}
}

func (s *scene) listen(address string, h http.Handler) {
	s.t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		s.t.Fatal(err)
	}
	s.server = httptest.NewUnstartedServer(h)
	_ = s.server.Listener.Close() // the one that it has made
	s.server.Listener = l
	s.server.Start()
}

// lose breaks all connections to the gateway, and refuses others.
func (s *scene) lose() {
	_ = s.server.Listener.Close() // again below
	s.server.CloseClientConnections()
	s.server.Close()
}

// find has the gateway, which was lost, answer again.
func (s *scene) find() {
	s.t.Helper()
	s.listen(s.server.Listener.Addr().String(), s.server.Config.Handler)
}

// restart ends the program, and starts it again where it was.
func (s *scene) restart() {
	s.t.Helper()
	address := s.server.Listener.Addr().String()
	s.lose()
	s.stop()
	s.start(address)
}

// address is that of the page that views what is under path of the origin; settings are names and values in turn.
func (s *scene) address(path string, settings ...string) string {
	return s.addressOf(s.URL(path), settings...)
}

// addressOf is that of the page that views url.
func (s *scene) addressOf(viewed string, settings ...string) string {
	fragment := url.Values{"url": {viewed}}
	for i := 0; i < len(settings); i += 2 {
		fragment.Set(settings[i], settings[i+1])
	}
	return s.server.URL + "/#" + fragment.Encode()
}

// chromium is the browser of all tests.
var chromium = shared{close: func() {}}

type shared struct {
	once  sync.Once
	ctx   context.Context
	close func()
	err   error
}

func (c *shared) start() (context.Context, error) {
	c.once.Do(func() {
		path, err := exec.LookPath("chromium")
		if err != nil {
			c.err = err
			return
		}
		// A test's machine has no user but root, for whom the sandbox does not work, and no sound card.
		opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox,
			chromedp.Flag("autoplay-policy", "no-user-gesture-required"), chromedp.Flag("mute-audio", true))
		allocator, endAllocator := chromedp.NewExecAllocator(context.Background(), opts...)
		ctx, end := chromedp.NewContext(allocator)
		c.close = func() {
			_ = chromedp.Cancel(ctx) // waits for the browser to end
			end()
			endAllocator()
		}
		c.ctx, c.err = ctx, chromedp.Do(ctx)
	})
	return c.ctx, c.err
}

// A tab is one page in the browser.
type tab struct {
	t   *testing.T
	ctx context.Context

	visits int

	mu   sync.Mutex
	said []string // on its console: messages, exceptions, what its policy kept it from
}

// open shows address in a tab of its own, with an empty profile.
func open(t *testing.T, address string) *tab {
	t.Helper()
	browser, err := chromium.start()
	if err != nil {
		if _, noApt := exec.LookPath("apt-get"); noApt != nil {
			t.Skipf("no browser (Debian: chromium): %v", err)
		}
		t.Fatal(err)
	}
	ctx, end := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	t.Cleanup(end)
	ctx, stop := context.WithTimeout(ctx, 5*time.Minute)
	t.Cleanup(stop)
	p := &tab{t: t, ctx: ctx}
	p.do(chromedp.EmulateViewport(1100, 1000))
	p.listen()
	p.do(chromedp.Navigate(address))
	return p
}

// listen remembers what the console says, and logs it if the test has failed.
func (p *tab) listen() {
	messages, done := chromedp.Console(p.ctx), make(chan struct{})
	go func() {
		defer close(done)
		for m, err := range messages {
			if err != nil {
				return
			}
			p.mu.Lock()
			p.said = append(p.said, fmt.Sprintf("%+v", m))
			p.mu.Unlock()
		}
	}()
	p.t.Cleanup(func() {
		_ = chromedp.Cancel(p.ctx) // closes the tab; what it says of that nobody needs
		<-done
		if p.t.Failed() {
			p.t.Log("console:", p.console())
		}
	})
}

// console is what was said on it so far.
func (p *tab) console() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.said)
}

func (p *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, steps...); err != nil {
		p.t.Fatal(err)
	}
}

// eval is the value of a JavaScript expression.
func eval[T any](p *tab, expression string) T {
	p.t.Helper()
	v, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// wait waits until a JavaScript expression is true.
func (p *tab) wait(expression string) {
	p.t.Helper()
	for {
		_, err := chromedp.Run(p.ctx, chromedp.Poll[bool]("Boolean("+expression+")", chromedp.WithPollingTimeout(patience)))
		if err == nil {
			return
		}
		if !isOfPageBefore(err) {
			p.t.Fatalf("%s: %v; the page has\n%s", expression, err, p.text("body"))
		}
	}
}

// isOfPageBefore reports whether a page was asked that another one has replaced meanwhile.
func isOfPageBefore(err error) bool {
	return slices.ContainsFunc([]string{"Cannot find context", "context was destroyed", "target navigated"}, func(words string) bool {
		return strings.Contains(err.Error(), words)
	})
}

// waitAcross waits as wait does, also while one page follows another.
func (p *tab) waitAcross(expression string) {
	p.t.Helper()
	next := chromedp.Evaluate[bool]("new Promise((is) => requestAnimationFrame(() => is(Boolean("+expression+"))))", chromedp.EvalAwaitPromise)
	for deadline := time.Now().Add(patience); ; {
		is, err := chromedp.Run(p.ctx, next) // an error: the page was another before it had answered
		switch {
		case err == nil && is:
			return
		case time.Now().After(deadline):
			p.t.Fatalf("%s: %v; the page has\n%s", expression, err, p.text("body"))
		}
	}
}

// text is what an element shows.
func (p *tab) text(selector string) string {
	p.t.Helper()
	return eval[string](p, "document.querySelector("+strconv.Quote(selector)+").innerText")
}

// press presses a key.
func (p *tab) press(key string) {
	p.t.Helper()
	p.do(chromedp.KeyEvent(key))
}

// click presses a button.
func (p *tab) click(selector string) {
	p.t.Helper()
	p.do(chromedp.Click(selector))
}

// waitState waits until the page says so of the stream.
func (p *tab) waitState(state string) {
	p.t.Helper()
	p.wait("document.getElementById('state').textContent === " + strconv.Quote(state))
}

// scrollTo scrolls the text to the value of an expression.
func scrollTo(expression string) chromedp.Action[chromedp.Void] {
	return chromedp.Steps(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Run(ctx, chromedp.Evaluate[float64]("document.querySelector('.text').scrollTop = "+expression))
		return err
	}))
}
