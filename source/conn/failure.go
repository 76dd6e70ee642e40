package conn

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"unicode"

	"spate/source"
	"spate/source/driver"
)

// Classify says what err, of a connection, means. One that has its kind keeps it.
func Classify(err error) *source.Error {
	if e, ok := errors.AsType[*source.Error](err); ok {
		return e
	}
	switch {
	case isTLS(err):
		return driver.Classed(source.KindTLS, err)
	case driver.IsTimeout(err):
		return driver.Classed(source.KindTimeout, err)
	case IsNetwork(err):
		return driver.Classed(source.KindNetwork, driver.NotEOF(err))
	}
	return driver.Classed(source.KindProtocol, driver.NotEOF(err))
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
