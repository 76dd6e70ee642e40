package sftpsource

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"spate/source"
	"spate/source/conn"
	"spate/source/driver"
)

// isLost reports whether the connection has failed, rather than what was asked for. One that is lost while a channel is opened
// has an error without a type: the packet that did not come.
func isLost(err error) bool {
	return strings.HasSuffix(err.Error(), "in response to channel open: <nil>") ||
		errors.Is(err, sftp.ErrSSHFxConnectionLost) || errors.Is(err, sftp.ErrSSHFxNoConnection) || conn.IsNetwork(err)
}

// classify says what err means.
func classify(err error) *source.Error {
	if e, ok := errors.AsType[*source.Error](err); ok {
		return e
	}
	said := func(kind source.Kind, status int, text string) *source.Error {
		return &source.Error{Kind: kind, Status: status, Err: errors.New(text)}
	}
	if e, ok := errors.AsType[*sftp.StatusError](err); ok {
		return refusal(e)
	}
	if e, ok := errors.AsType[*ssh.OpenChannelError](err); ok {
		text := "no channel: " + conn.Text(e.Message)
		switch e.Reason {
		case ssh.ConnectionFailed: // of a hop to the next
			return said(source.KindNetwork, 0, text)
		case ssh.Prohibited:
			return said(source.KindAuth, http.StatusForbidden, text)
		}
		return said(source.KindStatus, http.StatusServiceUnavailable, text)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return said(source.KindStatus, http.StatusNotFound, "no such file")
	case errors.Is(err, fs.ErrPermission):
		return said(source.KindAuth, http.StatusForbidden, "permission denied")
	case isLost(err):
		return lost(err)
	case isNegotiation(err):
		return driver.Classed(source.KindTLS, errors.New(conn.Text(err.Error())))
	}
	return driver.Classed(source.KindProtocol, errors.New(conn.Text(err.Error())))
}

// lost is the error of a connection that has failed.
func lost(err error) *source.Error {
	if conn.IsNetwork(err) {
		return conn.Classify(err)
	}
	return driver.Classed(source.KindNetwork, fmt.Errorf("the connection is lost: %w", io.ErrUnexpectedEOF))
}

// refusal is a status of SFTP that is an error, of those that have no error of io/fs.
func refusal(e *sftp.StatusError) *source.Error {
	r := &source.Error{Kind: source.KindStatus, Status: http.StatusInternalServerError, Err: errors.New(conn.Text(e.Error()))}
	switch e.FxCode() {
	case sftp.ErrSSHFxNoConnection, sftp.ErrSSHFxConnectionLost:
		r.Kind, r.Status = source.KindNetwork, 0
	case sftp.ErrSSHFxBadMessage, sftp.ErrSSHFxOpUnsupported:
		r.Kind, r.Status = source.KindProtocol, 0
	}
	return r
}

// isNegotiation tells that the two sides have no method in common. The error has no type.
func isNegotiation(err error) bool { return strings.Contains(err.Error(), "no common algorithm") }
