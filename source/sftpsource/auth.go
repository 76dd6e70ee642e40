package sftpsource

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"spate/source"
	"spate/source/driver"
)

// A login is an attempt to log in to h: what it has to offer, and what it could not.
type login struct {
	h     *host
	ctx   func() context.Context
	watch *driver.Watch
	agent net.Conn // open until the login is over
	notes []string // why a key is not offered
	keys  int      // that are offered
}

func newLogin(ctx context.Context, w *driver.Watch, h *host) *login {
	return &login{h: h, watch: w, ctx: func() context.Context { return ctx }}
}

func (l *login) close() {
	if l.agent != nil {
		_ = l.agent.Close()
	}
}

// methods are in the order in which they are tried. What is in the URL comes first: origins allow few attempts.
func (l *login) methods() []ssh.AuthMethod {
	var all []ssh.AuthMethod
	if l.h.hasPassword {
		all = append(all, ssh.Password(l.h.password), ssh.KeyboardInteractive(l.answer))
	}
	if !l.h.named {
		return all
	}
	return append(all, ssh.PublicKeysCallback(l.signers))
}

// answer gives the password to whatever is asked for without being shown.
func (l *login) answer(_, _ string, questions []string, echos []bool) ([]string, error) {
	answers := make([]string, len(questions))
	for i := range questions {
		if !echos[i] {
			answers[i] = l.h.password
		}
	}
	return answers, nil
}

// signers are the keys there are: those that the configuration names, those of the agent, the usual ones.
func (l *login) signers() ([]ssh.Signer, error) {
	named := l.files(l.h.identities, true)
	held := l.held()
	if l.h.only {
		held = among(held, named, l.h.identities)
	}
	all := append(named, held...)
	all = append(all, l.files(l.h.usual, false)...)
	all = unique(all)
	l.keys = len(all)
	return all, nil
}

// files are the keys of those files that can be used. One that is named must be there.
func (l *login) files(names []string, named bool) []ssh.Signer {
	var all []ssh.Signer
	for _, name := range names {
		key, err := readKey(name)
		_, encrypted := errors.AsType[*ssh.PassphraseMissingError](err)
		switch {
		case err == nil:
			all = append(all, key)
		case encrypted:
			l.notes = append(l.notes, fmt.Sprintf("%s is encrypted, and works through an agent only (ssh-add %s)", name, name))
		case named || !errors.Is(err, fs.ErrNotExist):
			l.notes = append(l.notes, err.Error())
		}
	}
	return all
}

// maxKeyFile bounds what is taken for a private key.
const maxKeyFile = 1 << 20

func readKey(name string) (ssh.Signer, error) {
	if info, err := os.Stat(name); err == nil && (!info.Mode().IsRegular() || info.Size() > maxKeyFile) {
		return nil, fmt.Errorf("%s is no private key", name)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	key, err := ssh.ParsePrivateKey(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return key, nil
}

// held are the keys of the agent.
func (l *login) held() []ssh.Signer {
	if l.h.agent == "" {
		return nil
	}
	var d net.Dialer
	c, err := d.DialContext(l.ctx(), "unix", l.h.agent)
	if err == nil && !l.watch.Add(c) {
		err = net.ErrClosed
	}
	if err != nil {
		l.notes = append(l.notes, "the agent: "+err.Error())
		return nil
	}
	l.agent = c
	keys, err := agent.NewClient(c).Signers()
	if err != nil {
		l.notes = append(l.notes, "the agent: "+err.Error())
	}
	return keys
}

// among leaves those of held that are in named or whose public half is in a file beside an identity.
func among(held, named []ssh.Signer, identities []string) []ssh.Signer {
	var wanted [][]byte
	for _, k := range named {
		wanted = append(wanted, k.PublicKey().Marshal())
	}
	for _, name := range identities {
		text, err := os.ReadFile(name + ".pub")
		if err != nil {
			continue
		}
		if key, _, _, _, err := ssh.ParseAuthorizedKey(text); err == nil {
			wanted = append(wanted, key.Marshal())
		}
	}
	var all []ssh.Signer
	for _, k := range held {
		for _, w := range wanted {
			if bytes.Equal(k.PublicKey().Marshal(), w) {
				all = append(all, k)
				break
			}
		}
	}
	return all
}

func unique(keys []ssh.Signer) []ssh.Signer {
	seen := map[string]bool{}
	var all []ssh.Signer
	for _, k := range keys {
		if id := string(k.PublicKey().Marshal()); !seen[id] {
			seen[id] = true
			all = append(all, k)
		}
	}
	return all
}

// refused is why the host did not let us in.
func (l *login) refused() error {
	var offered []string
	if l.h.hasPassword {
		offered = append(offered, "the password")
	}
	switch l.keys {
	case 0:
	case 1:
		offered = append(offered, "a key")
	default:
		offered = append(offered, fmt.Sprintf("%d keys", l.keys))
	}
	text := "there is no key and no password to offer"
	if len(offered) > 0 {
		text = strings.Join(offered, " and ") + " did not help"
	}
	text = fmt.Sprintf("login as %s is refused: %s", l.h.user, text)
	if len(l.notes) > 0 {
		text += "; " + strings.Join(l.notes, "; ")
	}
	return &source.Error{Kind: source.KindAuth, Status: http.StatusUnauthorized, Err: errors.New(text)}
}
