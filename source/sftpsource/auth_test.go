package sftpsource

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"spate/internal/servers"
	"spate/source"
	"spate/source/sourcetest"
)

// A pair is a private key, also in a file.
type pair struct {
	private ed25519.PrivateKey
	public  ssh.PublicKey
	file    string
}

func newPair(t *testing.T, passphrase string) pair {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var block *pem.Block
	if passphrase == "" {
		block, err = ssh.MarshalPrivateKey(private, "")
	} else {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(private, "", []byte(passphrase))
	}
	if err != nil {
		t.Fatal(err)
	}
	p := pair{private: private, file: filepath.Join(t.TempDir(), "id")}
	if p.public, err = ssh.NewPublicKey(public); err != nil {
		t.Fatal(err)
	}
	write(t, p.file, string(pem.EncodeToMemory(block)))
	write(t, p.file+".pub", string(ssh.MarshalAuthorizedKey(p.public)))
	return p
}

// newKeyOrigin is an origin that allows k.
func newKeyOrigin(t *testing.T, k pair) *origin {
	o := &origin{SFTP: servers.StartSFTP(k.public), known: filepath.Join(t.TempDir(), "known_hosts")}
	t.Cleanup(o.Close)
	o.url = "sftp://user@" + o.Addr() + "/"
	write(t, o.known, knownhosts.Line([]string{o.Addr()}, o.Key.PublicKey())+"\n")
	o.Put("/x", []byte(ten))
	return o
}

// startAgent serves the keys at a socket.
func startAgent(t *testing.T, keys ...pair) string {
	t.Helper()
	ring := agent.NewKeyring()
	for _, k := range keys {
		if err := ring.Add(agent.AddedKey{PrivateKey: k.private}); err != nil {
			t.Fatal(err)
		}
	}
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "agent"))
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	t.Cleanup(func() { l.Close(); serving.Wait() })
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { defer c.Close(); _ = agent.ServeAgent(ring, c) })
		}
	})
	return l.Addr().String()
}

func TestLogin(t *testing.T) {
	key, locked, other := newPair(t, ""), newPair(t, "open sesame"), newPair(t, "")
	var many []pair
	for range 3 {
		many = append(many, newPair(t, ""))
	}
	tests := []struct {
		name    string
		allowed pair
		opts    func(*Options)
		config  string
		user    string // of the URL
		says    string // "" where it works
	}{
		{"a key", key, func(o *Options) { o.IdentityFiles = []string{key.file} }, "", "user", ""},
		{"a key of the configuration", key, nil, "IdentityFile " + key.file, "user", ""},
		{"a user of the configuration", key, nil, "User user\nIdentityFile " + key.file, "", ""},
		{"the agent", key, func(o *Options) { o.AgentSocket = startAgent(t, append(many, key)...) }, "", "user", ""},
		{"an encrypted key", locked, func(o *Options) { o.IdentityFiles = []string{locked.file} }, "", "user", "is encrypted, and works through an agent only"},
		{"an encrypted key that the agent has", locked, func(o *Options) {
			o.IdentityFiles = []string{locked.file}
			o.AgentSocket = startAgent(t, locked)
		}, "", "user", ""},
		{"a key of the agent that is named", key, func(o *Options) { o.AgentSocket = startAgent(t, other, key) },
			"IdentitiesOnly yes\nIdentityFile " + key.file, "user", ""},
		{"the agent's keys are not wanted", key, func(o *Options) { o.AgentSocket = startAgent(t, key) },
			"IdentitiesOnly yes\nIdentityFile " + other.file, "user", "a key did not help"},
		{"another key", key, func(o *Options) { o.IdentityFiles = []string{other.file} }, "", "user", "a key did not help"},
		{"no key at all", key, nil, "", "user", "there is no key and no password to offer"},
		{"no such key", key, func(o *Options) { o.IdentityFiles = []string{"/nonexistent"} }, "", "user", "no such file"},
		{"no private key", key, func(o *Options) { o.IdentityFiles = []string{key.file + ".pub"} }, "", "user", "ssh: no key found"},
		{"no agent", key, func(o *Options) { o.AgentSocket = "/nonexistent" }, "", "user", "the agent: "},
		{"a password, and a key", key, func(o *Options) { o.IdentityFiles = []string{key.file} }, "", "user:wrong", ""},
		{"a password", key, nil, "", "user:secret", ""},
		{"a wrong password", key, nil, "", "user:hunter2", "login as user is refused: the password did not help"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := newKeyOrigin(t, tt.allowed)
			opts := o.options()
			if tt.opts != nil {
				tt.opts(opts)
			}
			if tt.config != "" {
				opts.IdentityFiles = nil
				opts.ConfigFiles = []string{filepath.Join(t.TempDir(), "config")}
				write(t, opts.ConfigFiles[0], tt.config+"\n")
			}
			url := "sftp://" + strings.TrimPrefix(tt.user+"@", "@") + o.Addr() + "/x"
			s := newSource(t, opts)
			if tt.says == "" {
				if _, body, err := sourcetest.Read(t, s, url, source.From(0)); err != nil || body != ten {
					t.Errorf("%q, %v", body, err)
				}
				return
			}
			err := sourcetest.FailsWith(t, s, url, source.KindAuth, 401)
			if !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%v does not say %q", err, tt.says)
			}
		})
	}
}
