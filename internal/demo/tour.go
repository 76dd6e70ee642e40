package demo

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"spate"
	"spate/source"
)

// A Row is what came of an [Exhibit].
type Row struct {
	Exhibit  Exhibit
	Parts    int64 // reached in the stream, those from the cache included
	Failures int64 // alternatives that failed and that something else stood in for
	Origins  int   // that gave bytes
	Bytes    int64
	Time     time.Duration
	Err      error // nil: every byte is right
}

// Tour downloads every exhibit that is not there to [Watch], one after the other, and checks what comes. It tells talk what
// happens. It leaves nothing behind, and ends early only if ctx does; then the last row says so.
func (s *Site) Tour(ctx context.Context, talk io.Writer) []Row {
	var rows []Row
	for _, e := range s.toured() {
		fmt.Fprintf(talk, "%s: %s\n", e.Name, e.URL)
		row := visit(ctx, e, talk)
		fmt.Fprintln(talk, "  "+row.verdict())
		if rows = append(rows, row); ctx.Err() != nil {
			break
		}
	}
	return rows
}

// toured are the exhibits of the tour.
func (s *Site) toured() []Exhibit {
	return slices.DeleteFunc(slices.Clone(s.Exhibits), func(e Exhibit) bool { return e.Mode == Watch })
}

// verdict is a Row in a few words.
func (r *Row) verdict() string {
	if r.Err != nil {
		return r.Err.Error()
	}
	return fmt.Sprintf("%d parts, %d bytes, all of them right", r.Parts, r.Bytes)
}

// visit downloads e and checks it.
func visit(ctx context.Context, e Exhibit, talk io.Writer) Row {
	w := &watch{talk: talk, origins: map[string]bool{}}
	client := &spate.Client{Options: spate.Options{Events: w.sink}}
	defer client.CloseIdleConnections()
	start := time.Now()
	t := tally{hash: sha256.New()}
	err := t.take(ctx, client, &e)
	row := Row{Exhibit: e, Bytes: t.bytes, Time: time.Since(start), Err: err}
	if err == nil {
		row.Err = t.check(&e)
	}
	w.fill(&row)
	return row
}

// tally is what has come of an exhibit so far: a writer that counts and hashes.
type tally struct {
	hash  hash.Hash
	bytes int64
	files int
}

func (t *tally) Write(p []byte) (int, error) {
	t.bytes += int64(len(p))
	return t.hash.Write(p)
}

// check tells what is not as e promised.
func (t *tally) check(e *Exhibit) error {
	switch {
	case t.bytes != e.Bytes:
		return fmt.Errorf("%s: %d bytes where %d are due: %w", e.Name, t.bytes, e.Bytes, source.ErrCorrupt)
	case t.files != e.Files:
		return fmt.Errorf("%s: %d files where %d are due: %w", e.Name, t.files, e.Files, source.ErrCorrupt)
	case [sha256.Size]byte(t.hash.Sum(nil)) != e.SHA256:
		return fmt.Errorf("%s: other bytes than are due: %w", e.Name, source.ErrCorrupt)
	}
	return nil
}

// take downloads e in its way.
func (t *tally) take(ctx context.Context, c *spate.Client, e *Exhibit) error {
	switch e.Mode {
	case File:
		return t.takeFile(ctx, c, e)
	case Frames:
		return t.takeFrames(ctx, c, e)
	}
	return t.takeStream(ctx, c, e)
}

// takeStream reads to the end, which may not come too late either; of what is endless, so much as is due.
func (t *tally) takeStream(ctx context.Context, c *spate.Client, e *Exhibit) (err error) {
	stream, err := c.Open(ctx, e.URL)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stream.Close()) }()
	limit := e.Bytes
	if !e.Endless {
		limit++
	}
	_, err = io.CopyN(t, stream, limit)
	if err == io.EOF {
		return nil // whether it came in time, check tells
	}
	return err
}

// takeFile reads what was written to a file.
func (t *tally) takeFile(ctx context.Context, c *spate.Client, e *Exhibit) (err error) {
	dir, err := os.MkdirTemp("", "spate-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "it")
	if _, err := c.Get(ctx, e.URL, path, nil); err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(t, f)
	return err
}

// takeFrames reads file by file.
func (t *tally) takeFrames(ctx context.Context, c *spate.Client, e *Exhibit) error {
	for f, err := range c.Files(ctx, e.URL) {
		if err != nil {
			return err
		}
		t.files++
		_, _ = t.Write(binary.BigEndian.AppendUint32(nil, uint32(f.Size)))
		if _, err := io.Copy(t, f); err != nil {
			return err
		}
		if e.Endless && t.files == e.Files {
			break
		}
	}
	return nil
}
