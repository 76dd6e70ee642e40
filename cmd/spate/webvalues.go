package main

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	neturl "net/url"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"golang.org/x/net/http/httpguts"
)

// A private value is never printed, nor is what was refused as one.
type private interface{ private() }

func isPrivate(v pflag.Value) bool {
	_, ok := v.(private)
	return ok
}

// hidden stands where a secret is.
const hidden = "xxxxx"

// text is a word that is checked: a [pflag.Value].
type text struct {
	word  *string
	kind  string
	check func(string) error
}

func (t text) Set(word string) error {
	if err := t.check(word); err != nil {
		return err
	}
	*t.word = word
	return nil
}

func (t text) Type() string { return t.kind }

func (t text) String() string {
	if t.word == nil {
		return ""
	}
	return *t.word
}

// secret is a text that is not printed.
type secret text

func (s secret) private() {}

func (s secret) Set(word string) error { return text(s).Set(word) }

func (s secret) Type() string { return s.kind }

func (s secret) String() string {
	if text(s).String() == "" {
		return ""
	}
	return hidden
}

func checkUser(word string) error {
	if !strings.Contains(word, ":") {
		return errors.New("want USER:PASSWORD; USER: alone is one without a password")
	}
	return nil
}

// checkReferer refuses what has a meaning of its own elsewhere: sent as it is, it is no page that anybody has come from.
func checkReferer(word string) error {
	switch {
	case word == "*":
		return errors.New("want the URL of a page; that of the file itself, which * is for aria2, is not sent")
	case strings.HasSuffix(word, ";auto"):
		return errors.New("want the URL of a page; where a redirect came from, which ;auto is for curl, is not sent")
	}
	return checkField(word)
}

func checkToken(word string) error {
	if word == "" || strings.ContainsAny(word, " \t") {
		return errors.New("want a token, without blanks")
	}
	return checkField(word)
}

// checkField wants what can be sent as the value of a header.
func checkField(word string) error {
	if !httpguts.ValidHeaderFieldValue(word) {
		return errors.New("has a control character")
	}
	return nil
}

const noProxy = "none"

func checkProxy(word string) error {
	if word == noProxy {
		return nil
	}
	_, err := proxyURL(word)
	return err
}

// proxyURL reads a proxy; without a scheme it is http.
func proxyURL(word string) (*neturl.URL, error) {
	if !strings.Contains(word, "://") {
		word = "http://" + word
	}
	u, err := neturl.Parse(word)
	if err != nil || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" {
		return nil, errors.New("want a proxy as http://HOST:PORT or socks5://HOST:PORT, or none")
	}
	if !slices.Contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme) {
		return nil, errors.New("a proxy is http, https, socks5 or socks5h")
	}
	return u, nil
}

// headerValue is a header, added to those that are there.
type headerValue struct{ all http.Header }

func (v headerValue) private() {}

func (v headerValue) Type() string { return "HEADER" }

// String names the headers.
func (v headerValue) String() string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(v.all)) {
		names = append(names, name+": "+hidden)
	}
	return strings.Join(names, ", ")
}

// governed are the headers that are not for the user to set, with what does instead.
var governed = map[string]string{
	"Host":                "the host is that of the URL; --resolve HOST:PORT:ADDR says where it is",
	"Range":               "spate asks for the ranges it needs; --max-bytes ends early",
	"If-Range":            "spate compares validators itself",
	"Accept-Encoding":     "spate asks for identity: coded bytes cannot be joined",
	"Proxy-Authorization": "user and password go into the URL of --proxy",
	"Connection":          "", "Keep-Alive": "", "Te": "", "Trailer": "", "Upgrade": "", "Expect": "",
	"Transfer-Encoding": "", "Content-Length": "", "Proxy-Connection": "",
}

var errHeader = errors.New("want Name: value, or Name: alone, which removes the header; Name; is an empty one")

// Set reads curl's three forms.
func (v headerValue) Set(line string) error {
	name, value, ok := strings.Cut(line, ":")
	empty := false
	if !ok {
		name, empty = strings.CutSuffix(line, ";")
		ok = empty
	}
	if !ok || !httpguts.ValidHeaderFieldName(name) {
		return errHeader
	}
	name, value = http.CanonicalHeaderKey(name), strings.TrimSpace(value)
	if why, ok := governed[name]; ok {
		if why == "" {
			why = "spate needs it to be as it is"
		}
		return fmt.Errorf("%s is not to be set: %s", name, why)
	}
	if err := checkField(value); err != nil {
		return err
	}
	if value == "" && !empty {
		v.all[name] = nil
		return nil
	}
	v.all.Add(name, value)
	return nil
}

// cookieValue is cookies as they are sent.
type cookieValue struct{ all *[]string }

func (v cookieValue) private() {}

func (v cookieValue) Type() string { return "COOKIE" }

func (v cookieValue) String() string {
	if v.all == nil || len(*v.all) == 0 {
		return ""
	}
	return hidden
}

func (v cookieValue) Set(word string) error {
	if name, _, ok := strings.Cut(word, "="); !ok || name == "" {
		return errors.New("want NAME=VALUE; --load-cookies reads a file")
	}
	if err := checkField(word); err != nil {
		return err
	}
	*v.all = append(*v.all, word)
	return nil
}

// resolveValue is where a host is, added to what is known.
type resolveValue struct{ all map[string][]string }

func (v resolveValue) Type() string { return "HOST:PORT:ADDR" }

func (v resolveValue) String() string {
	var all []string
	for _, place := range slices.Sorted(maps.Keys(v.all)) {
		all = append(all, place+":"+strings.Join(v.all[place], ","))
	}
	return strings.Join(all, " ")
}

var errResolve = errors.New("want HOST:PORT:ADDR, as example.org:443:127.0.0.1; several addresses have commas between them")

func (v resolveValue) Set(word string) error {
	host, rest, _ := strings.Cut(word, ":")
	if strings.HasPrefix(word, "[") {
		host, rest, _ = strings.Cut(word[1:], "]:")
	}
	port, list, ok := strings.Cut(rest, ":")
	if !ok || host == "" || host == "*" || port == "" || strings.Trim(port, "0123456789") != "" {
		return errResolve
	}
	var ips []string
	for ip := range strings.SplitSeq(list, ",") {
		ip = strings.TrimSuffix(strings.TrimPrefix(ip, "["), "]")
		if net.ParseIP(ip) == nil {
			return errResolve
		}
		ips = append(ips, ip)
	}
	v.all[net.JoinHostPort(strings.ToLower(host), port)] = ips
	return nil
}
