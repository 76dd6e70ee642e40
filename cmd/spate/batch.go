package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"spate/event"
	"spate/source"
)

// batch fetches files that have nothing to do with each other: those of a list, or of the arguments.
func (c *getCmd) batch(cmd *cobra.Command, p *process, args []string) error {
	switch {
	case c.output != "" && cmd.Flags().Changed("output"):
		return usage("-o is for one file, and there are several", "-d DIR says where they are written")
	case len(c.object.sums.sums) > 0:
		return usage("--checksum ALG=HEX is for one file", "in a list each entry can have a checksum; --checksum auto is for all")
	case c.metalink != "":
		return usage("--metalink is for itself", "in a list, and with -Z, a Metalink file is known by its name")
	case len(c.object.mirrors) > 0:
		return usage("--mirror is for one file", "in a list mirrors are separated by TAB")
	case c.apart && c.list == "":
		for _, arg := range args {
			if _, err := argument(arg); err != nil {
				return orFolder(err, arg)
			}
			if err := c.countsFiles(arg); err != nil {
				return err
			}
		}
	}
	if err := c.nameAll(p, args); err != nil {
		return err
	}
	requests := c.separate(args)
	if c.list != "" {
		list, err := c.openList(p.stdin)
		if err != nil {
			return err
		}
		defer list.Close()
		requests = c.listed(list)
	}
	g, err := c.begin(p, false)
	if err != nil {
		return err
	}
	defer g.close()
	b := &batch{getting: g, jobs: int64(len(args)), claimed: newClaims()}
	return b.run(cmd.Context(), requests)
}

// orFolder is err; where an argument that is no URL may be a folder, it says how one is named.
func orFolder(err error, arg string) error {
	if u, ok := errors.AsType[*usageError](err); ok && !strings.Contains(arg, "://") {
		return usage(u.problem, u.hint+"; -d DIR says where they are written")
	}
	return err
}

// maxNamed bounds the origins of a list that passwords and the like are for.
const maxNamed = 10_000

// nameAll tells the flags whom they are for: the origins of the list are, as it is the user's own.
func (c *getCmd) nameAll(p *process, args []string) error {
	if c.list == "" || !c.stream.web.tellsWho() {
		return c.stream.name(urlsOf(args)...)
	}
	if c.list == "-" {
		return usage("who the user is cannot be told to a list that comes from stdin", "-i FILE is read twice")
	}
	list, err := c.openList(p.stdin)
	if err != nil {
		return err
	}
	defer list.Close()
	var urls []string
	for r, err := range c.listed(list) {
		if err != nil {
			return err
		}
		if r.bad != nil {
			continue
		}
		if urls = append(urls, r.urls()...); len(urls) > maxNamed {
			return usage(fmt.Sprintf("a list of more than %d URLs is too long to tell all of them who the user is", maxNamed), "")
		}
	}
	return c.stream.name(urls...)
}

// A batch fetches several files at once, each of which may fail without the others.
type batch struct {
	*getting
	jobs    int64 // 0: not known
	claimed *claims

	number int64 // of the last entry that was begun

	mu     sync.Mutex
	failed int64
	bytes  int64
	files  int64
	left   int64  // that exist, and were left
	made   string // the last folder that was made
}

func (b *batch) run(ctx context.Context, requests iter.Seq2[request, error]) error {
	begun := time.Now()
	bad := b.handOut(ctx, requests)
	b.talk.close()
	if b.c.talk.chatty() && !b.c.dryRun {
		left := ""
		if b.left > 0 {
			left = fmt.Sprintf(", %d existed", b.left)
		}
		fmt.Fprintf(b.p.stderr, "spate: %s, %s in %.1f s%s\n", counted(b.files, "file"), formatBytes(b.bytes), time.Since(begun).Seconds(), left)
	}
	switch {
	case ctx.Err() != nil:
		return &hintedError{context.Cause(ctx), "the same command goes on from there; with --if-exists=skip it leaves what is whole"}
	case bad != nil:
		return bad
	case b.failed > 0:
		return &batchError{b.failed, b.number}
	}
	return nil
}

// A numbered request is an entry of a batch; the number is that of its events.
type numbered struct {
	number int64
	request
}

// handOut has all requests fetched, c.jobs at once. The error is that of the list: what stands behind it is not known.
func (b *batch) handOut(ctx context.Context, requests iter.Seq2[request, error]) error {
	var working sync.WaitGroup
	defer working.Wait()
	jobs := make(chan numbered)
	defer close(jobs)
	workers := int64(0)
	for r, err := range requests {
		if err != nil {
			return err
		}
		j := numbered{b.number + 1, r}
		select {
		case jobs <- j: // a worker is idle
		default:
			if workers < b.c.jobs && (workers == 0 || !b.c.dryRun) { // plans are printed in order
				workers++
				working.Go(func() { b.work(ctx, jobs) })
			}
			select {
			case jobs <- j:
			case <-ctx.Done():
			}
		}
		if ctx.Err() != nil {
			return nil
		}
		b.number++
	}
	return nil
}

// work fetches one file after the other: a goroutine for each would have to grow its stack each time.
func (b *batch) work(ctx context.Context, jobs <-chan numbered) {
	for j := range jobs {
		b.fetch(ctx, j.number, j.request)
	}
}

func (b *batch) fetch(ctx context.Context, number int64, r request) {
	if r.bad == nil {
		defer b.c.stream.ssh.listed.during(r.urls())()
		r.claim = b.claims(number, r)
	}
	if b.c.dryRun {
		b.over(ctx, number, r, b.plan(ctx, r))
		return
	}
	if r.bad == nil {
		r.bad = b.folder(r)
	}
	res, err := b.one(ctx, number, r)
	b.mu.Lock()
	b.files, b.bytes, b.left = b.files+res.Files, b.bytes+res.Bytes, b.left+int64(len(res.Skipped))
	b.mu.Unlock()
	if b.c.talk.chatty() {
		tellSkipped(b.talk.above, res)
	}
	if len(res.Skipped) > 0 && err == nil {
		b.ended(number, r, nil)
	}
	b.over(ctx, number, r, err)
}

// over counts an entry that has failed with err, if it has.
func (b *batch) over(ctx context.Context, number int64, r request, err error) {
	if err == nil || ctx.Err() != nil {
		return
	}
	b.mu.Lock()
	b.failed++
	b.mu.Unlock()
	b.ended(number, r, err)
}

// folder makes the folder that the file is to be in.
func (b *batch) folder(r request) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if r.makes == "" || r.makes == b.made {
		return nil
	}
	err := os.MkdirAll(r.makes, 0o777)
	if err == nil {
		b.made = r.makes
	}
	return err
}

// ended tells of an entry that is over and has no file.
func (b *batch) ended(number int64, r request, err error) {
	e := event.Event{Time: time.Now(), Type: event.Ended, Job: number, Jobs: b.jobs, URL: b.after.tell.safe(r.url)}
	if err != nil {
		e.Error, e.Kind = b.after.tell.safe(headline(err)), source.KindOf(err).String()
	}
	if sink := b.client.Options.Events; sink != nil {
		sink(e)
	}
	if err != nil && !b.c.talk.isJSON() {
		(&reporter{w: b.talk.above, args: b.p.args}).report(err, exitCode(err))
	}
}

// batchError says that some of the files failed; what of each, was told when it did.
type batchError struct{ failed, all int64 }

func (e *batchError) Error() string {
	return fmt.Sprintf("%d of %s failed", e.failed, counted(e.all, "file"))
}

func isBatch(err error) bool {
	_, ok := errors.AsType[*batchError](err)
	return ok
}
