package httpsource

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"spate/internal/redact"
	"spate/source"
	"spate/source/driver"
)

// follow asks u, and where it leads to, until an answer is no redirect. Errors name the URL that they are about
// unless it is u.
func (s *Source) follow(ctx context.Context, u *url.URL, rng source.Range) (*answer, error) {
	var seen []visit
	var told promises
	for {
		seen = append(seen, visit{u, s.cookieText(u)})
		a, err := s.exchange(ctx, u, rng)
		if err != nil {
			return nil, redirectedTo(u, len(seen)-1, err)
		}
		a.hops = len(seen) - 1
		if !isRedirect(a.resp.StatusCode) {
			a.told = told
			return a, nil
		}
		a.discard()
		told.add(a.resp.Header, u)
		if u, err = s.next(u, a.resp, seen); err != nil {
			return nil, a.redirected(err)
		}
	}
}

func isRedirect(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// next is the URL that resp redirects to. seen are the visits so far.
func (s *Source) next(u *url.URL, resp *http.Response, seen []visit) (*url.URL, error) {
	to, err := location(u, resp)
	if err != nil {
		return nil, driver.Classed(source.KindProtocol, err)
	}
	if to.Scheme != "http" && to.Scheme != "https" {
		return nil, driver.Classed(source.KindRefused, fmt.Errorf("redirect to another scheme: %s", redact.URL(to.String())))
	}
	if err := check(to); err != nil {
		return nil, driver.Classed(source.KindProtocol, fmt.Errorf("redirect: %w", err))
	}
	if again := (visit{to, s.cookieText(to)}); slices.ContainsFunc(seen, again.isSame) {
		return nil, driver.Classed(source.KindProtocol, fmt.Errorf("redirect loop: back to %s", redact.URL(to.String())))
	}
	if len(seen) > s.opts.MaxRedirects {
		return nil, driver.Classed(source.KindProtocol, fmt.Errorf("more than %d redirects", max(s.opts.MaxRedirects, 0)))
	}
	return to, nil
}

// location resolves the Location of resp, an answer of u. Credentials of u stay with u's origin.
func location(u *url.URL, resp *http.Response) (*url.URL, error) {
	loc := resp.Header.Get("Location")
	if loc == "" {
		return nil, fmt.Errorf("status %s without a Location", statusText(resp.StatusCode))
	}
	// Blanks are wrong but common, and within a query net/http would send them as they are.
	ref, err := url.Parse(strings.ReplaceAll(loc, " ", "%20"))
	if err != nil {
		return nil, fmt.Errorf("redirect to a malformed URL: %w", withoutURL(err))
	}
	to := u.ResolveReference(ref)
	to.Fragment, to.RawFragment = "", ""
	if ref.User == nil {
		to.User = nil
		if sameOrigin(u, to) {
			to.User = u.User
		}
	}
	return to, nil
}

// redirected makes err, which is about the final URL of a, name that URL if it is not the one asked for.
func (a *answer) redirected(err error) error { return redirectedTo(a.url, a.hops, err) }

func redirectedTo(u *url.URL, hops int, err error) error {
	if e, ok := errors.AsType[*source.Error](err); ok && hops > 0 {
		e.Err = fmt.Errorf("redirected to %s: %w", redact.URL(u.String()), e.Err)
	}
	return err
}
