package main

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/spf13/pflag"

	"spate"
	"spate/event"
	"spate/source"
	"spate/source/driver"
	"spate/source/filesource"
	"spate/source/ftpsource"
	"spate/source/httpsource"
	"spate/source/limit"
	"spate/source/peersource"
	"spate/source/sftpsource"
)

// streamFlags are those of every command that opens URLs.
type streamFlags struct {
	budget, cacheMemory                    int64
	ahead, perHost, maxDepth, maxIdleOpens int64
	rate                                   limit.Timetable
	connect, header, idle                  time.Duration
	web                                    webFlags
	ssh                                    sshFlags
	asking                                 httpsource.Options // who asks, once the flags are named
	overFTP                                ftpsource.Options  // the same there
	overSSH                                sftpsource.Options // and there
	ofPeers                                peersource.Options // the way there
}

func (f *streamFlags) register(fs *pflag.FlagSet) {
	f.budget, f.cacheMemory = 64<<20, 16<<20
	f.ahead, f.maxDepth, f.maxIdleOpens = 16, 1000, 100_000
	fs.Var(size{&f.budget, 1}, "budget", "memory for bytes read ahead")
	fs.Var(size{&f.cacheMemory, 1}, "cache-memory", "memory for parts marked (*), then a temporary file")
	fs.Var(count{&f.ahead, 1}, "ahead", "parts opened ahead; 1 is none")
	fs.VarP(count{&f.perHost, 1}, "per-host", "x", "connections to one host (default 8)")
	fs.Var(count{&f.maxDepth, 1}, "max-depth", "manifests inside manifests")
	fs.Var(count{&f.maxIdleOpens, 1}, "max-idle-opens", "opens without a byte between them")
	fs.Var(rate{&f.rate}, "limit-rate", "bytes a second, of all together, at most; or what holds when: '08:00,1M 23:00,off'")
	fs.Var(kibRate{another{fs.Lookup("limit-rate")}}, "bwlimit", "that of rclone")
	fs.Lookup("bwlimit").Hidden = true
	f.registerTimes(fs)
}

func (f *streamFlags) registerTimes(fs *pflag.FlagSet) {
	f.connect, f.header, f.idle = 15*time.Second, 30*time.Second, 20*time.Second
	fs.Var(span{&f.connect}, "connect-timeout", "for connecting; 0 is no limit")
	fs.Var(span{&f.header}, "header-timeout", "until the first byte of an answer; 0 is no limit")
	fs.Var(span{&f.idle}, "idle-timeout", "silence within an answer; 0 is no limit")
	f.web.register(fs)
	f.ssh.register(fs)
}

// name tells the flags the URLs of the command line, before anything is opened: what tells who the user is goes to
// their origins alone.
func (f *streamFlags) name(urls ...string) (err error) {
	if f.asking, err = f.web.options(httpsource.Options{}, urls); err != nil {
		return err
	}
	proxy, err := f.web.proxyForAll()
	if err != nil {
		return err
	}
	asking := &f.asking
	f.overFTP = ftpsource.Options{Named: ftpsource.Origins(urls...), Login: asking.Login, Certificates: asking.Certificates,
		TLSConfig: asking.TLSConfig, Network: asking.Network, Resolve: asking.Resolve, Proxy: proxy}
	f.overSSH, err = f.ssh.options(sftpsource.Options{Login: f.web.given(), TLSConfig: asking.TLSConfig, Network: asking.Network,
		Resolve: asking.Resolve, Proxy: proxy}, urls)
	f.ofPeers = peersource.Options{Network: asking.Network, Resolve: asking.Resolve, Proxy: proxy, ProxyTLS: asking.TLSConfig}
	return err
}

// allow has connections made to what is allowed alone. A proxy that the environment names would make them for whoever asks:
// there is none unless a flag names it.
func (f *streamFlags) allow(allow driver.Allow) {
	f.asking.Allow, f.overFTP.Allow, f.overSSH.Allow, f.ofPeers.Allow = allow, allow, allow, allow
	if f.asking.Proxy == nil {
		f.asking.Proxy = func(*http.Request) (*url.URL, error) { return nil, nil }
	}
}

func (f *streamFlags) http() httpsource.Options {
	o := f.asking
	o.ConnectTimeout, o.HeaderTimeout, o.IdleTimeout = orNone(f.connect), orNone(f.header), orNone(f.idle)
	return o
}

