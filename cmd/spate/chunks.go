package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"spate"
	"spate/swarm/peer"
)

// checkChunks looks for what makes no sense where the chunks of a swarm are to be written.
func (c *packCmd) checkChunks() error {
	switch {
	case c.parts > 0 || c.partSize > 0 || c.pieceSize > 0 || len(c.bases) > 0 || c.cache || c.dir != "" || c.output != "":
		return usage("--chunks goes with none of -o, --parts, --part-size, --piece-size, --base, --cache and --dir",
			"it writes a folder for each of --peers")
	case len(c.peers) == 0:
		return usage("--peers is missing", "the folders to deal the chunks out to: --peers A,B,C")
	case c.chunks > peer.MaxChunks:
		return usage(fmt.Sprintf("--chunks: at most %d", peer.MaxChunks), "")
	case c.copies > int64(len(c.peers)):
		return usage("--copies: more than there are --peers", "a folder has no chunk twice")
	}
	seen := map[string]bool{}
	for _, dir := range c.peers {
		if dir == "" || seen[filepath.Clean(dir)] {
			return usage("--peers: each is a folder of its own", "--peers A,B,C")
		}
		seen[filepath.Clean(dir)] = true
	}
	return nil
}

// deal writes the chunks of the stream that arg means into the folders of peers: each to as many of them, taken by chance, as
// there are to be copies.
func (c *packCmd) deal(ctx context.Context, client *spate.Client, w *writer, arg string) error {
	from, err := argument(arg)
	if err != nil {
		return err
	}
	w.reads(from)
	stream, err := client.Open(ctx, from)
	if err != nil {
		return err
	}
	defer stream.Close()
	d, err := c.dealOf(stream.Info().Size)
	if err != nil {
		return err
	}
	if err := d.prepare(w); err != nil {
		return err
	}
	var sums strings.Builder
	for i, holders := range d.holders {
		sum, err := d.writeChunk(w, stream, i+1, holders)
		if err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%x  %s\n", sum, peer.ChunkName(i+1))
	}
	if n, _ := io.ReadFull(stream, make([]byte, 1)); n > 0 {
		return errGrown
	}
	return d.writeLists(w, sums.String())
}

var errGrown = errors.New("pack: the file has grown meanwhile")

// A deal says who gets what.
type deal struct {
	peers   []string // their folders
	holders [][]int  // of each chunk, the peers that get it
	size    int64
	each    int64 // the size of a chunk; the last one may be smaller
}

// dealOf deals chunks of a file of that size.
func (c *packCmd) dealOf(size int64) (*deal, error) {
	d := &deal{peers: c.peers, size: size, each: (size + c.chunks - 1) / c.chunks}
	switch {
	case size < 0:
		return nil, &hintedError{errors.New("pack: the size of the whole is not known"), "fetch it with spate get first"}
	case size > 0 && d.each*(c.chunks-1) >= size:
		return nil, usage(fmt.Sprintf("--chunks: %d chunks of %d bytes each would leave some empty", c.chunks, d.each),
			fmt.Sprintf("--chunks %d has the same size of a chunk, and none is empty", (size+d.each-1)/d.each))
	case size == 0 && c.chunks > 1:
		return nil, usage("--chunks: the file is empty", "--chunks 1")
	}
	for range c.chunks {
		d.holders = append(d.holders, rand.Perm(len(c.peers))[:c.copies])
	}
	return d, nil
}

// prepare makes the folders. One that has a list is another swarm's.
func (d *deal) prepare(w *writer) error {
	for _, dir := range d.peers {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return err
		}
		if err := w.check(filepath.Join(dir, peer.ListName)); err != nil {
			return err
		}
	}
	return nil
}

func (d *deal) writeChunk(w *writer, r io.Reader, chunk int, holders []int) ([]byte, error) {
	n := min(d.each, d.size-int64(chunk-1)*d.each)
	sum := sha256.New()
	var paths []string
	for _, h := range holders {
		paths = append(paths, filepath.Join(d.peers[h], peer.ChunkName(chunk)))
	}
	err := w.writeCopies(paths, func(out io.Writer) error {
		_, err := io.CopyN(io.MultiWriter(out, sum), r, n)
		if err == io.EOF {
			err = errors.New("pack: the file has become shorter meanwhile")
		}
		return err
	})
	return sum.Sum(nil), err
}

// writeLists writes to each folder which chunks it has, and the digests of all.
func (d *deal) writeLists(w *writer, sums string) error {
	lists := make([]strings.Builder, len(d.peers))
	for i, holders := range d.holders {
		for _, h := range holders {
			fmt.Fprintf(&lists[h], "%d,%s\n", i+1, peer.ChunkName(i+1))
		}
	}
	for h, dir := range d.peers {
		if err := w.writeText(filepath.Join(dir, peer.SumsName), sums); err != nil {
			return err
		}
		text := fmt.Sprintf("%s%d,%s\n", lists[h].String(), len(d.holders), peer.LastWord)
		if err := w.writeText(filepath.Join(dir, peer.ListName), text); err != nil {
			return err
		}
	}
	return nil
}

// writeCopies is write of several files at once.
func (w *writer) writeCopies(paths []string, fill func(io.Writer) error) error {
	return w.write(paths[0], func(out io.Writer) error {
		if len(paths) == 1 {
			return fill(out)
		}
		return w.writeCopies(paths[1:], func(more io.Writer) error { return fill(io.MultiWriter(out, more)) })
	})
}

func (w *writer) writeText(path, text string) error {
	return w.write(path, func(out io.Writer) error {
		_, err := io.WriteString(out, text)
		return err
	})
}
