package main

import (
	"context"
	"fmt"
	"io"
	"math"

	"spate"
	"spate/format/sequence"
)

// sequence joins the streams that args mean.
func (c *packCmd) sequence(ctx context.Context, client *spate.Client, w *writer, args []string) error {
	var urls []string
	for _, arg := range args {
		url, err := argument(arg)
		if err != nil {
			return err
		}
		w.reads(url)
		urls = append(urls, url)
	}
	return w.write(c.output, func(out io.Writer) error {
		seq := sequence.NewWriter(out)
		for _, url := range urls {
			if err := addFile(ctx, client, seq, url); err != nil {
				return err
			}
		}
		return nil
	})
}

// addFile appends the stream at url, whose size must be known: it goes before the bytes.
func addFile(ctx context.Context, client *spate.Client, seq *sequence.Writer, url string) error {
	stream, err := client.Open(ctx, url)
	if err != nil {
		return err
	}
	defer stream.Close()
	n := stream.Info().Size
	switch {
	case n < 0:
		return &hintedError{fmt.Errorf("pack %s: its size is not known beforehand", shown(url)), "fetch it with spate get first"}
	case n > math.MaxUint32:
		return fmt.Errorf("pack %s: more than 4 GiB do not fit into a sequence", shown(url))
	}
	return seq.WriteFile(uint32(n), stream)
}
