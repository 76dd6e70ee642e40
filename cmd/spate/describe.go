package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/url"
	"path"
	"strings"

	"spate"
	"spate/format/manifest"
	"spate/format/metalink"
)

// describe writes the Metalink file of the stream that arg means.
func (c *packCmd) describe(ctx context.Context, client *spate.Client, w *writer, arg string) error {
	from, err := argument(arg)
	if err != nil {
		return err
	}
	w.reads(from)
	if err := w.check(c.output); err != nil {
		return err
	}
	m, err := c.metalink(arg, from)
	if err != nil {
		return err
	}
	stream, err := client.Open(ctx, from)
	if err != nil {
		return err
	}
	defer stream.Close()
	length, err := c.pieceLength(stream.Info().Size)
	if err != nil {
		return err
	}
	if err := fingerprint(&m.Files[0], stream, length); err != nil {
		return err
	}
	return w.write(c.output, func(out io.Writer) error { return metalink.Encode(out, m) })
}

// metalink says where the stream at from will be found, and nothing else of it yet.
func (c *packCmd) metalink(arg, from string) (*metalink.Metalink, error) {
	f := metalink.File{Name: nameOf(from), Size: -1}
	for i, base := range c.bases {
		f.URLs = append(f.URLs, metalink.URL{URL: below(base, f.Name), Priority: i + 1})
	}
	m := &metalink.Metalink{Generator: "spate", Files: []metalink.File{f}}
	if err := metalink.Encode(io.Discard, m); err != nil {
		return nil, usage(fmt.Sprintf("pack %s: %v", shown(arg), errors.Unwrap(err)), "another name for it, or another --base")
	}
	return m, nil
}

// nameOf is the last element of the path of from, a manifest's without .parts.
func nameOf(from string) string {
	u, err := url.Parse(from)
	if err != nil {
		return ""
	}
	name := path.Base(u.Path)
	if manifest.IsManifest(from, "") {
		name = strings.TrimSuffix(name, manifestExt)
	}
	return name
}

// How long pieces are by default: the shortest power of two that makes fewPieces at most, but within these two; beyond, only
// where a Metalink file could not hold as many.
const (
	minPiece  = 1 << 20
	maxPiece  = 16 << 20
	fewPieces = 4096
	maxPieces = metalink.MaxHashes - 1 // and the digest of the whole
)

// pieceLength returns how long the pieces of size bytes are, below 0 if that is not known.
func (c *packCmd) pieceLength(size int64) (int64, error) {
	if c.pieceSize > 0 {
		if size > 0 && (size-1)/c.pieceSize >= maxPieces {
			return 0, usage(fmt.Sprintf("--piece-size: more than %d pieces", maxPieces), "a Metalink file has no place for them")
		}
		return c.pieceSize, nil
	}
	if size < 0 {
		return maxPiece, nil
	}
	length := int64(minPiece)
	for size > 0 && (length < maxPiece && (size-1)/length >= fewPieces || (size-1)/length >= maxPieces) {
		length *= 2
	}
	return length, nil
}

// fingerprint reads r to its end and notes in f the size, the digest of the whole, and those of pieces of that length.
func fingerprint(f *metalink.File, r io.Reader, length int64) error {
	const algorithm = "sha-256"
	whole, pieces := sha256.New(), &pieceHash{length: length, sum: sha256.New()}
	n, err := io.Copy(io.MultiWriter(whole, pieces), r)
	if err != nil {
		return err
	}
	pieces.end()
	f.Size = n
	f.Hashes = []metalink.Hash{{Algorithm: algorithm, Value: whole.Sum(nil)}}
	if n > 0 {
		f.Pieces = &metalink.Pieces{Algorithm: algorithm, Length: length, Values: pieces.values}
	}
	return nil
}

// A pieceHash hashes what is written piece by piece.
type pieceHash struct {
	length, n int64 // of a piece; of the one that was begun
	sum       hash.Hash
	values    [][]byte
}

func (h *pieceHash) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		if len(h.values) == maxPieces {
			return 0, &hintedError{fmt.Errorf("pack: more than %d pieces", maxPieces), "a larger --piece-size makes fewer"}
		}
		k := min(int64(len(rest)), h.length-h.n)
		h.sum.Write(rest[:k])
		rest = rest[k:]
		if h.n += k; h.n == h.length {
			h.end()
		}
	}
	return len(p), nil
}

// end ends the piece that was begun, if one was.
func (h *pieceHash) end() {
	if h.n > 0 {
		h.values = append(h.values, h.sum.Sum(nil))
		h.sum.Reset()
		h.n = 0
	}
}
