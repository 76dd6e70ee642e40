package conn

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"unicode"

	"spate/source"
)

// Classed is an error of a kind, still without the URL it is about.
func Classed(kind source.Kind, err error) *source.Error {
	return &source.Error{Kind: kind, Err: err}
}

// Failed completes err, the result of doing op with the URL that the caller gave.
func Failed(op, rawURL string, err error) error {
	e, ok := errors.AsType[*source.Error](err)
	if !ok {
		e = Classed(source.KindOther, err)
	}
	e.Op, e.URL = op, rawURL
	return e
}

// CtxError is why ctx is over, nil if it is not: its error, and its cause if that says more.
func CtxError(ctx context.Context) error {
	err := ctx.Err()
	if err == nil {
		return nil
	}
	if cause := context.Cause(ctx); cause != err {
		return fmt.Errorf("%w: %w", err, cause)
	}
	return err
}

// Interruption classes the error of a caller's context.
func Interruption(over error) *source.Error {
	if errors.Is(over, context.DeadlineExceeded) {
		return Classed(source.KindTimeout, over)
	}
	return Classed(source.KindOther, over)
}

// Classify says what err, of a connection, means. One that has its kind keeps it.
func Classify(err error) *source.Error {
	if e, ok := errors.AsType[*source.Error](err); ok {
		return e
	}
	switch {
	case isTLS(err):
		return Classed(source.KindTLS, err)
	case isTimeout(err):
		return Classed(source.KindTimeout, err)
	case IsNetwork(err):
		return Classed(source.KindNetwork, notEOF(err))
	}
	return Classed(source.KindProtocol, notEOF(err))
}

func isTimeout(err error) bool {
	e, ok := errors.AsType[net.Error](err)
	return ok && e.Timeout()
}

// isTLS reports whether the handshake failed, or either side gave up TLS after it.
func isTLS(err error) bool {
	if e, ok := errors.AsType[*net.OpError](err); ok && (e.Op == "remote error" || e.Op == "local error") {
		return true
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return true
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return true
	}
	return strings.HasPrefix(err.Error(), "tls: ")
}

// IsNetwork reports whether err means that the connection failed, rather than that it carried nonsense.
func IsNetwork(err error) bool {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrClosedPipe) {
		return true
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	_, ok := errors.AsType[syscall.Errno](err)
	return ok
}

// notEOF keeps an io.EOF from being taken for the end of a body.
func notEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("the connection was closed before the answer: %w", io.ErrUnexpectedEOF)
	}
	return err
}

// cut makes err, which ended a body before its end, an io.ErrUnexpectedEOF and nothing like io.EOF.
func cut(err error) error {
	if errors.Is(err, io.EOF) || err == io.ErrUnexpectedEOF {
		return io.ErrUnexpectedEOF
	}
	return fmt.Errorf("%w: %w", io.ErrUnexpectedEOF, err)
}

// maxText bounds what is repeated of an origin's words.
const maxText = 200

// Text is what an origin said, on one line, without control characters and not too long.
func Text(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s[:min(len(s), 2*maxText)], "?"))
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "") + "…"
	}
	return s
}
