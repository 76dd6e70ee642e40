package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"spate"
	"spate/format/manifest"
)

// split writes the parts of the stream that arg means, and their manifest.
func (c *packCmd) split(ctx context.Context, client *spate.Client, w *writer, arg string) error {
	from, err := argument(arg)
	if err != nil {
		return err
	}
	w.reads(from)
	if err := w.check(c.output); err != nil {
		return err
	}
	stream, err := client.Open(ctx, from)
	if err != nil {
		return err
	}
	defer stream.Close()
	total := stream.Info().Size
	sizes, err := c.sizes(total)
	if err != nil {
		return err
	}
	if c.dir != "" {
		if err := os.MkdirAll(c.dir, 0o777); err != nil {
			return err
		}
	}
	if err := c.checkParts(w, total, sizes); err != nil {
		return err
	}
	parts, err := c.writeParts(w, stream, sizes)
	if err != nil {
		return err
	}
	return w.write(c.output, func(out io.Writer) error { return encode(out, parts) })
}

// sizes returns the size that the k-th part, from 0, has at most; total is that of the whole, below 0 if not known.
func (c *packCmd) sizes(total int64) (func(k int64) int64, error) {
	if c.partSize > 0 {
		return func(int64) int64 { return c.partSize }, nil
	}
	if total < 0 {
		return nil, usage("--parts: the size of the whole is not known", "--part-size works without it")
	}
	small, larger := total/c.parts, total%c.parts // the first ones have one byte more
	return func(k int64) int64 {
		if k < larger {
			return small + 1
		}
		return small
	}, nil
}

// checkParts looks whether the parts may be written, if it is known how many there are.
func (c *packCmd) checkParts(w *writer, total int64, sizes func(int64) int64) error {
	for k := int64(0); total > 0; k++ {
		if err := w.check(c.partPath(k + 1)); err != nil {
			return err
		}
		total -= sizes(k)
	}
	return nil
}

// writeParts writes files until the stream has ended.
func (c *packCmd) writeParts(w *writer, stream io.Reader, sizes func(int64) int64) ([]manifest.Part, error) {
	r := bufio.NewReaderSize(stream, 64<<10)
	var parts []manifest.Part
	for k := int64(0); ; k++ {
		_, err := r.Peek(1)
		if err == io.EOF {
			return parts, nil
		}
		if err != nil {
			return nil, err
		}
		if sizes(k) == 0 || c.parts > 0 && k == c.parts {
			return nil, errors.New("pack: the file has grown meanwhile")
		}
		part, err := c.writePart(w, io.LimitReader(r, sizes(k)), k+1)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
}

func (c *packCmd) writePart(w *writer, r io.Reader, number int64) (manifest.Part, error) {
	path := c.partPath(number)
	sum := sha256.New()
	var n int64
	err := w.write(path, func(out io.Writer) (err error) {
		n, err = io.Copy(io.MultiWriter(out, sum), r)
		return err
	})
	if err != nil {
		return manifest.Part{}, err
	}
	refs, err := c.refs(path)
	part := manifest.Part{Cacheable: c.cache}
	for _, ref := range refs {
		part.Alternatives = append(part.Alternatives, manifest.Alternative{URL: ref, Digest: sum.Sum(nil), Size: n}.String())
	}
	return part, err
}

// partPath is NAME-partK for NAME.parts.
func (c *packCmd) partPath(number int64) string {
	name := strings.TrimSuffix(filepath.Base(c.output), manifestExt)
	dir := c.dir
	if dir == "" {
		dir = filepath.Dir(c.output)
	}
	return filepath.Join(dir, fmt.Sprintf("%s-part%d", name, number))
}

// refs are the alternatives for the part at path: below each base, or relative to the manifest.
func (c *packCmd) refs(path string) ([]string, error) {
	if len(c.bases) == 0 {
		return relative(filepath.Dir(c.output), path)
	}
	var refs []string
	for _, base := range c.bases {
		refs = append(refs, below(base, filepath.Base(path)))
	}
	return refs, nil
}

// below is the URL of the file called name in the directory at base.
func below(base, name string) string {
	return strings.TrimSuffix(base, "/") + "/" + url.PathEscape(name)
}

// relative is the reference that leads from a manifest in dir to the file at path.
func relative(dir, path string) ([]string, error) {
	var err error
	if filepath.IsAbs(dir) != filepath.IsAbs(path) {
		if dir, err = filepath.Abs(dir); err == nil {
			path, err = filepath.Abs(path)
		}
		if err != nil {
			return nil, err
		}
	}
	rel, err := filepath.Rel(dir, path)
	u := url.URL{Path: filepath.ToSlash(rel)} // String puts ./ in front where a colon would make a scheme of it
	return []string{u.String()}, err
}

func encode(w io.Writer, parts []manifest.Part) error {
	e := manifest.NewEncoder(w)
	for _, p := range parts {
		if err := e.Encode(p); err != nil {
			return err
		}
	}
	return nil
}
