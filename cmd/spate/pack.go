package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"spate"
	"spate/format/metalink"
)

const packLong = `Splits FILE into parts and writes the manifest that joins them, with the digest and the size of each part. FILE may
be a URL. With -o NAME.parts the parts are NAME-part1, NAME-part2, … in the manifest's directory, or in --dir.

--parts N makes N parts whose sizes differ by one byte at most, or fewer where FILE has fewer bytes; --part-size S
makes parts of that size and a shorter last one. Each --base adds an alternative to every part: BASE/NAME-part1.
Without it the manifest refers to its parts relative to itself.

With -o NAME.meta4 nothing is split: what is written is a Metalink file, with the name, the size and the digest of FILE,
those of its pieces, and for each --base the URL BASE/FILE. A download by it is checked piece by piece.

With --seq the files are joined to a sequence: 4 bytes of length before each.

With --chunks N the file is split for a swarm: each of its N chunks goes to --copies of the folders --peers, taken by chance, as
chunk_1, chunk_2, …, with local_chunks.txt and a SHA256SUMS in each folder. spate peer serves such a folder and fetches what it
lacks, spate join puts it together again.

The files appear when all of them are whole, the manifest last; if that fails, no file of this run is left, and what was
there before is as it was. What is packed is never overwritten.`

type packCmd struct {
	stream    streamFlags
	parts     int64
	partSize  int64
	pieceSize int64
	bases     []string
	cache     bool
	seq       bool
	chunks    int64
	copies    int64
	peers     []string
	dir       string
	output    string
	overwrite existsFlag
}

