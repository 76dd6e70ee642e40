package main

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/pflag"

	"spate/gateway"
	"spate/gateway/fill"
	"spate/source"
	"spate/source/httpsource"
	"spate/source/limit"
)

// originFlags are those of a gateway that stands before an HTTP server.
type originFlags struct {
	url         string
	credentials bool
	parsed      *url.URL
}

func (f *originFlags) register(fs *pflag.FlagSet) {
	fs.StringVar(&f.url, "origin", "", "be a caching reverse proxy of `URL`, which all paths are below but /.spate/")
	fs.BoolVar(&f.credentials, "forward-credentials", false, "the origin sees Authorization and Cookie of clients; these answers are not kept")
}

func (f *originFlags) check() error {
	if f.url == "" {
		if f.credentials {
			return usage("--forward-credentials without --origin", "--origin URL is whom they are for")
		}
		return nil
	}
	u, err := url.Parse(f.url)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return usage("--origin "+shown(f.url)+": want an http or https URL", "--origin http://host/ has every path of host")
	case u.RawQuery != "" || u.ForceQuery || strings.Contains(f.url, "#"):
		return usage("--origin "+shown(f.url)+": paths are appended to it", "it has neither a query nor a fragment")
	}
	f.parsed = u
	return nil
}

// originFiles is of how many files of an origin that nobody reads it is known for how long they hold, so that it need not be asked.
const originFiles = 4 << 10

// open connects to the origin as the flags say; filling is how its files are, but from where. The function ends what it has; without
// --origin there is nothing.
func (f *originFlags) open(s *streamFlags, rate *limit.Rate, filling *fill.Options) (*gateway.Origin, func() error) {
	if f.parsed == nil {
		return nil, func() error { return nil }
	}
	name := "spate-" + strings.ToLower(rand.Text()[:10])
	passing := s.http()
	relay := httpsource.NewRelay(&passing)
	asking := s.http()
	asking.MaxRedirects = -1
	if asking.Header = asking.Header.Clone(); asking.Header == nil {
		asking.Header = http.Header{}
	}
	asking.Header.Set("Via", gateway.Via(name))
	h := httpsource.New(&asking)
	filling.Source, filling.Files = source.Source(h), originFiles
	transport := http.RoundTripper(relay)
	if rate != nil {
		filling.Source, transport = rate.Wrap(h), &pacedRelay{relay, rate}
	}
	pool := fill.New(filling)
	end := func() error {
		defer h.CloseIdleConnections()
		defer relay.CloseIdleConnections()
		return pool.Close()
	}
	return &gateway.Origin{URL: f.parsed, Pool: pool, Transport: transport, Credentials: f.credentials, Name: name}, end
}

// A pacedRelay has the bodies of answers that pass under a limit. A connection that changes its protocol is not: its ends talk to each
// other.
type pacedRelay struct {
	http.RoundTripper
	rate *limit.Rate
}

func (p *pacedRelay) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := p.RoundTripper.RoundTrip(req)
	if err == nil && resp.StatusCode != http.StatusSwitchingProtocols {
		resp.Body = p.rate.Body(req.Context(), resp.Body)
	}
	return resp, err
}
