package spate

import (
	"context"
	"net/url"
	"strings"

	"spate/fetch"
	"spate/format/manifest"
)

// object asks for the URL, if what is there is to be fetched as one object over many connections, and may be: it is
// neither a manifest nor a local file, and nothing is promised of it. Otherwise it is nil.
func (g *getter) object(ctx context.Context) (*fetch.Object, error) {
	if g.opts.Connections <= 0 || manifest.IsManifest(g.url, "") || strings.Contains(g.url, "#") || g.opts.Limits.Bytes > 0 {
		return nil, nil
	}
	if u, err := url.Parse(g.url); err != nil || u.Host == "" {
		return nil, nil
	}
	g.c.prepare()
	o, err := fetch.OpenObject(ctx, g.c.src, []fetch.Mirror{{URL: g.url}}, &fetch.ObjectOptions{
		SHA256:      !g.opts.NoDigest,
		Connections: g.opts.Connections,
		PerHost:     g.c.Options.PerHost,
		Limited:     g.c.Options.Rate != nil,
		Events:      g.c.Options.Events,
	})
	if err != nil {
		return nil, err
	}
	if isManifest(g.url, o.Info()) {
		return nil, o.Close()
	}
	return o, nil
}

// download writes an object to its file.
func (g *getter) download(o *fetch.Object, err error) error {
	if err != nil {
		return err
	}
	defer o.Close()
	path := g.target(o.Info())
	file, err := fetch.Create(path, &fetch.Options{Overwrite: g.opts.Overwrite})
	if err != nil {
		return err
	}
	done, err := o.To(file)
	if err != nil {
		if done.Size > 0 {
			g.done.Part, g.done.Bytes = path+fetch.Ext, done.Size
		}
		return err
	}
	g.finished(path, done.Size, done.SHA256)
	return nil
}
