package main

import (
	"encoding/base64"
	"errors"
	neturl "net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/spf13/pflag"

	"spate/source/sftpsource"
)

// sshFlags say with which keys to log in over SSH, and which hosts to trust. All else comes from the user's configuration
// of SSH.
type sshFlags struct {
	identities, known, accept []string
	listed                    listed
}

func (f *sshFlags) register(fs *pflag.FlagSet) {
	fs.StringArrayVar(&f.identities, "identity", nil, "SSH: log in with the private key in `FILE`; may be repeated")
	fs.StringArrayVar(&f.known, "known-hosts", nil, "SSH: the keys of hosts are in `FILE`; may be repeated")
	fs.Var(hostKeyValue{&f.accept}, "accept-host-key", "SSH: trust the host key of this fingerprint; may be repeated")
}

// options puts what the flags say into o; urls are those of the command line. The files must be there.
func (f *sshFlags) options(o sftpsource.Options, urls []string) (sftpsource.Options, error) {
	given := sftpsource.Origins(urls...)
	o.Named = func(u *neturl.URL) bool { return given(u) || f.listed.has(u) }
	var err error
	if o.IdentityFiles, err = readable(f.identities); err != nil {
		return o, err
	}
	o.KnownHosts, err = readable(f.known)
	o.AcceptKeys = f.accept
	return o, err
}

// readable are the names of files, which are there, in the terms of sftpsource; nil for none.
func readable(names []string) ([]string, error) {
	var all []string
	for _, name := range names {
		file, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		_ = file.Close() // only whether it can be read was of interest
		if name, err = filepath.Abs(name); err != nil {
			return nil, err
		}
		all = append(all, strings.ReplaceAll(name, "%", "%%"))
	}
	return all, nil
}

// hostKeyValue is fingerprints: a [pflag.Value].
type hostKeyValue struct{ all *[]string }

func (v hostKeyValue) Type() string { return "SHA256:HASH" }

func (v hostKeyValue) String() string {
	if v.all == nil {
		return ""
	}
	return strings.Join(*v.all, " ")
}

// Set wants what ssh-keygen -l prints of a key.
func (v hostKeyValue) Set(word string) error {
	hash, ok := strings.CutPrefix(word, "SHA256:")
	if sum, err := base64.RawStdEncoding.Strict().DecodeString(hash); !ok || err != nil || len(sum) != 32 {
		return errors.New("want a fingerprint, SHA256: and 43 characters, as the error about a host that is not known has it")
	}
	*v.all = append(*v.all, word)
	return nil
}

// listed are the origins over SSH of what is being fetched from a list. A list is the user's own, and too long to
// be known as a whole.
type listed struct {
	mu  sync.Mutex
	now map[int64][]string // taken apart where somebody asks: most lists have none over SSH
	n   int64
}

// during makes urls named until end is called.
func (l *listed) during(urls []string) (end func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.now == nil {
		l.now = map[int64][]string{}
	}
	l.n++
	n := l.n
	l.now[n] = urls
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.now, n)
	}
}

func (l *listed) has(u *neturl.URL) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, urls := range l.now {
		if sftpsource.Origins(urls...)(u) {
			return true
		}
	}
	return false
}
