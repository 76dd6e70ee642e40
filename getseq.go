package spate

import (
	"context"
	"crypto/sha256"
	"hash"
	"io"
	"strconv"

	"spate/fetch"
	"spate/format/sequence"
)

// sequence writes each file of the stream to a file. There is no taking back here: a file has its final name before the
// next one is read.
func (g *getter) sequence(ctx context.Context) error {
	if err := g.checkPath(indexed(1)); err != nil {
		return err
	}
	s, err := g.c.open(ctx, g.url, nil)
	if err != nil {
		return err
	}
	defer g.close(s)
	saver := &saver{base: g.target(s.Info()), overwrite: g.opts.Overwrite, sum: sha256.New()}
	for f, err := range files(s, g.url) {
		if err == nil {
			err = g.within(f.Size)
		}
		if err == nil {
			err = saver.save(f)
		}
		if err != nil {
			return err
		}
		g.finished(saver.path(f), f.Size, saver.sum.Sum(nil))
	}
	return nil
}

func indexed(index int) string { return fileSuffix + strconv.Itoa(index) }

// within checks that one more file, of so many bytes, is within the limits.
func (g *getter) within(size int64) error {
	l := &g.opts.Limits
	if l.Files > 0 && g.done.Files >= l.Files {
		return overLimit("%d files", l.Files)
	}
	if l.Bytes > 0 && size > l.Bytes-g.done.Bytes {
		return overLimit("%d bytes", l.Bytes)
	}
	return nil
}

// A saver writes the files of a sequence, one after the other.
type saver struct {
	base      string
	overwrite bool
	sum       hash.Hash // of all files, one after the other
}

func (s *saver) path(f *sequence.File) string { return s.base + indexed(f.Index) }

// save leaves either the whole file or nothing.
func (s *saver) save(f *sequence.File) error {
	out, err := fetch.Create(s.path(f), &fetch.Options{Overwrite: s.overwrite})
	if err != nil {
		return err
	}
	defer out.Discard()
	if _, err := io.Copy(io.MultiWriter(out, s.sum), f); err != nil {
		return err
	}
	return out.Commit()
}
