package source

import (
	"context"
	"net/url"
	"strings"
)

type vouched struct{}

// Vouch returns a context that says of a URL which is opened with it: the user has named its host, in a manifest on this
// machine. A driver may use there what the user has for any host, such as the keys of SSH. It says nothing of passwords,
// which are for one host.
func Vouch(ctx context.Context) context.Context { return context.WithValue(ctx, vouched{}, true) }

// IsVouched reports whether ctx comes of [Vouch].
func IsVouched(ctx context.Context) bool { return ctx.Value(vouched{}) != nil }

// Vouches reports whether to vouch for rawURL, an alternative in a manifest. manifest is the URL by which that was asked
// for; both are absolute. What is local names whom it likes. What is not names nobody but its own origin, and only where it was
// vouched for itself: had a remote manifest a say, it could have the user's keys tried on any host.
func Vouches(manifest string, isVouched bool, rawURL string) bool {
	from, err := url.Parse(manifest)
	if err != nil || from.Scheme == "" {
		return false
	}
	if strings.EqualFold(from.Scheme, "file") {
		return true
	}
	to, err := url.Parse(rawURL)
	return err == nil && isVouched && from.Scheme == to.Scheme && strings.EqualFold(from.Host, to.Host)
}
