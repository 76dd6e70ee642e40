package spate

import (
	"errors"
	"fmt"
	"io/fs"
	neturl "net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"spate/source"
	"spate/source/driver"
	"spate/source/filesource"
)

var (
	errNoArgument = errors.New("neither a URL nor a file that exists")
	errNoHost     = errors.New("no host in this URL")
)

// URL is the URL that the argument of a command means: an http, https or file URL is one already, and so is one of further
// schemes, in lower case, for which the Client has a Source; the path of an existing file means that file. Anything else, and a URL
// with a blank in it, is a [*source.Error] of KindMalformed; a path that may not be looked at is one of KindLocal.
func URL(arg string, further ...string) (string, error) {
	u, err := neturl.Parse(arg)
	switch {
	case err != nil:
	case u.Scheme == "file":
		return arg, nil
	case isRemote(u.Scheme, further) && driver.CheckURL(arg) != nil:
		return "", malformed(arg, driver.CheckURL(arg))
	case isRemote(u.Scheme, further) && u.Host != "":
		return arg, nil
	case isRemote(u.Scheme, further):
		return "", malformed(arg, errNoHost)
	}
	if _, statErr := os.Stat(arg); statErr != nil {
		return "", noArgument(arg, further, err, statErr)
	}
	abs, err := filepath.Abs(arg)
	if err != nil {
		return "", &source.Error{Op: "open", URL: arg, Kind: source.KindLocal, Err: err}
	}
	return filesource.URL(abs), nil
}

func isRemote(scheme string, further []string) bool {
	return scheme == "http" || scheme == "https" || slices.Contains(further, scheme)
}

func malformed(arg string, err error) error {
	return &source.Error{Op: "open", URL: arg, Kind: source.KindMalformed, Err: err}
}

// noArgument is the error of an arg that is neither. parseErr is nil if it is a URL of another scheme.
func noArgument(arg string, further []string, parseErr, statErr error) error {
	if errors.Is(statErr, fs.ErrPermission) {
		return &source.Error{Op: "open", URL: arg, Kind: source.KindLocal, Err: fs.ErrPermission}
	}
	scheme, _, found := strings.Cut(strings.ToLower(arg), "://")
	if parse, ok := errors.AsType[*neturl.Error](parseErr); ok && found && isRemote(scheme, further) {
		return malformed(arg, parse.Err)
	}
	if found {
		return malformed(arg, noSupport(scheme, further))
	}
	if u, err := neturl.Parse(arg); err == nil && isOpaque(u.Opaque) {
		return malformed(arg, noSupport(u.Scheme, further))
	}
	return malformed(arg, errNoArgument)
}

func noSupport(scheme string, further []string) error {
	there := strings.Join(append([]string{"http", "https"}, further...), ", ")
	return fmt.Errorf("no support for scheme %q; there are %s and file", scheme, there)
}

// isOpaque tells what follows a scheme from the port of a host, and from a password, which parse the same.
func isOpaque(rest string) bool {
	return rest != "" && (rest[0] < '0' || rest[0] > '9') && !strings.Contains(rest, "@")
}
