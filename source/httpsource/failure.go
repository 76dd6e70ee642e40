package httpsource

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"

	"spate/source"
)

// classed is an error of a kind, still without the URL it is about.
func classed(kind source.Kind, err error) *source.Error {
	return &source.Error{Kind: kind, Err: err}
}

// failed completes err, the result of doing op with the URL that the caller gave.
func failed(op, rawURL string, err error) error {
	e, ok := errors.AsType[*source.Error](err)
	if !ok {
		e = classed(source.KindOther, err)
	}
	e.Op, e.URL = op, rawURL
	return e
}

// ctxError is why ctx is over, nil if it is not: its error, and its cause if that says more.
func ctxError(ctx context.Context) error {
	err := ctx.Err()
	if err == nil {
		return nil
	}
	if cause := context.Cause(ctx); cause != err {
		return fmt.Errorf("%w: %w", err, cause)
	}
	return err
}

// classify says what err of a round trip or of reading a body means. over is the error of the caller's context.
func (w *watch) classify(over, err error) *source.Error {
	if e := w.interrupted(over); e != nil {
		return e
	}
	w.mu.Lock()
	tlsErr := w.tlsErr
	w.mu.Unlock()
	switch {
	case isTimeout(err):
		return classed(source.KindTimeout, err)
	case isProxyAuth(err):
		return &source.Error{Kind: source.KindAuth, Status: http.StatusProxyAuthRequired, Err: err}
	case tlsErr != nil, isAlert(err), errors.Is(err, http.ErrSchemeMismatch):
		return classed(source.KindTLS, notEOF(err))
	case isNetwork(err):
		return classed(source.KindNetwork, notEOF(err))
	}
	return classed(source.KindProtocol, err)
}

// interrupted is the error of an exchange that did not end by itself, nil if it did.
func (w *watch) interrupted(over error) *source.Error {
	if over != nil {
		return interruption(over)
	}
	if err := w.verdict(); err != nil {
		return classed(source.KindTimeout, err)
	}
	return nil
}

// interruption classes the error of a caller's context.
func interruption(over error) *source.Error {
	if errors.Is(over, context.DeadlineExceeded) {
		return classed(source.KindTimeout, over)
	}
	return classed(source.KindOther, over)
}

func isTimeout(err error) bool {
	e, ok := errors.AsType[net.Error](err)
	return ok && e.Timeout()
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

// notEOF keeps an io.EOF from being taken for the end of a body.
func notEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("the connection was closed before the answer: %w", io.ErrUnexpectedEOF)
	}
	return err
}

// statusText is the status in words of our own: the origin's could be anything.
func statusText(code int) string {
	return strings.TrimSpace(strconv.Itoa(code) + " " + http.StatusText(code))
}
