package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"spate"
)

const getLong = `Fetches URL, which may be a manifest, into a file. The file appears under its name when it is whole; before, it is
FILE.part, which also stays where something ends the command early. Without FILE the name comes from the origin
(Content-Disposition) or from the URL, a manifest's without .parts.

If URL, as it is given, contains "-seq" it is a sequence, and its files become FILE-file1, FILE-file2 and so on; --seq=on and --seq=off
say so whatever the URL is.`

type getCmd struct {
	stream        streamFlags
	limits        limitFlags
	talk          talkFlags
	exists        existsFlag
	output, dir   string
	seq           string
	noDisposition bool
	connections   int64
	remoteTime    bool
	dryRun        bool
	log           logFlags
	book          *logbook
	after         afterFlags
	noDigest      bool
}

func newGetCmd(p *process) *cobra.Command {
	c := getCmd{seq: "auto"}
	cmd := &cobra.Command{
		Use:   "get URL [FILE]",
		Short: "Fetch a stream into a file, or a sequence into files",
		Long:  getLong,
		Example: "  spate get http://host/picture.jpg.parts\n" +
			"  spate get -o frame --max-files 20 http://host/animation-seq",
		Args: between(1, 2, "URL [FILE]"),
		RunE: func(cmd *cobra.Command, args []string) error { return c.logged(cmd, p, args) },
	}
	flags := cmd.Flags()
	flags.StringVarP(&c.output, "output", "o", "", "`FILE` to write")
	flags.StringVarP(&c.dir, "dir", "d", "", "`DIR` to write to; it is made if it is not there")
	c.exists.register(flags)
	flags.Var(choice{&c.seq, []string{"auto", "on", "off"}}, "seq", "take the stream for a sequence of files")
	flags.BoolVar(&c.noDisposition, "no-content-disposition", false, "ignore the name that the origin proposes")
	flags.BoolVar(&c.noDigest, "no-digest", false, "do not compute the SHA-256 of the file")
	flags.VarP(count{&c.connections, 1}, "connections", "s", "fetch what is no manifest over so many connections")
	flags.BoolVarP(&c.remoteTime, "remote-time", "R", false, "give the file the time of modification that the origin tells")
	flags.BoolVar(&c.dryRun, "dry-run", false, "tell what would be done, and write nothing")
	c.limits.register(flags)
	flags.Var(size{&c.limits.fileSize, 0}, "max-filesize", "fetch no file that is larger; 0 is no limit")
	c.after.register(flags)
	c.log.register(flags)
	c.talk.register(flags)
	c.stream.register(flags)
	return cmd
}

// logged runs the command with a log of it, if there is to be one.
func (c *getCmd) logged(cmd *cobra.Command, p *process, args []string) (err error) {
	if c.book, err = c.log.open(p); err != nil {
		return err
	}
	err = c.run(cmd, p, args)
	c.book.close(cmd.Context(), err)
	return err
}

func (c *getCmd) run(cmd *cobra.Command, p *process, args []string) error {
	url, err := argument(args[0])
	if err != nil {
		return err
	}
	if err := c.stream.name(url); err != nil {
		return err
	}
	if c.limits.files > 0 && c.mode(args[0]) == spate.SeqOff {
		return usage(fmt.Sprintf("--max-files counts the files of a sequence, and %s is not taken for one", shown(args[0])),
			"--seq=on takes it for one; --max-bytes and --max-time end any stream")
	}
	path, err := c.path(args[1:], cmd.Flags().Changed("output"))
	if err != nil {
		return err
	}
	r := request{args[0], url, path}
	if c.dryRun {
		return c.plan(cmd.Context(), p, r)
	}
	if c.dir != "" {
		if err := os.MkdirAll(c.dir, 0o777); err != nil {
			return err
		}
	}
	return c.fetch(cmd.Context(), p, r)
}

// path is the file to write, "" where get shall find a name. given tells that -o is on the command line; if it is
// from the environment, FILE wins.
func (c *getCmd) path(file []string, given bool) (string, error) {
	path := c.output
	if given && path == "" {
		return "", usage("-o is empty", "without it the name comes from the URL")
	}
	if len(file) > 0 {
		if given {
			return "", usage("FILE and -o are the same thing twice", "")
		}
		if path = file[0]; path == "" {
			return "", usage("FILE is empty", "without it the name comes from the URL")
		}
	}
	if path == "-" {
		return "", usage("- is no file", "spate cat URL writes to stdout")
	}
	if isFolder(path) {
		return "", &fs.PathError{Op: "create", Path: path, Err: syscall.EISDIR}
	}
	if path != "" && c.dir != "" && !filepath.IsAbs(path) {
		path = filepath.Join(c.dir, path)
	}
	return path, nil
}

// isFolder tells whether path names a folder by its last element, whatever is there: FILE-file1 would be a file inside it,
// of an odd name.
func isFolder(path string) bool {
	_, last := filepath.Split(path)
	return path != "" && (last == "" || last == "." || last == "..")
}

// A request is what get shall fetch: the argument as it was given, the URL that it means, and the file to write.
type request struct{ arg, url, path string }

func (c *getCmd) fetch(ctx context.Context, p *process, r request) error {
	talk := c.talk.start(p, false)
	defer talk.close()
	after, err := c.after.begin(p, talk)
	if err != nil {
		return err
	}
	client, closeIdle := c.stream.client(tee(talk.sink, c.book.sink(), after.observe))
	defer closeIdle()
	after.watch(client)
	begun := time.Now()
	res, err := client.Get(after.job(ctx, 0, r), r.url, r.path, c.options(r.arg))
	talk.close()
	if c.talk.chatty() && res.Files > 0 {
		summarise(p.stderr, res, time.Since(begun))
	}
	if err != nil && res.Part != "" && hintOf(err) == "" {
		err = &hintedError{err, "what came so far is in " + shown(res.Part)}
	}
	return after.end(ctx, 0, err)
}

func (c *getCmd) options(arg string) *spate.GetOptions {
	return &spate.GetOptions{
		Dir:                  c.dir,
		NoContentDisposition: c.noDisposition,
		IfExists:             c.exists.mode(),
		Sequence:             c.mode(arg),
		NoDigest:             c.noDigest,
		RemoteTime:           c.remoteTime,
		Connections:          int(c.connections),
		Limits:               c.limits.limits(),
	}
}

// mode goes by the argument: the URL of a local file has all folders above it.
func (c *getCmd) mode(arg string) spate.SeqMode {
	if c.seq == "on" || c.seq == "auto" && namesSequence(arg) {
		return spate.SeqOn
	}
	return spate.SeqOff
}

// namesSequence tells whether something that was asked for is taken for a sequence.
func namesSequence(arg string) bool { return strings.Contains(arg, "-seq") }

// summarise tells what is there now.
func summarise(w io.Writer, res *spate.Result, took time.Duration) {
	what := clean(res.Paths[0])
	if res.Files > 1 {
		what = fmt.Sprintf("%s and %s more", what, counted(res.Files-1, "file"))
	}
	line := fmt.Sprintf("spate: %s: %s in %.1f s", what, formatBytes(res.Bytes), took.Seconds())
	if n := len(res.Stats.Origins); n > 1 {
		line += fmt.Sprintf(" from %d origins", n)
	}
	if res.Stats.Failures > 0 {
		line += ", " + counted(res.Stats.Failures, "failure") + " survived"
	}
	if res.Files == 1 && res.Part == "" && res.SHA256 != nil {
		line += fmt.Sprintf(", sha256 %x", res.SHA256)
	}
	fmt.Fprintln(w, line)
}
