package httpsource

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"

	"spate/source"
	"spate/source/driver"
)

// classify says what err of a round trip means. tlsErr is that of its handshake.
func classify(err, tlsErr error) *source.Error {
	if e, ok := errors.AsType[*source.Error](err); ok { // of the dialer
		return e
	}
	switch {
	case driver.IsTimeout(err):
		return driver.Classed(source.KindTimeout, err)
	case isProxyAuth(err):
		return &source.Error{Kind: source.KindAuth, Status: http.StatusProxyAuthRequired, Err: err}
	case tlsErr != nil, isAlert(err), errors.Is(err, http.ErrSchemeMismatch):
		return driver.Classed(source.KindTLS, driver.NotEOF(err))
	case isNetwork(err):
		return driver.Classed(source.KindNetwork, driver.NotEOF(err))
	}
	return driver.Classed(source.KindProtocol, err)
}

// isAlert reports whether the peer, or we, gave up TLS after the handshake, as over a client's certificate.
func isAlert(err error) bool {
	e, ok := errors.AsType[*net.OpError](err)
	return ok && (e.Op == "remote error" || e.Op == "local error")
}

func isProxyAuth(err error) bool {
	e, ok := errors.AsType[*proxyError](err)
	return ok && e.status == http.StatusProxyAuthRequired
}

// isNetwork reports whether err means that the connection failed, rather than that it carried nonsense.
func isNetwork(err error) bool {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) {
		return true
	}
	if _, ok := errors.AsType[*proxyError](err); ok {
		return true
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	if _, ok := errors.AsType[syscall.Errno](err); ok {
		return true
	}
	return isLostConnection(err.Error())
}

// isLostConnection knows the errors of net/http that have no type.
func isLostConnection(text string) bool {
	for _, s := range []string{"server closed idle connection", "client connection lost", "GOAWAY", "connection force closed"} {
		if strings.Contains(text, s) {
			return true
		}
	}
	return false
}

// statusText is the status in words of our own: the origin's could be anything.
func statusText(code int) string {
	return strings.TrimSpace(strconv.Itoa(code) + " " + http.StatusText(code))
}
