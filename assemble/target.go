package assemble

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"spate/format/manifest"
	"spate/source"
)

// A target is an alternative, resolved: what to open and what was promised of it.
type target struct {
	url    string // absolute, without a fragment
	host   string // whose slots it takes; "" for none
	digest []byte // SHA-256; nil: not promised
	size   int64  // -1: not promised
	peek   bool   // no more than the answer's header is wanted

	vouched bool // a local manifest names its host
}

// context is ctx as it is for opening t.
func (t *target) context(ctx context.Context) context.Context {
	if t.vouched {
		return source.Vouch(ctx)
	}
	return ctx
}

var errLocalFromRemote = errors.New("a manifest from the network must not name local files")

// resolve reads one line of the manifest that lists c's part.
func (c *cont) resolve(line string) (target, error) {
	to, err := resolveTarget(c.base(), line)
	if err == nil && c.doc != nil {
		to.vouched = source.Vouches(c.doc.to.url, c.doc.to.vouched, to.url)
	}
	return to, err
}

// resolveTarget reads one line of the manifest at base; base "" is for the URL that the caller asked for.
func resolveTarget(base, line string) (target, error) {
	malformed := func(err error) (target, error) {
		return target{}, &source.Error{Op: "open", URL: line, Kind: source.KindMalformed, Err: err}
	}
	ref, err := manifest.Resolve(base, line)
	if err != nil {
		return malformed(err)
	}
	alt, err := manifest.ParseAlternative(ref)
	if err != nil {
		return malformed(err)
	}
	u, err := url.Parse(alt.URL)
	if err != nil {
		return malformed(err)
	}
	t := target{url: alt.URL, digest: alt.Digest, size: alt.Size}
	if isLocal(u.Scheme) {
		if base != "" && !isLocalURL(base) {
			return target{}, &source.Error{Op: "open", URL: alt.URL, Kind: source.KindRefused, Err: errLocalFromRemote}
		}
		return t, nil
	}
	t.host = u.Host
	return t, nil
}

func isLocal(scheme string) bool { return strings.EqualFold(scheme, "file") }

func isLocalURL(rawURL string) bool {
	scheme, _, _ := strings.Cut(rawURL, ":")
	return isLocal(scheme)
}

func originOf(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil || u.Host == "" {
		return "file"
	}
	return u.Host
}
