package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/spf13/cobra"

	"spate"
	"spate/format/sequence"
	"spate/internal/redact"
)

const catLong = `Writes the bytes of URL to stdout as they arrive. URL may be a manifest; its parts are joined.

A stream is a stream: the files of a sequence are not taken apart. With --max-files the stream must be a sequence;
what is written then is a sequence of so many files.`

type catCmd struct {
	stream streamFlags
	limits limitFlags
	talk   talkFlags
	force  bool
}

func newCatCmd(p *process) *cobra.Command {
	var c catCmd
	cmd := &cobra.Command{
		Use:   "cat URL",
		Short: "Write a stream to stdout",
		Long:  catLong,
		Example: "  spate cat http://host/text.parts\n" +
			"  spate cat --max-bytes 10M http://host/endless.parts | less",
		Args: exactly(1, "URL"),
		RunE: func(cmd *cobra.Command, args []string) error { return c.run(cmd.Context(), p, args[0]) },
	}
	c.limits.register(cmd.Flags())
	cmd.Flags().BoolVar(&c.force, "force", false, "write binary data to a terminal")
	c.talk.register(cmd.Flags())
	c.stream.register(cmd.Flags())
	return cmd
}

func (c *catCmd) run(ctx context.Context, p *process, arg string) error {
	url, err := argument(arg)
	if err != nil {
		return err
	}
	if err := c.stream.name(url); err != nil {
		return err
	}
	screen := isTerminal(p.stdout)
	talk := c.talk.start(p, screen)
	defer talk.close()
	client, closeIdle := c.stream.client(talk.sink)
	defer closeIdle()
	out := p.stdout
	if screen && !c.force {
		out = &textOnly{w: out}
	}
	return c.copy(ctx, client, url, out)
}

// copy writes the stream at url to out, within the limits.
func (c *catCmd) copy(ctx context.Context, client *spate.Client, url string, out io.Writer) error {
	ctx, cancel := c.limits.limits().Context(ctx)
	defer cancel()
	stream, err := client.Open(ctx, url)
	if err == nil {
		err = copyWithin(escapable(ctx, out), stream, &c.limits)
		if closed := stream.Close(); err == nil {
			err = closed
		}
	}
	if cause := context.Cause(ctx); err != nil && errors.Is(cause, spate.ErrLimit) {
		err = cause
	}
	if _, ok := errors.AsType[*fileError](err); ok || errors.Is(err, spate.ErrLimit) {
		return fmt.Errorf("read %s: %w", redact.URL(url), err)
	}
	return handedOnHint(err)
}

// copyWithin copies r to out up to the limits of bytes and files.
func copyWithin(out io.Writer, r io.Reader, limits *limitFlags) error {
	if limits.bytes > 0 {
		r = &limitedReader{r: r, left: limits.bytes, err: spate.OverLimit(counted(limits.bytes, "byte"))}
	}
	if limits.files > 0 {
		return copyFiles(out, r, limits.files)
	}
	_, err := io.Copy(out, r)
	return err
}

// A fileError is why a sequence cannot be read on; it tells in which file.
type fileError struct{ error }

func (e *fileError) Unwrap() error { return e.error }

// A fileReader marks the errors of a file of a sequence, so that they are not taken for those of what is written.
type fileReader struct{ f *sequence.File }

func (r fileReader) Read(p []byte) (int, error) {
	n, err := r.f.Read(p)
	return n, unreadable(err)
}

// unreadable is err as a [*fileError]; the end is none.
func unreadable(err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return &fileError{err}
}

// copyFiles copies the first n files of a sequence, with their lengths.
func copyFiles(out io.Writer, r io.Reader, n int64) error {
	files, w := sequence.NewReader(r), sequence.NewWriter(out)
	for range n {
		f, err := files.Next()
		if err != nil {
			return ignoreEOF(unreadable(err))
		}
		if err := copyFile(w, f); err != nil {
			return err
		}
	}
	if _, err := files.Next(); err != nil {
		return ignoreEOF(unreadable(err))
	}
	return spate.OverLimit(counted(n, "file"))
}

func copyFile(w *sequence.Writer, f *sequence.File) error {
	if f.Size > math.MaxUint32 {
		return fmt.Errorf("file %d: %d bytes are too many for a sequence", f.Index, f.Size)
	}
	err := w.WriteFile(uint32(f.Size), fileReader{f})
	if unread, ok := errors.AsType[*fileError](err); ok {
		return unread // not what it means for the sequence that is written
	}
	return err
}

func ignoreEOF(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}

// A limitedReader fails with err where r goes on beyond the limit. A stream of just that length ends as it would.
type limitedReader struct {
	r    io.Reader
	left int64
	err  error
}

func (l *limitedReader) Read(p []byte) (int, error) {
	if l.left > 0 {
		n, err := l.r.Read(p[:min(int64(len(p)), l.left)])
		l.left -= int64(n)
		return n, err
	}
	var one [1]byte
	n, err := l.r.Read(one[:])
	if n > 0 {
		return 0, l.err
	}
	return 0, err
}
