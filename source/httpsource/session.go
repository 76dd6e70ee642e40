package httpsource

import (
	"context"
	"net/http"
	"net/url"

	"spate/source"
	"spate/source/driver"
)

// Dial makes a session for rawURL, with a connection of its own that is made by the first Open. A session opens
// other URLs as well, on a new connection if their host is another. It carries one resource at a time: a second Open
// waits until the body of the first is closed. Close ends what is open.
//
// It speaks HTTP/1.1, as a stream of HTTP/2 is no connection's worth of anything, and HTTP/2 to an origin that speaks
// nothing else.
func (s *Source) Dial(_ context.Context, rawURL string) (source.Session, error) {
	if _, err := parse(rawURL); err != nil {
		return nil, driver.Failed("dial", rawURL, driver.Classed(source.KindMalformed, err))
	}
	src := &Source{opts: s.opts, noHTTP1: s.noHTTP1}
	src.newTransports(protocols((*http.Protocols).SetHTTP1))
	src.streams = &Source{opts: s.opts}
	src.streams.newTransports(protocols((*http.Protocols).SetHTTP2))
	return driver.NewSession(src), nil
}

func protocols(set func(*http.Protocols, bool)) *http.Protocols {
	p := new(http.Protocols)
	set(p, true)
	return p
}

// exchange sends one GET for u and waits for the header of the answer. A session whose origin turns out to have no HTTP/1.1
// asks once more, by HTTP/2; the sessions to come know.
func (s *Source) exchange(ctx context.Context, u *url.URL, rng source.Range) (*answer, error) {
	if s.streams == nil {
		a, _, err := s.ask(ctx, u, rng)
		return a, err
	}
	origin := u.Scheme + "://" + u.Host
	if _, known := s.noHTTP1.Load(origin); known {
		return s.streams.exchange(ctx, u, rng)
	}
	a, noHTTP1, err := s.ask(ctx, u, rng)
	if !noHTTP1 {
		return a, err
	}
	if a, again := s.streams.exchange(ctx, u, rng); again == nil {
		s.noHTTP1.Store(origin, nil)
		return a, nil
	}
	return nil, err
}
