package farm

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"time"
)

// certificate is one that signs itself, and a pool that trusts it.
type certificate struct {
	pair tls.Certificate
	pool *x509.CertPool
}

// NewTLS starts an origin as [New] does, that speaks HTTPS: HTTP/2 with who offers it, else HTTP/1.1. Its
// certificate, for 127.0.0.1 and localhost, is trusted by [Farm.ClientTLS] only.
func NewTLS() *Farm {
	cert, err := newCertificate()
	if err != nil {
		panic("farm: " + err.Error())
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic("farm: " + err.Error())
	}
	return start(l, cert)
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

func newCertificate() (*certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(24 * time.Hour),
		DNSNames:              []string{"localhost"},
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return &certificate{tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, pool}, nil
}
