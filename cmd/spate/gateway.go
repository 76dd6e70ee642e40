package main

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"spate/event"
	"spate/gateway"
	"spate/gateway/blockcache"
	"spate/gateway/fill"
	"spate/source"
)

const gatewayLong = `Serves anything that spate can read as one seekable URL: http://127.0.0.1:8080/s/URL is what URL stands for, with ranges, from any
offset as soon as its bytes are there. What was fetched is kept, sealed under a key that only this process has. It serves until it
is interrupted.

It listens on this machine alone. Elsewhere it has to be told what may be asked for (--serve, --origin, --allow-host) and by whom
(--token). docs/spec/gateway.md has the rules.`

type gatewayCmd struct {
	listen       string
	serve        []string
	hosts, dirs  []string
	origin       originFlags
	token        string
	anybody      bool
	cert, key    string
	connections  int64
	cache        cacheFlags
	fill         bool
	block        int64
	json, quiet  bool
	stream       streamFlags
	named        map[string][]string
	policy       gateway.Policy
	address      string
	isEverywhere bool
	page         pageOptions
}

// cacheFlags say where, and how much of, what was fetched is kept.
type cacheFlags struct {
	dir, key string
	max      int64
	ttl      time.Duration
	none     bool
	set      *pflag.FlagSet
}

// isSaid reports whether a flag says how blocks are kept.
func (f *cacheFlags) isSaid() bool {
	return slices.ContainsFunc([]string{"cache-dir", "cache-key", "cache-max", "cache-ttl"}, f.set.Changed)
}

func (f *cacheFlags) register(fs *pflag.FlagSet) {
	f.ttl, f.set = time.Hour, fs
	fs.StringVar(&f.dir, "cache-dir", "", "keep blocks in `DIR` (default spate in the user's cache folder)")
	fs.Var(size{&f.max, 1}, "cache-max", "bytes on disk at most (default 10 GiB, or a tenth of what is free if that is less)")
	fs.Var(span{&f.ttl}, "cache-ttl", "blocks that nobody has used for so long are dropped")
	fs.StringVar(&f.key, "cache-key", "", "keep the blocks across restarts, sealed under the key in `FILE`, which is made if it is not there")
	fs.BoolVar(&f.none, "no-cache", false, "keep nothing on disk")
}

// open opens the cache; nil: there is to be none.
func (f *cacheFlags) open(log *slog.Logger) (*blockcache.Cache, error) {
	if f.none {
		return nil, nil
	}
	dir := f.dir
	if dir == "" {
		var err error
		if dir, err = blockcache.DefaultDir(); err != nil {
			return nil, &hintedError{err, "--cache-dir DIR says where blocks are kept, --no-cache that they are not"}
		}
	}
	c, err := blockcache.Open(&blockcache.Options{Dir: dir, Max: f.max, TTL: f.ttl, KeyFile: f.key, Log: log})
	if err != nil {
		return nil, &hintedError{err, "--cache-dir DIR says where blocks are kept, --no-cache that they are not"}
	}
	return c, nil
}

