package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/spf13/cobra"

	"spate/format/checksum"
	"spate/source"
	"spate/swarm/peer"
)

const joinLong = `Puts the chunks of the folder DIR together, in the order of their indices, as local_chunks.txt lists them. Those that
SHA256SUMS has are verified. FILE appears when it is whole.`

type joinCmd struct {
	output string
	exists existsFlag
	quiet  bool
}

func newJoinCmd(p *process) *cobra.Command {
	var c joinCmd
	cmd := &cobra.Command{
		Use:     "join DIR -o FILE",
		Short:   "Put the chunks of a peer's folder together",
		Long:    joinLong,
		Example: "  spate join a -o film.mp4",
		Args:    exactly(1, "DIR -o FILE"),
		RunE:    func(cmd *cobra.Command, args []string) error { return c.run(cmd.Context(), p, args[0]) },
	}
	fs := cmd.Flags()
	fs.StringVarP(&c.output, "output", "o", "", "`FILE` to write; - is stdout")
	fs.BoolVarP(&c.quiet, "quiet", "q", false, "no digest of the whole, on stdout, or on stderr with -o -")
	c.exists.register(fs, "fail", "fail", "overwrite")
	return cmd
}

func (c *joinCmd) run(ctx context.Context, p *process, dir string) error {
	if c.output == "" {
		return usage("-o is missing", "-o FILE is what the chunks make together; -o - is stdout")
	}
	folder, err := peer.ReadFolder(dir)
	if err != nil {
		return err
	}
	defer folder.Close()
	if err := isComplete(folder, dir); err != nil {
		return err
	}
	sum := sha256.New()
	if c.output == stdoutName {
		err = join(ctx, folder, io.MultiWriter(p.stdout, sum))
		return c.tell(p.stderr, sum.Sum(nil), err)
	}
	err = c.toFile(ctx, folder, sum)
	return c.tell(p.stdout, sum.Sum(nil), err)
}

// tell tells the digest of the whole.
func (c *joinCmd) tell(w io.Writer, sum []byte, err error) error {
	if err == nil && !c.quiet {
		_, err = io.WriteString(w, sumLine(sum, c.output))
	}
	return err
}

// isComplete is an error that names what is missing of a folder.
func isComplete(folder *peer.Folder, dir string) error {
	have := folder.Have()
	if len(have) == folder.Last() {
		return nil
	}
	missing := 1
	for _, chunk := range have {
		if chunk != missing {
			break
		}
		missing++
	}
	err := fmt.Errorf("join %s: %d of %d chunks are there; chunk %d is missing: %w", shown(dir), len(have), folder.Last(), missing, fs.ErrNotExist)
	return &hintedError{err, "spate peer " + shown(dir) + " --once fetches what is missing"}
}

// toFile writes the output through FILE.part.
func (c *joinCmd) toFile(ctx context.Context, folder *peer.Folder, sum io.Writer) error {
	w := &writer{overwrite: c.exists.yes()}
	if err := w.readsChunks(folder); err != nil {
		return err
	}
	err := w.write(c.output, func(out io.Writer) error { return join(ctx, folder, io.MultiWriter(out, sum)) })
	if err == nil {
		err = w.commit()
	}
	if err != nil {
		return errors.Join(err, w.discard())
	}
	return nil
}

// join writes the chunks one after the other.
func join(ctx context.Context, folder *peer.Folder, out io.Writer) error {
	for chunk := 1; chunk <= folder.Last(); chunk++ {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		if err := joinChunk(folder, chunk, out); err != nil {
			return err
		}
	}
	return nil
}

func joinChunk(folder *peer.Folder, chunk int, out io.Writer) error {
	var set checksum.Set
	sum, isPromised, err := folder.Sum(chunk)
	if err == nil && isPromised {
		err = set.Expect(sum)
	}
	if err != nil {
		return fmt.Errorf("chunk %d: %w", chunk, err)
	}
	section, err := folder.Open(chunk)
	if err != nil {
		return err
	}
	defer section.Close()
	if _, err := io.Copy(io.MultiWriter(out, &set), section.Reader()); err != nil {
		return err
	}
	if err := set.Verify(); err != nil {
		return &source.Error{Op: "read", URL: section.File.Name(), Kind: source.KindCorrupt, Err: err}
	}
	return nil
}

// readsChunks notes that the chunks of a folder are what is read.
func (w *writer) readsChunks(folder *peer.Folder) error {
	for _, chunk := range folder.Have() {
		section, err := folder.Open(chunk)
		if err != nil {
			return err
		}
		info, err := section.File.Stat()
		section.Close()
		if err != nil {
			return err
		}
		w.inputs = append(w.inputs, info)
	}
	return nil
}
