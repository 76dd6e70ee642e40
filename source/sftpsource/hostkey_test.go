package sftpsource

import (
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"

	"spate/internal/servers"
	"spate/source"
	"spate/source/sourcetest"
)

const ten = "0123456789"

// distrust fetches what must not be fetched.
func distrust(t *testing.T, opts *Options, url string) *HostKeyError {
	t.Helper()
	err := sourcetest.FailsWith(t, newSource(t, opts), url, source.KindTLS, 0)
	e, ok := errors.AsType[*HostKeyError](err)
	if !ok {
		t.Fatalf("%v is no *HostKeyError", err)
	}
	return e
}

func TestHostKeyUnknown(t *testing.T) {
	o := newOrigin(t)
	o.Put("/x", []byte(ten))
	for name, text := range map[string]string{"no file": "", "another host": knownhosts.Line([]string{"127.0.0.1:1"}, o.Key.PublicKey())} {
		opts := o.options()
		opts.KnownHosts = []string{filepath.Join(t.TempDir(), "sub", "known_hosts")}
		if text != "" {
			opts.KnownHosts = []string{o.known + ".other"}
			write(t, opts.KnownHosts[0], text+"\n")
		}
		e := distrust(t, opts, o.url+"x")
		if e.Changed || e.Revoked || e.Fingerprint != ssh.FingerprintSHA256(o.Key.PublicKey()) || e.Type != "ssh-ed25519" ||
			e.Host != knownhosts.Normalize(o.Addr()) || !strings.Contains(e.Error(), e.Fingerprint) {
			t.Errorf("%s: %+v", name, e)
		}
		opts.AcceptNew = true
		if _, body, err := sourcetest.Read(t, newSource(t, opts), o.url+"x", source.From(0)); err != nil || body != ten {
			t.Errorf("%s: %q, %v", name, body, err)
		}
		opts.AcceptNew = false // it is known now
		if _, body, err := sourcetest.Read(t, newSource(t, opts), o.url+"x", source.From(0)); err != nil || body != ten {
			t.Errorf("%s, after it was accepted: %q, %v", name, body, err)
		}
		if got, _ := os.ReadFile(opts.KnownHosts[0]); !strings.HasPrefix(string(got), text) {
			t.Errorf("%s: what was known is lost", name)
		}
	}
}

// TestHostKeyAccepted: the fingerprint that the user has said is right makes a key known, for once.
func TestHostKeyAccepted(t *testing.T) {
	o := newOrigin(t)
	o.Put("/x", []byte(ten))
	opts := o.options()
	opts.KnownHosts = []string{filepath.Join(t.TempDir(), "known_hosts")}
	opts.AcceptKeys = []string{ssh.FingerprintSHA256(servers.NewKey().PublicKey())}
	distrust(t, opts, o.url+"x")
	opts.AcceptKeys = append(opts.AcceptKeys, ssh.FingerprintSHA256(o.Key.PublicKey()))
	for _, named := range []func(*url.URL) bool{everywhere, nil} {
		opts.Named = named
		if _, body, err := sourcetest.Read(t, newSource(t, opts), o.url+"x", source.From(0)); err != nil || body != ten {
			t.Errorf("%q, %v", body, err)
		}
	}
	if _, err := os.Stat(opts.KnownHosts[0]); err == nil {
		t.Error("it is written down")
	}
	opts.AcceptNew = true
	write(t, opts.KnownHosts[0], knownhosts.Line([]string{o.Addr()}, servers.NewKey().PublicKey())+"\n")
	if e := distrust(t, opts, o.url+"x"); !e.Changed {
		t.Errorf("%+v: a key that is another than the known one", e)
	}
}

func TestHostKeyChanged(t *testing.T) {
	o := newOrigin(t)
	o.Put("/x", []byte(ten))
	other := servers.NewKey().PublicKey()
	for name, tt := range map[string]struct {
		text    string
		revoked bool
	}{
		"changed": {knownhosts.Line([]string{o.Addr()}, other), false},
		"revoked": {"@revoked * " + strings.TrimSpace(string(ssh.MarshalAuthorizedKey(o.Key.PublicKey()))), true},
	} {
		opts := o.options()
		opts.AcceptNew = true
		write(t, o.known, tt.text+"\n")
		e := distrust(t, opts, o.url+"x")
		if e.Changed == tt.revoked || e.Revoked != tt.revoked || e.Changed && e.Known[0] != o.known+":1" {
			t.Errorf("%s: %+v", name, e)
		}
		if got, _ := os.ReadFile(o.known); string(got) != tt.text+"\n" {
			t.Errorf("%s: known_hosts was changed: %s", name, got)
		}
	}
}

func TestKnownHostsOfNonsense(t *testing.T) {
	o := newOrigin(t)
	write(t, o.known, "nonsense\n")
	sourcetest.FailsWith(t, newSource(t, o.options()), o.url+"x", source.KindLocal, 0)
}