func newGatewayCmd(p *process) *cobra.Command {
	var c gatewayCmd
	cmd := &cobra.Command{
		Use:   "gateway",
		Short: "Serve anything that can be read as one seekable URL",
		Long:  gatewayLong,
		Example: "  spate gateway\n  mpv http://127.0.0.1:8080/s/http://host/film.mkv.parts\n" +
			"  spate gateway --serve film=http://host/film.mkv --serve film=ftp://mirror/film.mkv\n" +
			"  spate gateway --origin http://host/",
		Args: exactly(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error { return c.run(cmd.Context(), p) },
	}
	c.register(cmd.Flags())
	return cmd
}

func (c *gatewayCmd) defaults() { c.connections, c.block = 4096, blockcache.DefaultBlockSize }

func (c *gatewayCmd) register(fs *pflag.FlagSet) {
	c.defaults()
	fs.StringVar(&c.listen, "listen", "127.0.0.1:8080", "`HOST:PORT` to serve at; port 0 is a free one")
	fs.StringArrayVar(&c.serve, "serve", nil, "`NAME=URL` is served at /NAME; repeated with the same NAME: its mirrors")
	c.origin.register(fs)
	fs.StringArrayVar(&c.hosts, "allow-host", nil, "URLs of `HOST`, or of those below *.HOST, may be asked for; may be repeated")
	fs.StringArrayVar(&c.dirs, "allow-dir", nil, "files below `DIR` may be asked for; may be repeated")
	fs.Var(secret{&c.token, "TOKEN", checkToken}, "token", "who asks has to know it: as bearer, or as the password in the URL")
	fs.BoolVar(&c.anybody, "insecure-public", false, "whoever reaches it may ask, without --token")
	fs.StringVar(&c.cert, "tls-cert", "", "serve https with the certificate in `FILE` (PEM)")
	fs.StringVar(&c.key, "tls-key", "", "its private key is in `FILE` (PEM); default: beside it in the same")
	fs.Var(count{&c.connections, 1}, "max-connections", "connections at once; others wait")
	fs.Var(size{&c.block, 4 << 10}, "block-size", "of the cache")
	fs.BoolVar(&c.fill, "fill", false, "fetch all of what is asked for, also what nobody waits for")
	c.cache.register(fs)
	fs.BoolVar(&c.json, "json", false, "events, requests and errors as JSON lines on stderr")
	fs.BoolVarP(&c.quiet, "quiet", "q", false, "nothing on stderr but what goes wrong")
	c.stream.register(fs)
	c.stream.web.leads = true // URLs of any scheme may be asked for
}

func (c *gatewayCmd) run(ctx context.Context, p *process) error {
	if err := c.check(); err != nil {
		return err
	}
	if gogc, _ := p.env("GOGC"); gogc == "" {
		debug.SetGCPercent(50) // what a thousand clients hold is most of the memory: half of that on top, not twice
	}
	log := c.log(p)
	l, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer l.Close()
	cache, err := c.cache.open(log)
	if err != nil {
		return err
	}
	client, closeIdle := c.stream.client(nil)
	defer closeIdle()
	client.Source = c.policy.Wrap(client.Source)
	src := client.Source
	if rate := client.Options.Rate; rate != nil {
		src = rate.Wrap(src)
	}
	pool := fill.New(c.filling(src, cache, log, min(remembered, c.cache.ttl)))
	origin, closeOrigin := c.origin.open(&c.stream, client.Options.Rate, c.filling(nil, cache, log, c.cache.ttl))
	opts := gateway.Options{Client: client, Source: src, Pool: pool, Cache: cache, Policy: &c.policy, Serve: c.named, Origin: origin,
		Token: c.token, Log: log}
	g, page := c.withPage(&opts)
	if err = c.announce(p, l.Addr()); err == nil {
		err = c.serveOn(ctx, l, g, page)
	}
	err = errors.Join(err, page.Close(), pool.Close(), closeOrigin())
	if cache != nil {
		err = errors.Join(err, cache.Close())
	}
	return err
}

// remembered is for how long a file is that nobody asks for. What an origin has said of one holds for longer.
const remembered = 10 * time.Minute

// filling is how files are filled, which are remembered for so long; cache may be nil.
func (c *gatewayCmd) filling(src source.Source, cache *blockcache.Cache, log *slog.Logger, keep time.Duration) *fill.Options {
	o := &fill.Options{Source: src, Keep: keep, Log: log,
		BlockSize: c.block, PerHost: int(c.stream.perHost), Fill: c.fill, Memory: c.memory()}
	if cache != nil {
		o.Cache = gateway.Blocks(cache, keep)
	}
	return o
}

// log is the access log, and that of what goes wrong.
func (c *gatewayCmd) log(p *process) *slog.Logger {
	level := slog.LevelInfo
	if c.quiet {
		level = slog.LevelWarn
	}
	opts := &slog.HandlerOptions{Level: level}
	if c.json {
		return slog.New(slog.NewJSONHandler(jsonWriter{p.stderr}, opts))
	}
	return slog.New(slog.NewTextHandler(p.stderr, opts))
}

// announce tells where it is: the one whose page it is alone, unless who reads events wants to know.
func (c *gatewayCmd) announce(p *process, at net.Addr) error {
	scheme := "http"
	if c.cert != "" {
		scheme = "https"
	}
	base := scheme + "://" + at.String()
	if c.page.ready != nil {
		if err := c.page.ready(base); err != nil || !c.json {
			return err
		}
	}
	tell := (&swarmFlags{json: c.json, quiet: c.quiet}).talk(p, trackerWords)
	tell(event.Event{Type: event.Listening, Origin: base})
	return nil
}

// open listens.
func (c *gatewayCmd) open(ctx context.Context) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.address)
	if err != nil {
		return nil, &hintedError{err, "it is the address of --listen"}
	}
	l = gateway.Listen(l, int(c.connections))
	if c.cert == "" {
		return l, nil
	}
	keyFile := c.key
	if keyFile == "" {
		keyFile = c.cert
	}
	pair, err := tls.LoadX509KeyPair(c.cert, keyFile)
	if err != nil {
		return nil, &hintedError{errors.Join(err, l.Close()), "--tls-cert and --tls-key are files of PEM"}
	}
	return tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{pair}, NextProtos: []string{"h2", "http/1.1"}}), nil
}

const (
	maxRequestHeader = 16 << 10
	farewell         = 5 * time.Second // for answers that are being sent when it ends
)