// orNone is d in the terms of httpsource, where 0 is the default and what is negative is no limit.
func orNone(d time.Duration) time.Duration { return cmp.Or(d, -1) }

// Schemes beside http, https and file, which package spate knows by itself: those of places where files have names, and all.
var (
	fileSchemes    = []string{"ftp", "ftps", "sftp", "ssh", "scp"}
	furtherSchemes = slices.Concat(fileSchemes, []string{"peer"})
	allSchemes     = slices.Concat([]string{"http", "https", "file"}, furtherSchemes)
)

// source is every driver there is, by scheme. The caller closes the idle connections in the end.
func (f *streamFlags) source() (src source.Mux, closeIdle func()) {
	opts := f.http()
	h := httpsource.New(&opts)
	overFTP, overSSH, ofPeers := f.overFTP, f.overSSH, f.ofPeers
	overFTP.ConnectTimeout, overFTP.HeaderTimeout, overFTP.IdleTimeout = opts.ConnectTimeout, opts.HeaderTimeout, opts.IdleTimeout
	overSSH.ConnectTimeout, overSSH.HeaderTimeout, overSSH.IdleTimeout = opts.ConnectTimeout, opts.HeaderTimeout, opts.IdleTimeout
	ofPeers.ConnectTimeout, ofPeers.HeaderTimeout, ofPeers.IdleTimeout = opts.ConnectTimeout, opts.HeaderTimeout, opts.IdleTimeout
	ftp, sftp, peers := ftpsource.New(&overFTP), sftpsource.New(&overSSH), peersource.New(&ofPeers)
	closeIdle = func() {
		h.CloseIdleConnections()
		ftp.CloseIdleConnections()
		sftp.CloseIdleConnections()
		peers.CloseIdleConnections()
	}
	return source.Mux{
		"http": h, "https": h, "file": filesource.Source{},
		"ftp": ftp, "ftps": ftp, "sftp": sftp, "ssh": sftp, "scp": sftp, "peer": peers,
	}, closeIdle
}

// client opens streams as the flags say and tells sink what happens. The caller closes the idle connections in the end.
func (f *streamFlags) client(sink event.Sink) (c *spate.Client, closeIdle func()) {
	src, closeIdle := f.source()
	return &spate.Client{
		Source: src,
		Options: spate.Options{
			Budget:       f.budget,
			CacheMemory:  f.cacheMemory,
			Ahead:        int(f.ahead),
			PerHost:      int(f.perHost),
			MaxDepth:     int(f.maxDepth),
			MaxIdleOpens: int(f.maxIdleOpens),
			Rate:         f.limit(),
			Events:       sink,
		},
	}, closeIdle
}

// limit is what all of a command's bytes share; nil where there is no limit.
func (f *streamFlags) limit() *limit.Rate {
	if f.rate.IsUnlimited() {
		return nil
	}
	return limit.NewRate(f.rate)
}

// limitFlags end a stream early.
type limitFlags struct {
	bytes, files int64
	fileSize     int64
	time         time.Duration
}

func (f *limitFlags) register(fs *pflag.FlagSet) {
	fs.Var(size{&f.bytes, 0}, "max-bytes", "end after so many bytes; 0 is no limit")
	fs.Var(count{&f.files, 0}, "max-files", "end after so many files of a sequence; 0 is no limit")
	fs.Var(span{&f.time}, "max-time", "end after that time; 0 is no limit")
}

func (f *limitFlags) limits() *spate.Limits {
	return &spate.Limits{Bytes: f.bytes, Files: f.files, FileSize: f.fileSize, Time: f.time}
}

// urlsOf are the URLs that arguments mean, as far as they mean some.
func urlsOf(args []string) (urls []string) {
	for _, arg := range args {
		if url, err := argument(arg); err == nil {
			urls = append(urls, url)
		}
	}
	return urls
}

// argument is the URL that an argument of a command means. What means none is an error of usage.
func argument(arg string) (string, error) {
	if arg == "" {
		return "", usage("an argument is empty", "as \"$NAME\" is where no such variable is set; "+whatIsWanted)
	}
	url, err := spate.URL(arg, furtherSchemes...)
	if source.KindOf(err) == source.KindMalformed {
		return "", usage(err.Error(), meant(arg))
	}
	return url, err
}
