package main

import (
	"net/http"
	"net/http/cookiejar"
	neturl "net/url"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"golang.org/x/net/publicsuffix"

	"spate/format/manifest"
	"spate/format/metalink"
	"spate/source/httpsource"
)

// webFlags say who asks, and by what way. All that could tell an origin who the user is goes to the origins of the URLs
// on the command line and to no other.
type webFlags struct {
	set *pflag.FlagSet

	headers                   http.Header
	user, bearer              string
	netrc                     bool
	netrcFile, cookieFile     string
	cookies                   []string
	agent, referer            string
	cacert, certFile, keyFile string
	insecure, v4, v6          bool
	resolve                   map[string][]string
	proxy                     string

	leads bool // what the URLs lead to is fetched, whatever their names
}

func (f *webFlags) register(fs *pflag.FlagSet) {
	f.set, f.headers, f.resolve = fs, http.Header{}, map[string][]string{}
	fs.VarP(headerValue{f.headers}, "header", "H", "send a header; Name: alone removes it; may be repeated")
	fs.VarP(secret{&f.user, "USER:PASSWORD", checkUser}, "user", "u", "log in with a password; also over FTP and SSH")
	fs.Var(secret{&f.bearer, "TOKEN", checkToken}, "bearer", "log in with a token")
	fs.BoolVar(&f.netrc, "netrc", false, "passwords are in $NETRC, else in ~/.netrc; also for FTP")
	fs.StringVar(&f.netrcFile, "netrc-file", "", "passwords are in `FILE`")
	fs.Var(cookieValue{&f.cookies}, "cookie", "send cookies, NAME=VALUE; may be repeated")
	fs.StringVar(&f.cookieFile, "load-cookies", "", "cookies are in `FILE`, as browsers export it")
	fs.Var(text{&f.agent, "TEXT", checkField}, "user-agent", "name the program (default spate)")
	fs.Var(text{&f.referer, "URL", checkReferer}, "referer", "name the page that led here")
	fs.StringVar(&f.cacert, "cacert", "", "trust the certificates in `FILE` (PEM) and no others")
	fs.StringVar(&f.certFile, "cert", "", "show the certificate in `FILE` (PEM)")
	fs.StringVar(&f.keyFile, "key", "", "its private key is in `FILE` (PEM); default: beside it in the same")
	fs.BoolVar(&f.insecure, "insecure", false, "check no certificates: anybody could answer")
	fs.BoolVarP(&f.v4, "ipv4", "4", false, "connect by IPv4 only")
	fs.BoolVarP(&f.v6, "ipv6", "6", false, "connect by IPv6 only")
	fs.Var(resolveValue{f.resolve}, "resolve", "the address of a host; may be repeated")
	fs.Var(secret{&f.proxy, "PROXY", checkProxy}, "proxy", "http, https, socks5 or socks5h URL of a proxy for all; none: no proxy")
}

// options puts what the flags say into o; urls are those of the command line. Files are read now.
func (f *webFlags) options(o httpsource.Options, urls []string) (httpsource.Options, error) {
	if err := f.check(urls); err != nil {
		return o, err
	}
	o.Named = httpsource.Origins(urls...)
	o.UserAgent, o.Resolve, o.Network = f.agent, f.resolve, f.network()
	o.Header, o.Private = sortHeaders(f.headers)
	if f.referer != "" {
		o.Header.Set("Referer", f.referer)
	}
	if f.bearer != "" {
		o.Private.Set("Authorization", "Bearer "+f.bearer)
	}
	for _, c := range f.cookies {
		o.Private.Add("Cookie", c)
	}
	proxy, err := f.proxyForAll()
	if err != nil {
		return o, err
	}
	if f.proxy != "" {
		o.Proxy = func(*http.Request) (*neturl.URL, error) { return proxy, nil }
	}
	if o.Login, err = f.login(); err != nil {
		return o, err
	}
	if o.Jar, err = f.jar(); err != nil {
		return o, err
	}
	return o, f.setTLS(&o)
}

// An identity is a flag of which the user expects that it is for somebody, and the schemes that know it.
type identity struct{ name, schemes string }

var identities = []identity{
	{"user", "http https ftp ftps sftp ssh scp"}, {"netrc", "http https ftp ftps"}, {"netrc-file", "http https ftp ftps"},
	{"bearer", "http https"}, {"cookie", "http https"}, {"load-cookies", "http https"}, {"cert", "http https ftps"},
}

// general are the flags that are for whatever the URLs lead to, and not of every scheme.
var general = []identity{
	{"header", "http https"}, {"user-agent", "http https"}, {"referer", "http https"},
	{"cacert", "http https ftps"}, {"insecure", "http https ftps"},
}

