package gateway

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"spate/source"
)

func TestIsPublic(t *testing.T) {
	tests := map[string]bool{
		"8.8.8.8": true, "1.1.1.1": true, "2606:4700::1111": true, "192.0.1.1": true, "172.32.0.1": true, "100.128.0.1": true,
		"127.0.0.1": false, "127.255.0.1": false, "::1": false, "0.0.0.0": false, "0.1.2.3": false, "::": false,
		"10.0.0.1": false, "172.16.0.1": false, "172.31.255.255": false, "192.168.1.1": false, "fd00::1": false,
		"169.254.169.254": false, "fe80::1": false, "fe80::1%eth0": false, "fec0::1": false,
		"100.64.0.1": false, "100.127.255.255": false, "192.0.0.8": false, "198.18.0.1": false, "240.0.0.1": false, "255.255.255.255": false,
		"224.0.0.1": false, "ff02::1": false,
		"::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false, "::ffff:8.8.8.8": true,
		"::127.0.0.1": false, "64:ff9b::7f00:1": false, "64:ff9b:1::1": false, "2002:7f00:1::": false, "2001::1": false, "2001:db8::1": false,
		"::ffff:0:127.0.0.1": false, "4000::1": false, "5f00::1": false, "100::1": false, "3fff::1": false, "3ffe::1": true,
	}
	for text, want := range tests {
		if got := IsPublic(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: got %v", text, got)
		}
	}
}

func TestAllowURL(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	for _, d := range []string{dir, other} {
		if err := os.WriteFile(filepath.Join(d, "file"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(other, filepath.Join(dir, "away")); err != nil {
		t.Fatal(err)
	}
	mine := Policy{Dirs: []string{dir}, Named: []string{"file:///etc/hostname"}}
	narrow := Policy{Hosts: []string{"example.org", "*.example.net", "h:8080", "[2606:4700::1]"}}
	public := Policy{Public: true, Hosts: narrow.Hosts, Named: []string{"http://named/x?a=1"}}
	closed := Policy{Public: true}
	tests := []struct {
		name   string
		policy *Policy
		url    string
		want   source.Kind // KindOther: it may be asked for
	}{
		{"any host", &mine, "http://127.0.0.1/x", source.KindOther},
		{"any scheme", &mine, "sftp://h/x", source.KindOther},
		{"a file of an allowed folder", &mine, "file://" + dir + "/file", source.KindOther},
		{"one that is not there", &mine, "file://" + dir + "/none", source.KindOther},
		{"the folder itself", &mine, "file://" + dir, source.KindOther},
		{"a file elsewhere", &mine, "file://" + other + "/file", source.KindRefused},
		{"by a way up", &mine, "file://" + dir + "/../" + filepath.Base(other) + "/file", source.KindRefused},
		{"by an encoded way up", &mine, "file://" + dir + "/%2e%2e/" + filepath.Base(other) + "/file", source.KindRefused},
		{"by a link", &mine, "file://" + dir + "/away/file", source.KindRefused},
		{"a folder whose name begins like the allowed one", &mine, "file://" + dir + "x/file", source.KindRefused},
		{"a named file", &mine, "file:///etc/hostname", source.KindOther},
		{"in capitals", &mine, "FILE:///etc/passwd", source.KindRefused},
		{"no URL", &mine, "http://h\x00", source.KindMalformed},
		{"a host of the list", &narrow, "http://example.org:81/x", source.KindOther},
		{"in capitals, with a name and password", &narrow, "https://u:p@EXAMPLE.org/x", source.KindOther},
		{"a host below it", &narrow, "http://a.example.org/", source.KindRefused},
		{"a host below a star", &narrow, "http://a.b.example.net/", source.KindOther},
		{"the star's own", &narrow, "http://example.net/", source.KindRefused},
		{"one that ends like it", &narrow, "http://aexample.net/", source.KindRefused},
		{"the port of the list", &narrow, "http://h:8080/", source.KindOther},
		{"another port", &narrow, "http://h/", source.KindRefused},
		{"an address", &narrow, "http://[2606:4700::1]:99/", source.KindOther},
		{"another one", &narrow, "http://user:example.org@other/", source.KindRefused},
		{"the host in the path", &narrow, "http://other/example.org", source.KindRefused},
		{"a host of the list, asked for by others", &public, "http://example.org/x", source.KindOther},
		{"what is named", &public, "http://named/x?a=1", source.KindOther},
		{"beside what is named", &public, "http://named/y", source.KindRefused},
		{"nothing is allowed", &closed, "http://example.org/x", source.KindRefused},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.policy.AllowURL(tt.url)
			if (err != nil) != (tt.want != source.KindOther) || source.KindOf(err) != tt.want {
				t.Errorf("%s: got %v, want %v", tt.url, err, tt.want)
			}
		})
	}
}

func TestAllowAddr(t *testing.T) {
	p := Policy{Public: true, Named: []string{"http://inside/x", "ftp://files:2121/y"}}
	tests := []struct {
		host, addr string
		want       bool
	}{
		{"anywhere", "8.8.8.8:80", true},
		{"anywhere", "10.0.0.1:80", false},
		{"169.254.169.254", "169.254.169.254:80", false},
		{"inside", "10.0.0.1:80", true},
		{"INSIDE", "10.0.0.1:80", true},
		{"inside", "10.0.0.1:22", false},
		{"files", "10.0.0.1:2121", true},
		{"files", "10.0.0.1:80", false},
	}
	for _, tt := range tests {
		if err := p.AllowAddr(tt.host, netip.MustParseAddrPort(tt.addr)); (err == nil) != tt.want {
			t.Errorf("%s at %s: got %v", tt.host, tt.addr, err)
		}
	}
	if err := new(Policy).AllowAddr("h", netip.MustParseAddrPort("127.0.0.1:80")); err != nil {
		t.Errorf("its user's own: %v", err)
	}
}
