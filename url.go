package spate

import (
	"errors"
	"fmt"
	"io/fs"
	neturl "net/url"
	"os"
	"path/filepath"
	"strings"

	"spate/source"
	"spate/source/filesource"
)

var (
	errNoArgument = errors.New("neither a URL nor a file that exists")
	errNoHost     = errors.New("no host in this URL")
)

// URL is the URL that the argument of a command means: an http, https or file URL is one already, and the path of an
// existing file means that file. Anything else is a [*source.Error] of KindMalformed; a path that may not be looked
// at is one of KindLocal.
func URL(arg string) (string, error) {
	u, err := neturl.Parse(arg)
	switch {
	case err != nil:
	case u.Scheme == "file":
		return arg, nil
	case isHTTP(u.Scheme) && u.Host != "":
		return arg, nil
	case isHTTP(u.Scheme):
		return "", malformed(arg, errNoHost)
	}
	if _, statErr := os.Stat(arg); statErr != nil {
		return "", noArgument(arg, err, statErr)
	}
	abs, err := filepath.Abs(arg)
	if err != nil {
		return "", &source.Error{Op: "open", URL: arg, Kind: source.KindLocal, Err: err}
	}
	return filesource.URL(abs), nil
}

func isHTTP(scheme string) bool { return scheme == "http" || scheme == "https" }

func malformed(arg string, err error) error {
	return &source.Error{Op: "open", URL: arg, Kind: source.KindMalformed, Err: err}
}

// noArgument is the error of an arg that is neither. parseErr is nil if it is a URL of another scheme.
func noArgument(arg string, parseErr, statErr error) error {
	if errors.Is(statErr, fs.ErrPermission) {
		return &source.Error{Op: "open", URL: arg, Kind: source.KindLocal, Err: fs.ErrPermission}
	}
	scheme, _, found := strings.Cut(strings.ToLower(arg), "://")
	if parse, ok := errors.AsType[*neturl.Error](parseErr); ok && found && isHTTP(scheme) {
		return malformed(arg, parse.Err)
	}
	if found {
		return malformed(arg, noSupport(scheme))
	}
	if u, err := neturl.Parse(arg); err == nil && isOpaque(u.Opaque) {
		return malformed(arg, noSupport(u.Scheme))
	}
	return malformed(arg, errNoArgument)
}

func noSupport(scheme string) error {
	return fmt.Errorf("no support for scheme %q; there are http, https and file", scheme)
}

// isOpaque tells what follows a scheme from the port of a host, and from a password, which parse the same.
func isOpaque(rest string) bool {
	return rest != "" && (rest[0] < '0' || rest[0] > '9') && !strings.Contains(rest, "@")
}