// check looks for what makes no sense together.
func (f *webFlags) check(urls []string) error {
	switch {
	case f.v4 && f.v6:
		return usage("-4 and -6 leave no address to connect to", "without either it is the one that answers first")
	case f.user != "" && f.bearer != "", len(f.headers["Authorization"]) > 0 && f.user+f.bearer != "":
		return usage("-u, --bearer and -H Authorization are the same thing twice", "")
	case f.keyFile != "" && f.certFile == "":
		return usage("--key without --cert", "--cert FILE is the certificate that the key belongs to")
	}
	for _, id := range identities {
		if f.set.Changed(id.name) && !anyOf(urls, id.schemes) {
			return forNobody(id.name, id.schemes)
		}
	}
	if _, named := sortHeaders(f.headers); len(named) > 0 && f.set.Changed("header") && !anyOf(urls, "http https") {
		return forNobody("header", "http https")
	}
	if len(urls) == 0 || f.leadsOn(urls) { // those of a list are not known, nor are those of a manifest
		return nil
	}
	for _, g := range general {
		if f.set.Changed(g.name) && !anyOf(urls, g.schemes) {
			return usage("--"+g.name+" does nothing here", "it is for "+strings.ReplaceAll(g.schemes, " ", ", ")+", and all that is asked for is of another scheme")
		}
	}
	return nil
}

// leadsOn reports whether the URLs may lead to others, of any scheme, or there is a proxy that is spoken to over TLS.
func (f *webFlags) leadsOn(urls []string) bool {
	return f.leads || strings.HasPrefix(f.proxy, "https:") || slices.ContainsFunc(urls, func(url string) bool {
		return manifest.IsManifest(url, "") || metalink.IsMetalink(url, "") || strings.HasPrefix(url, "file:")
	})
}

// tellsWho reports whether a flag says who the user is.
func (f *webFlags) tellsWho() bool {
	_, named := sortHeaders(f.headers)
	return len(named) > 0 || slices.ContainsFunc(identities, func(i identity) bool { return f.set.Changed(i.name) })
}

// anyOf reports whether one of urls is of one of the schemes, which have blanks between.
func anyOf(urls []string, schemes string) bool {
	all := strings.Fields(schemes)
	return slices.ContainsFunc(urls, func(raw string) bool {
		scheme, _, _ := strings.Cut(raw, ":")
		return slices.Contains(all, strings.ToLower(scheme))
	})
}

func forNobody(name, schemes string) error {
	return usage("--"+name+" is for nobody", "it goes to the hosts of the URLs on the command line, and of "+
		strings.ReplaceAll(schemes, " ", ", ")+" there is none; URLs in a local manifest can have user and password in them")
}

func (f *webFlags) network() string {
	switch {
	case f.v4:
		return "tcp4"
	case f.v6:
		return "tcp6"
	}
	return ""
}

// public are the headers that tell nobody's secrets: they go to every origin.
var public = []string{"Accept", "Accept-Charset", "Accept-Language", "Cache-Control", "Dnt", "Pragma", "Referer", "Sec-Gpc",
	"User-Agent", "Want-Digest", "Want-Repr-Digest"}

// sortHeaders parts headers into those for every origin and those for the named ones.
func sortHeaders(all http.Header) (everybody, named http.Header) {
	everybody, named = http.Header{}, all.Clone()
	for _, name := range public {
		if values, ok := named[name]; ok {
			everybody[name] = values
			delete(named, name)
		}
	}
	return everybody, named
}

// proxyForAll is that of --proxy; nil: none is named, or there is to be none.
func (f *webFlags) proxyForAll() (*neturl.URL, error) {
	if f.proxy == "" || f.proxy == noProxy {
		return nil, nil
	}
	return proxyURL(f.proxy)
}

// login is who the user is for a host, by -u or netrc, nil if that is not said.
func (f *webFlags) login() (func(host string) *neturl.Userinfo, error) {
	if given := f.given(); given != nil || !f.netrc && f.netrcFile == "" {
		return given, nil
	}
	file, err := readNetrc(f.netrcFile)
	if err != nil {
		return nil, err
	}
	return func(host string) *neturl.Userinfo {
		if user, password, ok := file.Login(host); ok {
			return neturl.UserPassword(user, password)
		}
		return nil
	}, nil
}

// given is who the user is by -u, nil if that is not said. Without a password it is the user alone.
func (f *webFlags) given() func(host string) *neturl.Userinfo {
	user, password, ok := strings.Cut(f.user, ":")
	who := neturl.UserPassword(user, password)
	switch {
	case !ok:
		return nil
	case password == "":
		who = neturl.User(user)
	}
	return func(string) *neturl.Userinfo { return who }
}

// jar keeps cookies where the user has begun with some.
func (f *webFlags) jar() (http.CookieJar, error) {
	if f.cookieFile == "" && len(f.cookies) == 0 {
		return nil, nil
	}
	jar, err := cookiejar.New(&cookiejar.Options{PublicSuffixList: publicsuffix.List})
	if err != nil || f.cookieFile == "" {
		return jar, err
	}
	return jar, loadCookies(jar, f.cookieFile)
}
