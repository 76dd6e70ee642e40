package sftpsource

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"
	xknownhosts "golang.org/x/crypto/ssh/knownhosts"

	"spate/source"
	"spate/source/driver"
)

// A HostKeyError is why a host is not trusted: nothing was sent to it, no name and no password. It comes in an error of
// KindTLS.
type HostKeyError struct {
	Host        string // as in known_hosts: "host", or "[host]:port"
	Type        string // of the key that it showed: "ssh-ed25519"
	Fingerprint string // of that key: "SHA256:…", as ssh-keygen -l prints it
	Changed     bool   // another key is known: the host has a new one, or somebody else answers in its place
	Revoked     bool   // the key is marked as one not to be trusted
	Known       []string
}

func (e *HostKeyError) Error() string {
	key := fmt.Sprintf("the host key of %s, %s %s,", e.Host, e.Type, e.Fingerprint)
	switch {
	case e.Revoked:
		return key + " is revoked"
	case e.Changed:
		return key + " is another than the known one, " + strings.Join(e.Known, ", ")
	}
	return key + " is not known"
}

// A keeper checks the key of one host.
type keeper struct {
	h  *host
	db *knownhosts.HostKeyDB
}

func newKeeper(h *host) (*keeper, error) {
	var there []string
	for _, name := range h.known {
		if _, err := os.Stat(name); err == nil {
			there = append(there, name)
		}
	}
	db, err := knownhosts.NewDB(there...)
	if err != nil {
		return nil, driver.Classed(source.KindLocal, err)
	}
	return &keeper{h, db}, nil
}

// algorithms are those of the keys that are known, so that the host shows one of them; nil for any.
func (k *keeper) algorithms() []string { return k.db.HostKeyAlgorithms(k.h.keyAddr) }

// check is an [ssh.HostKeyCallback].
func (k *keeper) check(_ string, remote net.Addr, key ssh.PublicKey) error {
	err := k.db.HostKeyCallback()(k.h.keyAddr, remote, key)
	if err == nil {
		return nil
	}
	e := &HostKeyError{Host: knownhosts.Normalize(k.h.keyAddr), Type: key.Type(), Fingerprint: ssh.FingerprintSHA256(key)}
	if _, ok := errors.AsType[*xknownhosts.RevokedError](err); ok {
		e.Revoked = true
		return e
	}
	known, ok := errors.AsType[*xknownhosts.KeyError](err)
	if !ok {
		return err // a certificate that is not valid
	}
	for _, w := range known.Want {
		e.Changed = true
		e.Known = append(e.Known, fmt.Sprintf("%s:%d", w.Filename, w.Line))
	}
	switch {
	case e.Changed:
		return e
	case slices.Contains(k.h.accept, e.Fingerprint):
		return nil
	case !k.h.acceptNew || len(k.h.known) == 0:
		return e
	}
	return k.remember(key)
}

// remember adds a key to the first file.
func (k *keeper) remember(key ssh.PublicKey) error {
	name := k.h.known[0]
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return driver.Classed(source.KindLocal, err)
	}
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = fmt.Fprintln(f, knownhosts.Line([]string{k.h.keyAddr}, key))
		if closed := f.Close(); err == nil {
			err = closed
		}
	}
	if err != nil {
		return driver.Classed(source.KindLocal, err)
	}
	return nil
}
