package ftpsource

import (
	"errors"
	"fmt"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"

	"github.com/jlaffaye/ftp"

	"spate/source"
	"spate/source/conn"
	"spate/source/driver"
)

// explain classes an error of the client. It does not say everything in types: what the tap has heard helps.
func (c *control) explain(err error) error {
	if _, ok := errors.AsType[*source.Error](err); ok {
		return err
	}
	if errors.Is(err, errTalk) {
		return driver.Classed(source.KindProtocol, errTalk)
	}
	if reply, ok := errors.AsType[*textproto.Error](err); ok {
		return c.refusal(reply.Code, reply.Msg)
	}
	e := conn.Classify(err)
	if e.Kind == source.KindProtocol && c.tap.code >= 400 {
		return c.refusal(c.tap.code, err.Error()) // the client drops some codes
	}
	return e
}

// unlessReply is nil if err is a reply that says no, for good, to a question that needs no answer.
func (c *control) unlessReply(err error) error {
	if reply, ok := errors.AsType[*textproto.Error](err); ok && reply.Code >= 500 && reply.Code != ftp.StatusNotLoggedIn {
		return nil
	}
	if _, ok := errors.AsType[*strconv.NumError](err); ok {
		return nil // told, but not to be understood
	}
	if !conn.IsNetwork(err) && c.tap.code < 400 {
		return nil // a time that is none
	}
	return err
}

// refusal is a reply that is an error.
func (c *control) refusal(code int, msg string) *source.Error {
	text := strings.TrimSpace(strconv.Itoa(code) + " " + conn.Text(msg))
	e := &source.Error{Kind: source.KindStatus, Err: errors.New(text)}
	switch c.tap.verb {
	case "AUTH", "PBSZ", "PROT":
		e.Kind, e.Err = source.KindTLS, fmt.Errorf("no TLS there: %s", text)
		return e
	}
	switch e.Status = status(code, msg); {
	case e.Status == http.StatusUnauthorized, e.Status == http.StatusForbidden:
		e.Kind = source.KindAuth
	case e.Status == 0:
		e.Kind = source.KindProtocol
	case code == ftp.StatusCanNotOpenDataConnection || code == ftp.StatusTransfertAborted:
		e.Kind, e.Status = source.KindNetwork, 0
	}
	return e
}

// status is what HTTP would have said; 0 for a reply that makes no sense there.
func status(code int, msg string) int {
	msg = strings.ToLower(msg)
	busy := strings.Contains(msg, "too many") || strings.Contains(msg, "maximum")
	switch {
	case code == ftp.StatusNotLoggedIn && busy:
		return http.StatusServiceUnavailable
	case code == ftp.StatusInvalidCredentials, code == ftp.StatusNotLoggedIn, code == ftp.StatusLoginNeedAccount, code == ftp.StatusStorNeedAccount:
		return http.StatusUnauthorized
	case code == ftp.StatusFileUnavailable && (strings.Contains(msg, "permission") || strings.Contains(msg, "denied")):
		return http.StatusForbidden
	case code == ftp.StatusFileUnavailable:
		return http.StatusNotFound
	case code >= 400 && code < 500:
		return http.StatusServiceUnavailable
	case code > 504:
		return http.StatusInternalServerError
	}
	return 0
}

// directory is why a directory is not opened.
func directory() error {
	return &source.Error{Kind: source.KindStatus, Status: http.StatusForbidden, Err: errors.New("is a directory")}
}
