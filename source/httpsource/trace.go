package httpsource

import (
	"crypto/tls"
	"net/http/httptrace"
	"strings"
	"sync"

	"spate/source"
	"spate/source/driver"
)

// A trace follows an exchange up to its header, and has its watch wait for what comes next.
type trace struct {
	watch *driver.Watch
	opts  *Options

	mu       sync.Mutex // before that of watch
	answered bool       // the header has come: what is still reported is late
	conn     httptrace.GotConnInfo
	tlsErr   error
	noALPN   bool // the handshake ended without a protocol
}

// hooks may be called late and from several goroutines.
func (t *trace) hooks() *httptrace.ClientTrace {
	connect := func() { t.watch.Wait("no connection within", t.opts.ConnectTimeout) }
	header := func() { t.watch.Wait("no answer within", t.opts.HeaderTimeout) }
	return &httptrace.ClientTrace{
		GetConn: func(string) {
			t.note(func() { t.tlsErr, t.noALPN = nil, false; connect() })
		},
		TLSHandshakeDone: func(state tls.ConnectionState, err error) {
			t.note(func() { t.tlsErr, t.noALPN = err, err == nil && state.NegotiatedProtocol == "" })
		},
		GotConn: func(info httptrace.GotConnInfo) {
			t.note(func() { t.conn, t.tlsErr = info, nil; header() })
		},
		WroteRequest: func(httptrace.WroteRequestInfo) {
			t.note(header)
		},
	}
}

// note does f with what was reported, if that is anything new.
func (t *trace) note(f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.answered {
		f()
	}
}

// settle ends the wait for the header.
func (t *trace) settle() {
	t.note(func() { t.answered = true; t.watch.Done() })
}

// noProtocol reports whether err, which came in place of a header, may be for want of a protocol in common: the handshake says
// so, or has named none (RFC 7301 §3.2 wants the former; some servers do the latter).
func (t *trace) noProtocol(err error) bool {
	if t.watch.Interrupted() != nil {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.noALPN || isAlert(err) && strings.Contains(err.Error(), "no application protocol")
}

// classify says what err means, which came in place of a header.
func (t *trace) classify(err error) *source.Error {
	if e := t.watch.Interrupted(); e != nil {
		return e
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return classify(err, t.tlsErr)
}
