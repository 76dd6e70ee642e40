package viewer

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"spate"
)

const (
	maxAsked = 64 << 10         // bytes of what asks for a view
	deserted = 30 * time.Second // a view ends that nobody has asked for anything for so long
)

// What asks for a view.
type asked struct {
	URL  string `json:"url"`
	Skip int64  `json:"skip"` // bytes that the page has already
	// CRC32 (IEEE) of those; absent: they are not compared.
	CRC32 *uint32 `json:"crc32"`
}

// start begins a view.
func (v *Viewer) start(w http.ResponseWriter, r *http.Request) {
	if !v.knows(r) {
		answer(w, http.StatusForbidden, map[string]any{"error": "this page is of an earlier run of the program: load it again", "stale": true})
		return
	}
	want, err := read(http.MaxBytesReader(w, r.Body, maxAsked))
	if err != nil {
		refuse(w, http.StatusBadRequest, "what the page has asked for cannot be read")
		return
	}
	urls, play, err := v.resolve(want.URL)
	if err != nil {
		status := http.StatusForbidden
		if errors.Is(err, errNoURL) {
			status = http.StatusBadRequest
		}
		line, _ := spate.Explain(err)
		refuse(w, status, line)
		return
	}
	one, err := v.begin(urls, play, want)
	if err != nil {
		status := http.StatusTooManyRequests
		if errors.Is(err, errEnding) {
			status = http.StatusServiceUnavailable
		}
		refuse(w, status, err.Error())
		return
	}
	answer(w, http.StatusCreated, map[string]string{"id": one.id})
}

func read(body io.Reader) (want asked, err error) {
	data, err := io.ReadAll(body)
	if err != nil {
		return want, err
	}
	if err := json.Unmarshal(data, &want); err != nil {
		return want, err
	}
	if want.Skip < 0 {
		return want, errors.New("bytes before the first")
	}
	want.URL = strings.TrimSpace(want.URL)
	return want, nil
}

var errNoURL = errors.New("that is no URL: one begins with http://, https:// or the like")

var errEnding = errors.New("the program is ending")

// resolve says what raw stands for, and under which path below the page a player gets it.
func (v *Viewer) resolve(raw string) (mirrors []string, play string, err error) {
	if mirrors := v.opts.Named[raw]; mirrors != nil {
		return mirrors, (&url.URL{Path: raw}).EscapedPath(), nil
	}
	u, err := url.Parse(raw)
	if err != nil || u.Scheme == "" {
		return nil, "", errNoURL
	}
	if v.opts.Allow != nil {
		if err := v.opts.Allow(raw); err != nil {
			return nil, "", err
		}
	}
	return []string{raw}, "s/" + url.PathEscape(raw), nil
}

// begin starts a view, if there is room for one more.
func (v *Viewer) begin(mirrors []string, play string, want asked) (*view, error) {
	one := newView(v.ctx, &v.opts, mirrors, play, want)
	one.id = rand.Text()
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case v.ctx.Err() != nil:
		one.cancel()
		return nil, errEnding
	case len(v.views) >= v.opts.MaxViews:
		one.cancel()
		return nil, fmt.Errorf("there is no room for another stream: %d are being viewed", len(v.views))
	}
	v.views[one.id] = one
	one.idle = time.AfterFunc(deserted, one.cancel)
	v.ended.Go(func() {
		one.run()
		v.mu.Lock()
		defer v.mu.Unlock()
		one.idle.Stop()
		delete(v.views, one.id)
	})
	return one, nil
}

// leave is called when a request for one is over.
func (v *Viewer) leave(one *view) {
	v.mu.Lock()
	defer v.mu.Unlock()
	one.detach()
}

// imageTypes are what a body may be sent as, for an image on the page.
var imageTypes = []string{"image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp", "image/avif", "image/svg+xml", "image/x-icon"}

func isImageType(t string) bool { return slices.Contains(imageTypes, t) }