func newPackCmd(p *process) *cobra.Command {
	var c packCmd
	cmd := &cobra.Command{
		Use:   "pack FILE --parts N|--part-size S -o NAME.parts\n  spate pack FILE --base URL... -o NAME.meta4\n  spate pack --seq FILE... -o NAME-seq\n  spate pack FILE --chunks N --peers DIR,DIR...",
		Short: "Split a file into parts and a manifest, or for a swarm; describe it in a Metalink file; join files to a sequence",
		Long:  packLong,
		Example: "  spate pack film.mp4 --part-size 64M --base http://a/film --base http://b/film -o film.mp4.parts\n" +
			"  spate pack film.mp4 --base http://a/films --base ftp://b/films -o film.mp4.meta4\n" +
			"  spate pack --seq frame*.png -o animation-seq\n" +
			"  spate pack film.mp4 --chunks 64 --peers a,b,c",
		Args: func(cmd *cobra.Command, args []string) error {
			if c.seq {
				return between(1, -1, "--seq FILE... -o NAME-seq")(cmd, args)
			}
			return between(1, -1, "FILE --parts N|--part-size S -o NAME.parts")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error { return c.run(cmd.Context(), args) },
	}
	fs := cmd.Flags()
	fs.Var(count{&c.parts, 1}, "parts", "how many parts")
	fs.Var(size{&c.partSize, 1}, "part-size", "how large a part is")
	fs.Var(size{&c.pieceSize, 1}, "piece-size", "how large the pieces are that a Metalink file has digests of, a power of two (default 1MiB to 16MiB)")
	fs.StringArrayVar(&c.bases, "base", nil, "`URL` of a directory that will have the parts, or FILE; may be repeated")
	fs.BoolVar(&c.cache, "cache", false, "mark the parts (*): they may be cached")
	fs.BoolVar(&c.seq, "seq", false, "join the files to a sequence")
	fs.SetAnnotation("seq", envAnnotation, []string{"SPATE_PACK_SEQ"}) // get's --seq has SPATE_SEQ
	fs.Var(count{&c.chunks, 1}, "chunks", "split FILE for a swarm: into how many chunks")
	fs.StringSliceVar(&c.peers, "peers", nil, "`DIR,DIR...`: the folders that get the chunks; they are made if they are not there")
	c.copies = 1
	fs.Var(count{&c.copies, 1}, "copies", "how many of the folders get a chunk")
	fs.StringVar(&c.dir, "dir", "", "`DIR` of the parts; it is made if it is not there (default that of the manifest)")
	fs.StringVarP(&c.output, "output", "o", "", "`NAME` of the manifest, Metalink file or sequence to write")
	c.overwrite.register(fs, "fail", "fail", "overwrite")
	c.stream.registerTimes(fs)
	return cmd
}

func (c *packCmd) run(ctx context.Context, args []string) error {
	if err := c.check(args); err != nil {
		return err
	}
	if err := c.stream.name(urlsOf(args)...); err != nil {
		return err
	}
	client, closeIdle := c.stream.client(nil)
	defer closeIdle()
	w := &writer{overwrite: c.overwrite.yes()}
	if err := c.pack(ctx, client, w, args); err != nil {
		return errors.Join(err, w.discard())
	}
	return nil
}

func (c *packCmd) pack(ctx context.Context, client *spate.Client, w *writer, args []string) error {
	var err error
	switch {
	case c.chunks > 0:
		err = c.deal(ctx, client, w, args[0])
	case c.seq:
		err = c.sequence(ctx, client, w, args)
	case c.isMetalink():
		err = c.describe(ctx, client, w, args[0])
	default:
		err = c.split(ctx, client, w, args[0])
	}
	if err != nil {
		return err
	}
	return w.commit()
}

// check looks for what makes no sense before anything is opened.
func (c *packCmd) check(args []string) error {
	switch {
	case c.chunks > 0 && !c.seq && len(args) == 1:
		return c.checkChunks()
	case c.chunks > 0 || len(c.peers) > 0:
		return usage("--chunks N and --peers split one FILE for a swarm", "pack FILE --chunks N --peers A,B,C")
	case c.output == "":
		return usage("-o is missing", "-o NAME.parts is the manifest, -o NAME.meta4 the Metalink file, -o NAME-seq the sequence")
	case c.seq:
		return c.checkSequence()
	case len(args) > 1:
		return usage("too many arguments", "pack splits or describes one FILE; --seq joins several")
	case c.isMetalink():
		return c.checkMetalink()
	}
	return c.checkSplit()
}

func (c *packCmd) checkSequence() error {
	switch {
	case c.parts > 0 || c.partSize > 0 || c.pieceSize > 0 || len(c.bases) > 0 || c.cache || c.dir != "":
		return usage("--seq goes with none of --parts, --part-size, --piece-size, --base, --cache and --dir", "")
	case !strings.Contains(filepath.Base(c.output), "-seq"):
		return usage("-o: a sequence is known by -seq in its name", "-o "+shown(c.output)+"-seq")
	case strings.HasSuffix(c.output, manifestExt):
		return usage("-o: a name in .parts is that of a manifest", "-o "+shown(strings.TrimSuffix(c.output, manifestExt)))
	case c.isMetalink():
		return usage("-o: a name in .meta4 is that of a Metalink file", "-o "+shown(strings.TrimSuffix(c.output, metalink.Ext)))
	}
	return nil
}

// isMetalink tells whether what is to be written is a Metalink file.
func (c *packCmd) isMetalink() bool { return strings.HasSuffix(c.output, metalink.Ext) }

func (c *packCmd) checkMetalink() error {
	switch {
	case c.parts > 0 || c.partSize > 0 || c.cache || c.dir != "":
		return usage("-o NAME.meta4 goes with none of --parts, --part-size, --cache and --dir", "it splits nothing; -o NAME.parts does")
	case filepath.Base(c.output) == metalink.Ext:
		return usage("-o: a Metalink file has a name before .meta4", "-o NAME.meta4")
	case len(c.bases) == 0:
		return usage("--base is missing", "a Metalink file says where FILE can be found: --base https://host/directory")
	case c.pieceSize&(c.pieceSize-1) != 0:
		return usage("--piece-size: no power of two", "as 512K, 1M, 2M")
	}
	return c.checkBases()
}

func (c *packCmd) checkSplit() error {
	switch {
	case strings.HasSuffix(c.output, metalink.Ext3):
		return usage("-o: what is written is Metalink 4, whose name ends in .meta4", "-o "+shown(strings.TrimSuffix(c.output, metalink.Ext3))+metalink.Ext)
	case c.pieceSize > 0:
		return usage("--piece-size is for a Metalink file, -o NAME.meta4", "--part-size is the size of a part")
	case (c.parts > 0) == (c.partSize > 0):
		return usage("one of --parts and --part-size is needed", "-o NAME.meta4 describes FILE without splitting it")
	case !strings.HasSuffix(c.output, manifestExt) || filepath.Base(c.output) == manifestExt:
		return usage("-o: a manifest is known by .parts at the end of its name", "-o "+shown(c.output)+manifestExt)
	}
	return c.checkBases()
}

const manifestExt = ".parts"

func (c *packCmd) checkBases() error {
	for _, base := range c.bases {
		if err := checkBase(base); err != nil {
			return usage(fmt.Sprintf("--base %s: %v", shown(base), err), "as --base https://host/directory")
		}
	}
	return nil
}

var errNoDir = errors.New("no URL of a directory")

func checkBase(base string) error {
	u, err := url.Parse(base)
	switch {
	case err != nil, u.Scheme == "", u.Opaque != "", strings.ContainsAny(base, "?#"):
		return errNoDir
	case u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "file" && !slices.Contains(fileSchemes, u.Scheme):
		return fmt.Errorf("no support for scheme %q; there are http, https, %s and file", u.Scheme, strings.Join(fileSchemes, ", "))
	case u.Scheme != "file" && u.Host == "":
		return errNoDir
	}
	return nil
}
