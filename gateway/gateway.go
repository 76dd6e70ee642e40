// Package gateway serves anything that spate can read as one seekable URL: a file with its mirrors, a manifest of parts, a
// file of a sequence. Ranges are answered as soon as their bytes are there, from a cache whose blocks are sealed.
//
// A [Gateway] is a [http.Handler]. What it answers, and by which rules, is in docs/spec/gateway.md.
package gateway

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strings"
	"time"

	"spate"
	"spate/gateway/blockcache"
	"spate/gateway/content"
	"spate/gateway/fill"
	"spate/source"
)

// Options of [New].
type Options struct {
	Client *spate.Client     // reads what has no offsets, in order; required
	Source source.Source     // opens what has; required. [Policy.Wrap] keeps it to what may be opened
	Pool   *fill.Pool        // of files; required, and closed by the caller
	Cache  *blockcache.Cache // that the pool has, for the figures; nil: none
	Policy *Policy           // of URLs that are asked for; nil: that of the zero value

	Serve map[string][]string // mirrors by the name they are served under
	// Origin has all paths that are not below /.spate/, where the pages of the gateway are then; nil: there is none.
	Origin *Origin
	Token  string // who asks has to know it; "": nobody has to
	// Page has what is for who looks at it in a browser: /, and all below /view/ and /static/, with Origin below /.spate, which it is
	// handed without; nil: these are no pages, or names of Serve. A guard has seen all that it is asked, but a link of another site may
	// lead to /: Sec-Fetch-Site says so, and nothing may begin by it. Its header and its deadlines for what it sends are its own;
	// what it writes to flushes, and takes deadlines, by a [http.ResponseController].
	Page http.Handler

	// Fresh is for how long a layout of a manifest is used before the manifests are read again; 0: 10 s.
	Fresh time.Duration
	// Log is told of each request, and of what went wrong; nil: nobody is.
	Log *slog.Logger
}

// A Gateway answers requests. It is safe for concurrent use.
type Gateway struct {
	opts    Options
	guard   guard
	front   *front // nil: there is no origin
	prefix  string // of our own pages
	layouts layouts
	seen    seen                    // of Watch
	pages   map[string]http.Handler // by path
	page    http.Handler            // Options.Page; nil: there is none
	metrics *metrics
}

const defaultFresh = 10 * time.Second

// New makes a Gateway.
func New(o *Options) *Gateway {
	g := &Gateway{opts: *o}
	if g.opts.Policy == nil {
		g.opts.Policy = new(Policy)
	}
	if g.opts.Fresh == 0 {
		g.opts.Fresh = defaultFresh
	}
	if g.opts.Log == nil {
		g.opts.Log = slog.New(slog.DiscardHandler)
	}
	g.guard = guard{public: g.opts.Policy.Public, token: g.opts.Token}
	pools := map[string]*fill.Pool{"urls": g.opts.Pool}
	if g.opts.Origin != nil {
		g.prefix, g.front = ownPages, newFront(g, g.opts.Origin)
		g.guard.front = g.front
		pools["origin"] = g.opts.Origin.Pool
	}
	g.layouts.src, g.layouts.fresh = g.opts.Pool.Share(g.opts.Source), g.opts.Fresh
	g.metrics = newMetrics(pools, g.opts.Cache)
	g.pages = map[string]http.Handler{
		g.prefix + "/metrics": g.metrics.handler(),
		g.prefix + "/healthz": http.HandlerFunc(healthy),
	}
	g.addPage()
	return g
}

// addPage has [Options.Page] answer.
func (g *Gateway) addPage() {
	if g.opts.Page == nil {
		return
	}
	g.page, g.guard.entry = http.StripPrefix(g.prefix, g.opts.Page), g.prefix+"/"
	if g.prefix != "" {
		g.pages[g.prefix] = http.RedirectHandler(g.prefix+"/", http.StatusTemporaryRedirect)
	}
}

// pageOf is what answers r where that asks for no resource; nil: it does.
func (g *Gateway) pageOf(a *answer, r *http.Request) http.Handler {
	if h := g.pages[r.URL.Path]; h != nil || g.page == nil {
		return h
	}
	path := strings.TrimPrefix(r.URL.Path, g.prefix)
	if path != "/" && !strings.HasPrefix(path, "/view/") && !strings.HasPrefix(path, "/static/") {
		return nil
	}
	a.isOfPage = true
	return g.page
}

func healthy(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, "ok\n") // who does not read it does not want to know
}

// ServeHTTP answers r.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r = inOriginForm(r)
	a := g.begin(w, r)
	defer a.end()
	if err := g.guard.check(r); err != nil {
		deny(a, err)
		return
	}
	if g.front != nil && g.front.has(r) {
		g.front.serve(a, r)
		return
	}
	if page := g.pageOf(a, r); page != nil {
		page.ServeHTTP(a, r)
		return
	}
	want, err := g.route(r)
	if err != nil {
		deny(a, err)
		return
	}
	want.at, want.end = wants(r)
	a.Header().Set("Content-Security-Policy", "sandbox")
	g.serve(a, r, want)
}

// serve answers with the bytes of want. Where they prove to be of another version before anything was written, those are
// served.
func (g *Gateway) serve(a *answer, r *http.Request, want wanted) {
	const versions = 3
	for tries := 1; ; tries++ {
		err := g.try(a, r, want)
		if err == nil {
			return
		}
		if tries == versions || !errors.Is(err, source.ErrChanged) || r.Context().Err() != nil {
			a.failed(err)
			content.Fail(a, r, err)
			return
		}
	}
}

func (g *Gateway) try(a *answer, r *http.Request, want wanted) error {
	o, err := g.open(r.Context(), want)
	if err != nil {
		return err
	}
	defer o.Close()
	isolate(a.Header(), o.Info().MediaType)
	return content.Serve(a, r, o, &content.Options{Cut: a.failed})
}

// isolate has a page that somebody else wrote shown as if it were of another site: it may not ask for what else is here. What plays film
// and sound is a page of the browser's own, which asks for ranges, and could not if it were of another site.
func isolate(h http.Header, mediaType string) {
	t, _, err := mime.ParseMediaType(mediaType)
	kind, sub, _ := strings.Cut(t, "/")
	if err == nil && sub != "" && (kind == "video" || kind == "audio") {
		h.Del("Content-Security-Policy")
		return
	}
	h.Set("Content-Security-Policy", "sandbox")
}

// An object is what is served; Close gives it back.
type object interface {
	content.Object
	io.Closer
}

// open finds out what is wanted.
func (g *Gateway) open(ctx context.Context, want wanted) (object, error) {
	if want.by != "" {
		if err := g.opts.Policy.AllowURL(want.by); err != nil {
			return nil, err
		}
	}
	if want.file > 0 {
		return g.openInSequence(ctx, want)
	}
	return g.openWhole(ctx, want)
}