// serveOn answers until ctx ends. Views of page, which the caller closes otherwise, end then: they would not by themselves.
func (c *gatewayCmd) serveOn(ctx context.Context, l net.Listener, h http.Handler, page io.Closer) error {
	server := &http.Server{
		Handler: h, MaxHeaderBytes: maxRequestHeader, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		HTTP2:    &http.HTTP2Config{WriteByteTimeout: gateway.Patience}, // an answer's time is not that of its connection
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug),
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	if err := page.Close(); err != nil {
		return err
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
	defer cancel()
	if err := server.Shutdown(ending); err != nil {
		_ = server.Close() // those that are still being answered are cut
	}
	if err := <-done; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// check looks for what makes no sense, and says what may be asked for.
func (c *gatewayCmd) check() error {
	host, _, err := net.SplitHostPort(c.listen)
	if err != nil {
		return usage("--listen "+shown(c.listen)+": want HOST:PORT", "--listen 127.0.0.1:8080")
	}
	c.address, c.isEverywhere = c.listen, !isThisMachine(host)
	if err := c.checkTogether(); err != nil {
		return err
	}
	urls, err := c.names()
	if err != nil {
		return err
	}
	if err := c.origin.check(); err != nil {
		return err
	}
	if c.origin.url != "" {
		urls = append(urls, c.origin.url)
	}
	if c.page.url != "" {
		urls = append(urls, c.page.url)
	}
	if err := c.checkPublic(); err != nil {
		return err
	}
	dirs, err := absoluteDirs(append(c.dirs, c.page.dirs()...))
	if err != nil {
		return err
	}
	c.policy = gateway.Policy{Public: c.isEverywhere, Hosts: c.hosts, Named: urls, Dirs: dirs}
	if err := c.stream.name(urls...); err != nil {
		return err
	}
	if c.isEverywhere {
		c.stream.allow(c.policy.AllowAddr)
	}
	return nil
}

// checkTogether looks for flags that leave others nothing to do, and for blocks larger than a cache has.
func (c *gatewayCmd) checkTogether() error {
	switch {
	case c.key != "" && c.cert == "":
		return usage("--tls-key without --tls-cert", "--tls-cert FILE is the certificate that the key belongs to")
	case c.cache.none && c.cache.isSaid():
		return usage("--no-cache leaves the other flags of the cache nothing to do", "what is read is kept in memory alone then")
	case c.cache.ttl < time.Second:
		return usage("--cache-ttl "+c.cache.ttl.String()+": want at least 1s", "--no-cache keeps nothing on disk")
	case c.block > blockcache.MaxBlockSize:
		return usage("--block-size: want at most 16 MiB", "who asks for a byte waits for the beginning of its block, and all of it is fetched")
	}
	return nil
}

// checkPublic is for one that others can reach.
func (c *gatewayCmd) checkPublic() error {
	switch {
	case !c.isEverywhere:
		return nil
	case len(c.named) == 0 && c.origin.url == "" && len(c.hosts) == 0 && len(c.dirs) == 0:
		return usage("others can reach --listen "+shown(c.listen)+", and may ask for nothing",
			"--serve NAME=URL, --origin URL or --allow-host HOST says what they may ask for")
	case c.token == "" && !c.anybody:
		return usage("others can reach --listen "+shown(c.listen)+" without a --token", "--insecure-public lets anybody ask")
	}
	return nil
}

// isThisMachine reports whether only this machine can reach what listens at host.
func isThisMachine(host string) bool {
	addr, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && addr.Unmap().IsLoopback()
}

// names are those of --serve.
func (c *gatewayCmd) names() (urls []string, err error) {
	c.named = map[string][]string{}
	for _, s := range c.serve {
		name, arg, ok := strings.Cut(s, "=")
		name = strings.Trim(name, "/")
		if !ok || name == "" || arg == "" {
			return nil, usage("--serve "+shown(s)+": want NAME=URL", "--serve film=http://host/film.mkv is served at /film")
		}
		if isTaken(name) {
			return nil, usage("--serve "+shown(name)+": the name is taken",
				"/s/, /file/, /view/, /static/, /metrics and /healthz are the gateway's own")
		}
		url, err := argument(arg)
		if err != nil {
			return nil, err
		}
		c.named[name] = append(c.named[name], url)
		urls = append(urls, url)
	}
	return urls, nil
}

// isTaken reports whether the gateway has something of its own under name.
func isTaken(name string) bool {
	first, _, isBelow := strings.Cut(name, "/")
	switch first {
	case "s", "view", "static":
		return true
	case "file":
		return isBelow
	case "metrics", "healthz":
		return !isBelow
	}
	return false
}

func absoluteDirs(dirs []string) ([]string, error) {
	var all []string
	for _, dir := range dirs {
		abs, err := filepath.Abs(dir)
		if err != nil {
			return nil, err
		}
		if info, err := os.Stat(abs); err != nil || !info.IsDir() {
			return nil, usage("--allow-dir "+shown(dir)+": there is no such folder", "")
		}
		all = append(all, abs)
	}
	return all, nil
}

// memory is how many bytes of blocks to have in memory. With a cache they are the last ones that came, which some follow closely; what
// else is read comes from there.
func (c *gatewayCmd) memory() int64 {
	if c.cache.none {
		return 0 // the default
	}
	return max(8<<20, 4*c.block)
}
