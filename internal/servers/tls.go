package servers

import (
	"crypto/tls"

	"spate/internal/localcert"
)

// TLS is the configuration of a server for 127.0.0.1 and localhost, and that of a client that trusts it.
func TLS() (server, client *tls.Config) {
	pair, pool, err := localcert.New()
	check(err)
	return &tls.Config{Certificates: []tls.Certificate{pair}}, &tls.Config{RootCAs: pool}
}
