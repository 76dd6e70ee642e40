package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"spate"
	"spate/event"
	"spate/fetch"
	"spate/fetch/journal"
)

const getLong = `Fetches URL, which may be a manifest, into a file. The file appears under its name when it is whole; before, it is
FILE.part, which also stays, with its journal FILE.spate, where something ends the command early: the next one goes on from there.
Without FILE the name comes from the origin (Content-Disposition) or from the URL, a manifest's without .parts.

Several URLs are mirrors of one file, and that they differ is an error; with -Z each is a file of its own. -i LIST has a file on
each line, mirrors separated by TAB.

If URL, as it is given, contains "-seq" it is a sequence, and its files become FILE-file1, FILE-file2 and so on; --seq=on and --seq=off
say so whatever the URL is.`

type getCmd struct {
	stream        streamFlags
	object        objectFlags
	limits        limitFlags
	talk          talkFlags
	exists        existsFlag
	output, dir   string
	seq           string
	noDisposition bool
	remoteTime    bool
	dryRun        bool
	apart         bool
	list          string
	metalink      string
	noMetalink    bool
	jobs          int64
	log           logFlags
	book          *logbook
	after         afterFlags
}

func newGetCmd(p *process) *cobra.Command {
	c := getCmd{seq: "auto", jobs: 5}
	cmd := &cobra.Command{
		Use:   "get URL... [FILE]",
		Short: "Fetch a stream into a file, or a sequence into files",
		Long:  getLong,
		Example: "  spate get http://host/big.iso http://mirror/big.iso\n" +
			"  spate get http://host/picture.jpg.parts\n" +
			"  spate get -o frame --max-files 20 http://host/animation-seq",
		Args: func(cmd *cobra.Command, args []string) error {
			switch {
			case c.list != "":
				return between(0, 0, "-i LIST")(cmd, args)
			case c.metalink != "":
				return between(0, 1, "--metalink FILE [OUTPUT]")(cmd, args)
			}
			return between(1, -1, "URL... [FILE]")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error { return c.logged(cmd, p, args) },
	}
	flags := cmd.Flags()
	flags.StringVarP(&c.output, "output", "o", "", "`FILE` to write, or a device or pipe to write into; - is stdout")
	flags.Var(another{flags.Lookup("output")}, "name", "as --output, as a downloader has it that spate takes the place of")
	flags.Lookup("name").Hidden = true
	flags.StringVarP(&c.dir, "dir", "d", "", "`DIR` to write to; it is made if it is not there")
	c.exists.register(flags, "resume", "resume", "skip", "overwrite", "rename", "fail", "newer")
	flags.Var(choice{&c.seq, []string{"auto", "on", "off"}}, "seq", "take the stream for a sequence of files")
	flags.BoolVar(&c.noDisposition, "no-content-disposition", false, "ignore the name that the origin proposes")
	flags.BoolVarP(&c.remoteTime, "remote-time", "R", false, "give the file the time of modification that the origin tells")
	flags.BoolVar(&c.dryRun, "dry-run", false, "tell what would be done, and write nothing")
	flags.BoolVarP(&c.apart, "force-sequential", "Z", false, "each URL is a file of its own")
	flags.StringVarP(&c.list, "input-file", "i", "", "fetch the files of `LIST`, in aria2's format; - is stdin")
	flags.StringVar(&c.metalink, "metalink", "", "fetch the files that the Metalink `FILE`, or URL, describes, whatever its name")
	flags.BoolVar(&c.noMetalink, "no-metalink", false, "fetch a Metalink file itself, not what it describes")
	flags.VarP(count{&c.jobs, 1}, "max-concurrent-downloads", "j", "so many files of a list, or of -Z, at once")
	c.limits.register(flags)
	flags.Var(size{&c.limits.fileSize, 0}, "max-filesize", "fetch no file that is larger; 0 is no limit")
	c.after.register(flags)
	c.log.register(flags)
	c.talk.register(flags)
	c.stream.register(flags)
	c.object.register(flags)
	return cmd
}

// logged runs the command with a log of it, if there is to be one.
func (c *getCmd) logged(cmd *cobra.Command, p *process, args []string) (err error) {
	if !c.dryRun {
		if c.book, err = c.log.open(p); err != nil {
			return err
		}
	}
	err = c.run(cmd, p, args)
	c.book.close(cmd.Context(), err)
	return err
}

func (c *getCmd) run(cmd *cobra.Command, p *process, args []string) error {
	if keep, err := cmd.Flags().GetBool("continue"); err == nil && !keep {
		return usage("--continue=false says nothing of what is to become of what is there", "--if-exists=overwrite drops it")
	}
	if c.list == stdoutName && c.after.format.text == "@-" {
		return usage("-i - and -w @- would both read stdin", "")
	}
	if c.list != "" || c.apart {
		return c.batch(cmd, p, args)
	}
	if c.metalink != "" {
		if len(args) > 0 && strings.Contains(args[0], "://") {
			return usage(fmt.Sprintf("--metalink says where files are, and %s is another place", shown(args[0])),
				"the two are fetched by two commands; what has no :// is the output; mirrors of a URL are further URLs, or --mirror")
		}
		c.stream.web.leads = true
		args = append([]string{c.metalink}, args...)
	}
	r, err := c.single(args, cmd.Flags().Changed("output"))
	if err != nil {
		return err
	}
	if err := c.stream.name(r.urls()...); err != nil {
		return err
	}
	if err := c.countsFiles(r.arg); err != nil {
		return err
	}
	switch {
	case r.path == stdoutName:
		return c.toStdout(cmd.Context(), p, r)
	case isDevice(r.path):
		return c.toDevice(cmd.Context(), p, r)
	case r.makes != "" && !c.dryRun:
		if err := os.MkdirAll(r.makes, 0o777); err != nil {
			return err
		}
	}
	return c.fetch(cmd.Context(), p, r)
}

// A getting is the work of one command: what its downloads have in common.
type getting struct {
	c      *getCmd
	p      *process
	talk   *talk
	after  *aftermath
	client *spate.Client
	close  func() // ends what begin has begun

	printed bool // a plan was
}

// begin begins a command; noisy tells that data go to a terminal.
func (c *getCmd) begin(p *process, noisy bool) (*getting, error) {
	g := &getting{c: c, p: p, talk: c.talk.start(p, noisy)}
	var err error
	if g.after, err = c.after.begin(p, g.talk); err != nil {
		g.talk.close()
		return nil, err
	}
	var closeIdle func()
	g.client, closeIdle = c.stream.client(tee(g.talk.sink, c.book.sink(), g.after.sink()))
	g.close = func() {
		closeIdle()
		g.talk.close()
	}
	g.after.watch(g.client)
	return g, nil
}

func (c *getCmd) fetch(ctx context.Context, p *process, r request) error {
	g, err := c.begin(p, false)
	if err != nil {
		return err
	}
	defer g.close()
	begun := time.Now()
	if c.dryRun {
		return g.plan(ctx, r)
	}
	res, err := g.one(ctx, 0, r)
	g.talk.close()
	if c.talk.chatty() {
		summarise(p.stderr, res, time.Since(begun))
	}
	return err
}

// one fetches what is asked for; number is that of its events, 0 for a command that is no batch.
func (g *getting) one(ctx context.Context, number int64, r request) (*spate.Result, error) {
	if r.bad != nil {
		return &spate.Result{}, g.after.end(g.after.job(ctx, number, r), number, r.bad)
	}
	opts := g.c.options(r)
	if sink := g.client.Options.Events; number > 0 && sink != nil {
		opts.Events = func(e event.Event) {
			e.Job = number
			sink(e)
		}
	}
	opts.NoDigest = opts.NoDigest || g.isSilent()
	res, err := g.client.Get(g.after.job(ctx, number, r), r.url, r.path, opts)
	if res.Files == 1 && res.Part == "" && res.SHA256 != nil && !g.c.talk.quiet && g.c.after.format.text == "" {
		_, failed := fmt.Fprint(g.talk.stdout(g.p), sumLine(res.SHA256, res.Paths[0]))
		err = cmp.Or(err, failed)
	}
	if err != nil && res.Part != "" && hintOf(err) == "" {
		err = &hintedError{err, leftHint(res.Part)}
	}
	return res, g.after.end(ctx, number, err)
}

// isSilent reports whether nobody is told of what happens, and so of no digest.
func (g *getting) isSilent() bool { return g.c.talk.quiet && g.client.Options.Events == nil }

// leftHint tells of what has come before an error.
func leftHint(part string) string {
	hint := "what came so far is in " + shown(part)
	if _, err := os.Lstat(strings.TrimSuffix(part, fetch.Ext) + journal.Ext); err == nil {
		hint += "; the same command goes on from there"
	}
	return hint
}

// sumLine is as sha256sum writes it.
func sumLine(sum []byte, name string) string {
	mark := ""
	if strings.ContainsAny(name, "\\\n\r") {
		name, mark = strings.NewReplacer("\\", "\\\\", "\n", "\\n", "\r", "\\r").Replace(name), "\\"
	}
	return fmt.Sprintf("%s%x  %s\n", mark, sum, name)
}

func (c *getCmd) options(r request) *spate.GetOptions {
	o := &spate.GetOptions{
		Dir:                  r.dir,
		NoContentDisposition: c.noDisposition,
		IfExists:             c.exists.mode(),
		Sequence:             c.mode(r.arg),
		RemoteTime:           c.remoteTime,
		Limits:               *c.limits.limits(),
		Mirrors:              r.mirrors,
		MirrorsAgree:         r.agree,
		Checksums:            r.sums,
		Claim:                r.claim,
	}
	switch {
	case c.metalink != "":
		o.Metalink = spate.MetalinkOn
	case c.noMetalink:
		o.Metalink = spate.MetalinkOff
	}
	c.object.put(o)
	if r.split > 0 {
		o.Connections = int(r.split)
	}
	return o
}

// countsFiles is the error of a limit of files where there are none to count.
func (c *getCmd) countsFiles(arg string) error {
	if c.limits.files <= 0 || c.mode(arg) == spate.SeqOn {
		return nil
	}
	return usage(fmt.Sprintf("--max-files counts the files of a sequence, and %s is not taken for one", shown(arg)),
		"--seq=on takes it for one; --max-bytes and --max-time end any stream")
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

// tellSkipped names what was left as it is.
func tellSkipped(w io.Writer, res *spate.Result) {
	for _, path := range res.Skipped {
		fmt.Fprintf(w, "spate: %s exists, and nothing was fetched\n", clean(path))
	}
}

// summarise tells what is there now.
func summarise(w io.Writer, res *spate.Result, took time.Duration) {
	tellSkipped(w, res)
	if res.Files == 0 {
		return
	}
	what := clean(res.Paths[0])
	if res.Files > 1 {
		what = fmt.Sprintf("%s and %s more", what, counted(res.Files-1, "file"))
	}
	line := fmt.Sprintf("spate: %s: %s in %.1f s", what, formatBytes(res.Bytes), took.Seconds())
	if n := len(res.Stats.Origins); n > 1 {
		line += fmt.Sprintf(" from %d origins", n)
	}
	if res.Connections > 1 {
		line += fmt.Sprintf(" over %d connections", res.Connections)
	}
	if res.Resumed > 0 {
		line += ", " + formatBytes(res.Resumed) + " were there"
	}
	if res.Stats.Failures > 0 {
		line += ", " + counted(res.Stats.Failures, "failure") + " survived"
	}
	fmt.Fprintln(w, line)
}
