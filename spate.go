// Package spate opens URLs and hands back bytes: of plain resources, and of manifests, whose parts come from many
// places with mirrors for each (package manifest says how they look). What is handed back is either right or an error.
//
//	var client spate.Client
//	stream, err := client.Open(ctx, "http://host/picture.jpg.parts")
//
// [Client.Open] is a stream, [Client.Chunks] iterates over pieces of it, [Client.Files] over the files of a sequence,
// [Client.Get] writes files, [Client.GetTo] hands on what it would write, and [Client.Stat] tells what an origin says of a URL.
//
// # Errors
//
// They say what failed and why, with passwords and secrets of URLs left out. With [errors.Is] and [errors.AsType]:
//
//   - [fs.ErrNotExist]: the origin has no such thing, nor has any of its mirrors
//   - [source.ErrUnavailable], [source.ErrChanged], [source.ErrCorrupt]: the classes of what else went wrong
//   - [*source.Error]: one URL that failed, with the kind of failure and the status
//   - [*assemble.PartError]: a part without an alternative that works, with the error of each
//   - [*manifest.SyntaxError], [assemble.ErrDepth], [io.ErrNoProgress]: a manifest that cannot be followed
//   - [*sequence.CutError]: a sequence that ends in the middle of a file
//   - [ErrExists], [ErrInUse], [*fs.PathError]: a file that cannot be written
//   - [ErrLimit]: what the caller allowed is used up
//   - [context.Canceled], [context.DeadlineExceeded]: the context ended first
package spate

import (
	"context"
	"sync"

	"spate/assemble"
	"spate/event"
	"spate/format/manifest"
	"spate/source"
	"spate/source/budget"
	"spate/source/filesource"
	"spate/source/httpsource"
	"spate/source/limit"
)

// A Client opens URLs. Its zero value works, with http, https and file. It is safe for concurrent use: any number of
// streams can be read side by side or interleaved. The fields must not change, and the Client must not be copied, once
// it is in use. A Client keeps idle connections for later calls and nothing else.
type Client struct {
	// Source opens URLs in place of the Client's own sources. HTTP is not used then, and Client leaves it to the
	// caller to close its idle connections. nil: http, https and file.
	Source source.Source

	HTTP    httpsource.Options // of http and https
	Options Options            // of every call

	once   sync.Once
	http   *httpsource.Source // nil where Source is set
	src    source.Source
	hosts  *limit.Hosts
	memory *budget.Budget // where it is shared
	blocks *budget.Budget // of memory that downloads keep to be used again
}

// Options of a Client's calls. Each call is one stream with a cache of its own for parts marked (*). The connections to
// a host are counted over all streams of a Client, but not over its Gets: each has a scheduler that finds out how many pay.
type Options struct {
	Budget       int64      // bytes a stream reads ahead; 0: 64 MiB
	ShareBudget  bool       // Budget is for all streams of the Client together; false: for each
	Ahead        int        // parts a stream opens ahead; 0: 16; 1: none
	PerHost      int        // connections to one host: of all streams together, and of each Get of what is no manifest; 0: 8
	CacheMemory  int64      // bytes of parts marked (*) a stream keeps in memory, the rest on disk; 0: 16 MiB; below 0: none
	MaxDepth     int        // manifests inside manifests; 0: 1000
	MaxIdleOpens int        // opens without a byte between them; 0: 100,000
	Events       event.Sink // told of all that happens, from several goroutines; nil: none

	// Rate bounds the bytes a second of all streams together, and of other Clients that have the same; nil: no limit. It may
	// be set anew at any time.
	Rate *limit.Rate
}

const maxBlocks = 16 << 20 // as many as are in use at once: what was made anew, and is not kept, would be garbage

// prepare makes what all calls share.
func (c *Client) prepare() {
	c.once.Do(func() {
		c.hosts = &limit.Hosts{PerHost: c.Options.PerHost}
		c.blocks = &budget.Budget{Max: maxBlocks}
		c.memory = &budget.Budget{Max: c.Options.Budget}
		c.src = c.Source
		if c.src == nil {
			c.http = httpsource.New(&c.HTTP)
			c.src = source.Mux{"http": c.http, "https": c.http, "file": filesource.Source{}}
		}
		if rate := c.Options.Rate; rate != nil {
			c.src = rate.Wrap(c.src)
		}
	})
}

func (c *Client) assembleOptions() *assemble.Options {
	o := &c.Options
	memory := c.memory
	if !o.ShareBudget {
		memory = &budget.Budget{Max: o.Budget}
	}
	return &assemble.Options{
		Ahead:        o.Ahead,
		Budget:       memory,
		Hosts:        c.hosts,
		CacheMemory:  o.CacheMemory,
		MaxDepth:     o.MaxDepth,
		MaxIdleOpens: o.MaxIdleOpens,
	}
}

// CloseIdleConnections closes the connections that no stream uses at the moment. The Client can still be used. Without
// it they close on their own after 30 s.
func (c *Client) CloseIdleConnections() {
	c.prepare()
	if c.http != nil {
		c.http.CloseIdleConnections()
	}
}

// Stat opens url, closes it, and returns what its origin told. The Size of a manifest is -1, as that of its stream is
// not known; the parts are not looked at. As nothing but opening tells reliably what opening would give, Stat is a
// request for the whole and costs the connection where the body is large.
func (c *Client) Stat(ctx context.Context, url string) (source.Info, error) {
	c.prepare()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	res, err := c.src.Open(ctx, url, source.From(0))
	if err != nil {
		return source.Info{}, err
	}
	res.Body.Close()
	if isManifest(url, res.Info) {
		res.Info.Size = -1
	}
	return res.Info, nil
}

func isManifest(url string, info source.Info) bool {
	return manifest.IsManifest(url, info.MediaType) || manifest.IsManifest(info.URL, info.MediaType)
}
