package manifest

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// MediaType is the media type of manifests.
const MediaType = "text/parts-manifest"

// suffix is what the URL of a manifest ends in.
const suffix = ".parts"

// IsManifest tells whether a resource is a manifest: the path of its URL or the URL as a whole ends in ".parts", its
// fragment ignored, or its media type is [MediaType], case and parameters ignored. Where a URL was redirected,
// the requested and the final one both count. rawURL may be malformed, mediaType empty.
func IsManifest(rawURL, mediaType string) bool {
	whole, _, _ := strings.Cut(rawURL, "#")
	path, _, _ := strings.Cut(whole, "?")
	if strings.HasSuffix(whole, suffix) || strings.HasSuffix(path, suffix) {
		return true
	}
	mediaType, _, _ = strings.Cut(mediaType, ";")
	return strings.EqualFold(strings.Trim(mediaType, blanks), MediaType)
}

// Resolve resolves ref, an alternative, against base, the final URL of the manifest it stands in (RFC 3986, section
// 5.2). With an empty base ref must be absolute. The result is absolute, has its dot segments removed and keeps the
// fragment of ref as it is.
//
// It is an error if either is malformed, if ref is empty or nothing but a fragment (which would be the manifest
// itself), or if a relative ref meets a base that it cannot be resolved against. Errors do not quote either, as
// they may hold secrets. Whether anything can open the result, its scheme for example, is not looked at.
func Resolve(base, ref string) (string, error) {
	ref, fragment, hasFragment := strings.Cut(ref, "#")
	if ref == "" {
		return "", errNoURL
	}
	r, err := parse(ref)
	if err != nil {
		return "", err
	}
	b := &url.URL{}
	if !r.IsAbs() {
		if b, err = parseBase(base); err != nil {
			return "", err
		}
	}
	abs := b.ResolveReference(r).String()
	if hasFragment {
		abs += "#" + fragment
	}
	return abs, nil
}

// parseBase parses the URL that relative references are resolved against.
func parseBase(base string) (*url.URL, error) {
	if base == "" {
		return nil, errors.New("relative URL without a base")
	}
	u, err := parse(base)
	if err != nil {
		return nil, fmt.Errorf("base: %w", err)
	}
	if !u.IsAbs() || u.Opaque != "" {
		return nil, errors.New("relative URL with a base that has no path")
	}
	return u, nil
}

// parse is url.Parse with errors that do not quote the URL. That of a bad port quotes all behind a colon, which in a
// URL that lacks its host is the password.
func parse(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err == nil {
		return u, nil
	}
	if ue, ok := errors.AsType[*url.Error](err); ok {
		err = ue.Err
	}
	if strings.HasPrefix(err.Error(), "invalid port") {
		err = errors.New("invalid port")
	}
	return nil, fmt.Errorf("malformed URL: %w", err)
}
