// Package viewer is a web page that shows a stream while it arrives: a file, or a sequence file by file, and what happens
// underneath.
//
// A [Viewer] is a [http.Handler], of which a gateway has one (gateway.Options.Page). The page asks it for a view of a URL, and gets
// the bytes, which it reads no faster than it shows them, and the engine's events. What it asks for, and how, is in
// docs/spec/viewer.md.
package viewer

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"embed"
	"encoding/json"
	"html/template"
	"io/fs"
	"net/http"
	"sync"

	"spate"
	"spate/event"
)

//go:embed static
var embedded embed.FS

// Options of [New].
type Options struct {
	// Client opens what is viewed; required, with its Source. Each view has a client of its own, with the same source and options.
	Client *spate.Client
	// Allow says why a URL may not be viewed; nil: all may.
	Allow func(url string) error
	// Watch tells what is there of a URL that a player reads through the gateway; nil: nobody knows.
	Watch func(url string) (event.Event, bool)
	// Named are mirrors by the name under which they are viewed, and under which the gateway has them.
	Named map[string][]string
	// Samples are offered on the page.
	Samples []Sample
	// Discreet says that whoever looks is not to know where the bytes come from: events have no URLs, and errors their kind alone.
	Discreet bool
	// MaxViews is how many there are at once; 0: 32.
	MaxViews int
}

// A Sample is something to view.
type Sample struct {
	Title string `json:"title"`
	URL   string `json:"url"`
	MS    int    `json:"ms,omitempty"` // per file of a sequence; 0: the page's default
}

const defaultViews = 32

// A Viewer serves the page and its views. It is safe for concurrent use. Close it in the end.
type Viewer struct {
	opts  Options
	token string // of this run: without it nothing is started
	page  *template.Template
	mux   *http.ServeMux

	ctx    context.Context // of all views
	cancel context.CancelFunc
	mu     sync.Mutex
	views  map[string]*view
	ended  sync.WaitGroup // of all views
}

// New makes a Viewer.
func New(opts *Options) *Viewer {
	v := &Viewer{opts: *opts, token: rand.Text(), views: map[string]*view{}}
	if v.opts.MaxViews == 0 {
		v.opts.MaxViews = defaultViews
	}
	v.ctx, v.cancel = context.WithCancel(context.Background())
	v.page = template.Must(template.ParseFS(embedded, "static/index.html"))
	static, err := fs.Sub(embedded, "static")
	if err != nil {
		panic(err) // the name is not one of a folder: it is
	}
	v.mux = http.NewServeMux()
	v.mux.HandleFunc("GET /{$}", v.index)
	v.mux.Handle("GET /static/", http.StripPrefix("/static/", http.FileServerFS(static)))
	v.mux.HandleFunc("GET /view/samples", v.samples)
	v.mux.HandleFunc("POST /view/{$}", v.start)
	v.mux.HandleFunc("GET /view/{id}/opened", v.one((*view).serveOpened))
	v.mux.HandleFunc("GET /view/{id}/events", v.one((*view).serveEvents))
	v.mux.HandleFunc("GET /view/{id}/outcome", v.one((*view).serveOutcome))
	v.mux.HandleFunc("GET /view/{id}/body", v.one((*view).serveBody))
	v.mux.HandleFunc("POST /view/{id}/play", v.one((*view).servePlay))
	v.mux.HandleFunc("DELETE /view/{id}", v.one((*view).serveEnd))
	return v
}

// Close ends all views, and waits for them.
func (v *Viewer) Close() error {
	v.mu.Lock()
	v.cancel()
	v.mu.Unlock()
	v.ended.Wait()
	return nil
}

// policy keeps whatever is shown from running, from being shown within another page, and from asking anybody else for anything.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// ServeHTTP answers r.
func (v *Viewer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	v.mux.ServeHTTP(w, r)
}

// index is the page. What its address says starts by itself only where no other site can have made it up.
func (v *Viewer) index(w http.ResponseWriter, r *http.Request) {
	start := "ask"
	switch r.Header.Get("Sec-Fetch-Site") {
	case "none", "same-origin":
		start = "auto"
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = v.page.Execute(w, map[string]string{"Token": v.token, "Start": start}) // whoever does not read it does not want it
}

func (v *Viewer) samples(w http.ResponseWriter, _ *http.Request) {
	all := v.opts.Samples
	if all == nil {
		all = []Sample{}
	}
	answer(w, http.StatusOK, all)
}

// answer sends value as JSON.
func answer(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // whoever does not read it does not want it
}

// refuse answers with why nothing was done.
func refuse(w http.ResponseWriter, status int, why string) {
	answer(w, status, map[string]string{"error": why})
}

// knows reports whether it is our page that asks.
func (v *Viewer) knows(r *http.Request) bool {
	return subtle.ConstantTimeCompare([]byte(r.Header.Get("X-Spate-Token")), []byte(v.token)) == 1
}

const noView = "there is no such view, or it has ended"

// one is a handler for the view that the path names.
func (v *Viewer) one(serve func(*view, http.ResponseWriter, *http.Request)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v.mu.Lock()
		view := v.views[r.PathValue("id")]
		if view != nil {
			view.attach()
		}
		v.mu.Unlock()
		if view == nil {
			refuse(w, http.StatusNotFound, noView)
			return
		}
		defer v.leave(view)
		serve(view, w, r)
	}
}
