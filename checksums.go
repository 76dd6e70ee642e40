package spate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path"

	"spate/fetch"
	"spate/format/checksum"
	"spate/source"
)

// ErrMismatch is the error of a file that has not the digest that it was promised to have. What was fetched stays as
// FILE.part.
var ErrMismatch = checksum.ErrMismatch

var errSize = errors.New("not the size that was promised")

// lists are where digests of what is at a URL are looked for: beside it, under a name of its own, and in a list of its folder.
// The names are those of a URL, escaped.
var lists = []func(name string) string{
	func(name string) string { return name + ".sha256" },
	func(string) string { return "SHA256SUMS" },
}

// findChecksum looks beside the URL for its digest. That there is none is an error.
func (g *getter) findChecksum(ctx context.Context) error {
	u, err := url.Parse(g.url)
	if err != nil {
		return &source.Error{Op: "open", URL: g.url, Kind: source.KindMalformed, Err: err}
	}
	name, escaped := lastElement(g.url), path.Base(u.EscapedPath())
	var failures []error
	for _, list := range lists {
		beside := *u.JoinPath("..", list(escaped))
		beside.Fragment, beside.RawQuery = "", u.RawQuery
		sum, err := g.readChecksum(ctx, beside.String(), name)
		if err == nil {
			g.opts.Checksums = append(g.opts.Checksums, sum)
			return nil
		}
		if ctx.Err() != nil {
			return err
		}
		failures = append(failures, err)
	}
	return fmt.Errorf("no digest was found: %w", errors.Join(failures...))
}

func (g *getter) readChecksum(ctx context.Context, list, name string) (checksum.Sum, error) {
	g.c.prepare()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	res, err := g.c.src.Open(ctx, list, source.From(0))
	if err != nil {
		return checksum.Sum{}, err
	}
	defer res.Body.Close()
	sum, err := checksum.ReadList(res.Body, name)
	if err != nil {
		return sum, &source.Error{Op: "read", URL: list, Kind: source.KindProtocol, Err: err}
	}
	return sum, nil
}

// hasChecksums compares size bytes of a file with all that was promised of them. Without that it reads nothing. It ends with ctx.
func (g *getter) hasChecksums(ctx context.Context, file io.ReaderAt, size int64) error {
	file = fetch.Attentive(ctx, file)
	err := g.hasSize(size)
	if err == nil && len(g.opts.Checksums) > 0 {
		err = g.hasDigests(io.NewSectionReader(file, 0, size))
	}
	if err == nil && g.pieces != nil {
		err = g.pieces.Verify(file, size)
	}
	return g.corrupt(err)
}

// corrupt is err; of bytes that are not as was promised, with the URL.
func (g *getter) corrupt(err error) error {
	if errors.Is(err, ErrMismatch) || errors.Is(err, errSize) || errors.Is(err, fetch.ErrPieces) {
		return &source.Error{Op: "verify", URL: g.url, Kind: source.KindCorrupt, Err: err}
	}
	return err
}

func (g *getter) hasSize(size int64) error {
	if g.size != nil && size != *g.size {
		return fmt.Errorf("%w: %s, not %d", errSize, counted(size, "byte"), *g.size)
	}
	return nil
}

func (g *getter) hasDigests(r io.Reader) error {
	set, err := g.promised()
	if err != nil {
		return err
	}
	if _, err := io.Copy(set, r); err != nil {
		return err
	}
	return set.Verify()
}

// promised computes the digests that were promised, and compares them.
func (g *getter) promised() (*checksum.Set, error) {
	set := new(checksum.Set)
	for _, sum := range g.opts.Checksums {
		if err := set.Expect(sum); err != nil {
			return nil, err
		}
	}
	return set, nil
}

// unlessThere is err, which says that there is a file at path: errSkipped if that is the one that was promised.
func (g *getter) unlessThere(ctx context.Context, path string, err error) error {
	info, failed := os.Stat(path)
	if failed != nil || !info.Mode().IsRegular() || len(g.opts.Checksums) == 0 {
		return err
	}
	f, failed := os.Open(path)
	if failed != nil {
		return err
	}
	defer f.Close()
	failed = g.hasChecksums(ctx, f, info.Size())
	switch {
	case failed == nil:
		return errSkipped
	case ctx.Err() != nil:
		return failed
	}
	return err
}
