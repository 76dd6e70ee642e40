package source

import (
	"context"
	"errors"
	"fmt"
	"net/url"
)

// Mux is a Source that hands each URL to the Source of its scheme (lower case). A URL that does not parse, or whose
// scheme has no Source, is an error of KindMalformed. A Mux must not be changed while it is in use.
type Mux map[string]Source

// Open opens rawURL with the Source of its scheme.
func (m Mux) Open(ctx context.Context, rawURL string, rng Range) (*Resource, error) {
	src, err := m.source(rawURL)
	if err != nil {
		return nil, err
	}
	return src.Open(ctx, rawURL, rng)
}

// Dial opens a session with the Source of rawURL's scheme. A Source that is no [Dialer] is its own session.
func (m Mux) Dial(ctx context.Context, rawURL string) (Session, error) {
	src, err := m.source(rawURL)
	if err != nil {
		return nil, err
	}
	return Dial(ctx, src, rawURL)
}

// Dial opens a session of src for rawURL; a src that is no [Dialer] is its own session, and closing that does
// nothing.
func Dial(ctx context.Context, src Source, rawURL string) (Session, error) {
	if d, ok := src.(Dialer); ok {
		return d.Dial(ctx, rawURL)
	}
	return ownSession{src}, nil
}

type ownSession struct{ Source }

func (ownSession) Close() error { return nil }

func (m Mux) source(rawURL string) (Source, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, &Error{Op: "open", URL: rawURL, Kind: KindMalformed, Err: parseCause(err)}
	}
	src, ok := m[u.Scheme]
	if !ok {
		return nil, &Error{Op: "open", URL: rawURL, Kind: KindMalformed, Err: fmt.Errorf("no support for scheme %q", u.Scheme)}
	}
	return src, nil
}

// parseCause drops the URL that url.Error repeats.
func parseCause(err error) error {
	if ue, ok := errors.AsType[*url.Error](err); ok {
		return ue.Err
	}
	return err
}
