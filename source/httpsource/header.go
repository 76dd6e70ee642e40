package httpsource

import (
	"net/http"
	"net/textproto"
	"slices"
)

// maxHeader bounds [source.Info] Header, which many may hold for long.
const maxHeader = 16 << 10

// ofConnection are the fields that are for the next one on the way alone, beside those that Connection names (RFC 9110
// §7.6.1), and those that tell how long one message is, and of which bytes.
var ofConnection = []string{
	"Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authentication-Info", "Proxy-Authorization", "Proxy-Connection", "Te",
	"Trailer", "Transfer-Encoding", "Upgrade", "Content-Length", "Content-Range",
}

// EndToEnd is what the header of an answer has for whoever has asked, be it through others: Header of [source.Info]. It is h, which
// loses what else it has.
func EndToEnd(h http.Header) map[string][]string {
	named := h["Connection"]
	size := 0
	for name, values := range h {
		for _, v := range values {
			size += len(name) + len(v)
		}
		if slices.Contains(ofConnection, name) {
			delete(h, name)
		}
	}
	if size > maxHeader {
		return nil
	}
	for _, name := range splitTokens(named) {
		delete(h, textproto.CanonicalMIMEHeaderKey(name))
	}
	return h
}
