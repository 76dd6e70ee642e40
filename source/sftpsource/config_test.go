package sftpsource

import (
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/skeema/knownhosts"

	"spate/source"
	"spate/source/sourcetest"
)

// configured is o's options with a configuration.
func configured(t *testing.T, o *origin, lines ...string) *Options {
	opts := o.options()
	opts.ConfigFiles = []string{filepath.Join(t.TempDir(), "config"), "/nonexistent"}
	host, port, _ := net.SplitHostPort(o.Addr())
	included := filepath.Join(t.TempDir(), "included")
	write(t, included, "Host other\nPort 1\nMatch all\nPort 1\n")
	text := strings.NewReplacer("INCLUDED", included, "HOST", host, "PORT", port, "ADDR", o.Addr(), "KNOWN", o.known).Replace(strings.Join(lines, "\n"))
	write(t, opts.ConfigFiles[0], text+"\n")
	return opts
}

func TestConfig(t *testing.T) {
	o := newOrigin(t)
	o.Put("/x", []byte(ten))
	tests := []struct {
		name, url string
		lines     []string
	}{
		{"another name", "sftp://user:secret@lab/x", []string{"Host lab", "HostName HOST", "Port PORT"}},
		{"a pattern", "sftp://user:secret@lab.example/x", []string{"Host *.example", " HostName=HOST", "\tPort = PORT"}},
		{"the URL's port goes first", "sftp://user:secret@ADDR/x", []string{"Port 1"}},
		{"the URL's user goes first", "sftp://user:secret@ADDR/x", []string{"User nobody"}},
		{"a user", "sftp://:secret@ADDR/x", []string{"User user"}},
		{"Match is not looked at", "sftp://user:secret@lab/x", []string{"Match host lab", "  HostName nowhere.invalid", "Host lab", "HostName HOST", "Port PORT"}},
		{"what is not for us", "sftp://user:secret@ADDR/x", []string{"Host other", "ProxyCommand nc", "Host *", "SendEnv LANG", "# a comment"}},
		{"no hop", "sftp://user:secret@ADDR/x", []string{"ProxyJump none", "ProxyCommand none"}},
		{"known hosts", "sftp://user:secret@ADDR/x", []string{`UserKnownHostsFile /nonexistent "KNOWN"`}},
		{"a hop", "sftp://user:secret@lab/x", []string{"Host lab", "HostName HOST", "Port PORT", "ProxyJump ssh://user:secret@ADDR"}},
		{"two hops", "sftp://user:secret@lab/x", []string{"Host lab", "HostName HOST", "Port PORT", "ProxyJump ssh://user:secret@ADDR, ssh://user:secret@ADDR"}},
		{"a hop of a hop", "sftp://user:secret@lab/x", []string{"Host lab", "HostName HOST", "Port PORT", "ProxyJump ssh://user:secret@hop", "Host hop", "HostName HOST", "Port PORT", "ProxyJump ssh://user:secret@ADDR"}},
		{"an included file", "sftp://user:secret@lab/x", []string{"Host lab", "Include INCLUDED", "HostName HOST", "Port PORT"}},
		{"an included Match", "sftp://user:secret@lab/x", []string{"Include INCLUDED", "Host lab", "HostName HOST", "Port PORT"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			opts := configured(t, o, tt.lines...)
			if tt.name == "known hosts" {
				opts.KnownHosts = nil
			}
			url := strings.Replace(tt.url, "ADDR", o.Addr(), 1)
			if _, body, err := sourcetest.Read(t, newSource(t, opts), url, source.From(0)); err != nil || body != ten {
				t.Errorf("%q, %v", body, err)
			}
		})
	}
}

func TestConfigThatFails(t *testing.T) {
	o := newOrigin(t)
	tests := []struct {
		name  string
		lines []string
		says  string
	}{
		{"ProxyCommand", []string{"ProxyCommand nc %h %p"}, "ProxyCommand"},
		{"a circle", []string{"ProxyJump HOST"}, "in circles"},
		{"a hop of nonsense", []string{"ProxyJump a b"}, "ProxyJump"},
		{"a file that includes itself", []string{"Include config*"}, "includes too much"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := sourcetest.FailsWith(t, newSource(t, configured(t, o, tt.lines...)), o.url+"x", source.KindLocal, 0)
			if !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%v does not say %q", err, tt.says)
			}
		})
	}
}

func TestHostKeyAlias(t *testing.T) {
	o := newOrigin(t)
	o.Put("/x", []byte(ten))
	opts := configured(t, o, "HostKeyAlias lab")
	write(t, o.known, knownhosts.Line([]string{"lab"}, o.Key.PublicKey())+"\n")
	if _, body, err := sourcetest.Read(t, newSource(t, opts), o.url+"x", source.From(0)); err != nil || body != ten {
		t.Errorf("%q, %v", body, err)
	}
}

func TestExpand(t *testing.T) {
	t.Setenv("HOME", "/home/me")
	for in, want := range map[string]string{
		"~/x": "/home/me/x", "%d/x": "/home/me/x", "/a/%h-%p": "/a/host-22", "100%%": "100%", "%": "%", "%z": "%z", "~x": "~x",
	} {
		if got := expand(in, map[byte]string{'h': "host", 'p': "22"}); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
