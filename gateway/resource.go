package gateway

import (
	"context"
	"errors"
	"io"

	"spate"
	"spate/assemble"
	"spate/format/manifest"
	"spate/gateway/fill"
	"spate/source"
)

// errManifest is why a file that proves to be a manifest is not one.
var errManifest = errors.New("it is a manifest")

// refuseManifests is for [fill.What] Accept: the bytes of a manifest are not those that it stands for.
func refuseManifests(info *source.Info) error {
	if manifest.IsManifest(info.URL, info.MediaType) {
		return errManifest
	}
	return nil
}

// openWhole opens what the mirrors urls are: a file, or what a manifest stands for.
func (g *Gateway) openWhole(ctx context.Context, want wanted) (object, error) {
	urls := want.urls
	if !manifest.IsManifest(urls[0], "") {
		f, err := g.opts.Pool.Open(ctx, fill.What{Mirrors: urls, At: want.at, End: want.end, Accept: refuseManifests})
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, errManifest) {
			return nil, err
		}
	}
	return g.openManifest(ctx, urls)
}

// openManifest opens what the first manifest of urls that can be read stands for: from any offset, if it can be laid out,
// else in order.
func (g *Gateway) openManifest(ctx context.Context, urls []string) (object, error) {
	var errs []error
	for _, url := range urls {
		l, err := g.layouts.of(ctx, url)
		switch {
		case err == nil:
			return newJoined(g.opts.Pool, l, func() { g.layouts.forget(url, l) }), nil
		case errors.Is(err, assemble.ErrNoLayout):
			return g.openStream(ctx, url)
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

// A stream is an object that can be read once, from its beginning.
type stream struct {
	*spate.Stream
	info source.Info
}

func (g *Gateway) openStream(ctx context.Context, url string) (object, error) {
	s, err := g.opts.Client.Open(ctx, url)
	if err != nil {
		return nil, err
	}
	info := s.Info()
	return &stream{s, source.Info{URL: info.URL, Size: -1, Name: nameOf(info.Name)}}, nil
}

func (s *stream) Info() source.Info { return s.info }

func (s *stream) Open(context.Context, int64, int64) (io.ReadCloser, error) { return s, nil }
