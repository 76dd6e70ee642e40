package httpsource

import "net/http"

// A Relay is a [http.RoundTripper] for requests that are no opens: any method, any answer. It connects as a [Source] with
// the same Options does, and adds what these have for the origin of the request: Header, and where it is named, Private, the
// login and Certificates. Nothing is followed, no cookie is kept, and of the times only that until an answer's header is bounded.
//
// It is safe for concurrent use. [NewRelay] makes one.
type Relay struct{ source *Source }

// NewRelay makes a Relay. opts may be nil.
func NewRelay(opts *Options) *Relay {
	s := New(opts)
	for _, t := range []*http.Transport{s.transport, s.certified} {
		if t != nil {
			t.ResponseHeaderTimeout = max(s.opts.HeaderTimeout, 0)
		}
	}
	return &Relay{s}
}

// RoundTrip sends req. The userinfo of its URL is sent as basic authentication.
func (r *Relay) RoundTrip(req *http.Request) (*http.Response, error) {
	out := req.Clone(req.Context())
	setAll(out.Header, r.source.opts.Header)
	r.source.identify(out, req.URL)
	out.URL.User = nil
	return r.source.via(out.URL).RoundTrip(out)
}

// CloseIdleConnections closes the connections that carry no request at the moment.
func (r *Relay) CloseIdleConnections() { r.source.CloseIdleConnections() }
