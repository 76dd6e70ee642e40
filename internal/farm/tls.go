package farm

import (
	"crypto/tls"
	"crypto/x509"
	"net"

	"spate/internal/localcert"
)

// certificate is one that signs itself, and a pool that trusts it.
type certificate struct {
	pair tls.Certificate
	pool *x509.CertPool
}

// NewTLS starts an origin as [New] does, that speaks HTTPS: HTTP/2 with who offers it, else HTTP/1.1. Its
// certificate, for 127.0.0.1 and localhost, is trusted by [Farm.ClientTLS] only.
func NewTLS() *Farm {
	pair, pool, err := localcert.New()
	if err != nil {
		panic("farm: " + err.Error())
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic("farm: " + err.Error())
	}
	return start(l, &certificate{pair, pool})
}

// ClientTLS is the configuration of a client that trusts this origin; nil for an origin without TLS.
func (f *Farm) ClientTLS() *tls.Config {
	if f.pool == nil {
		return nil
	}
	return &tls.Config{RootCAs: f.pool}
}

// Certificate is that of this origin, in DER; nil for an origin without TLS.
func (f *Farm) Certificate() []byte { return f.cert }
