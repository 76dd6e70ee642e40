package main

import (
	"cmp"
	"context"
	"io"
	"sync"

	"github.com/spf13/pflag"

	"spate"
	"spate/event"
	"spate/internal/redact"
)

// afterFlags say what follows when a file is whole.
type afterFlags struct {
	format  template
	program string
}

func (f *afterFlags) register(fs *pflag.FlagSet) {
	fs.VarP(&f.format, "write-out", "w", "write FMT to stdout for each file, as curl does: %{filename_effective}, %{json} and others")
	fs.StringVar(&f.program, "on-complete", "", "run `PROGRAM` when a file is whole, with SPATE_FILE and others in its environment")
}

// An aftermath does what follows when a file is whole: it writes what -w says, and runs the program of --on-complete. It is
// safe for concurrent use.
type aftermath struct {
	format  *template
	hook    hook
	stdout  io.Writer
	tell    *reporter  // how errors are put into words
	writing sync.Mutex // held while an outcome is written

	mu   sync.Mutex // guards jobs, and what is in them
	jobs map[int64]*download
}

// begin makes sure that what is to follow can.
func (f *afterFlags) begin(p *process, t *talk) (*aftermath, error) {
	if err := f.format.load(p.stdin); err != nil {
		return nil, err
	}
	a := &aftermath{format: &f.format, hook: hook{f.program, t.above}, stdout: t.stdout(p), tell: &reporter{args: p.args},
		jobs: map[int64]*download{}}
	return a, a.hook.check()
}

// isNothing reports whether nothing follows: then nobody need tell of what happens.
func (a *aftermath) isNothing() bool { return a.format.text == "" && a.hook.program == "" }

// sink is told of events; nil where nothing follows.
func (a *aftermath) sink() event.Sink {
	if a.isNothing() {
		return nil
	}
	return a.observe
}

// watch makes client tell of its connections, if -w is there.
func (a *aftermath) watch(client *spate.Client) {
	if a.format.text != "" {
		client.Source = counting{client.Source}
	}
}

// job begins the download of a request; its number is that of its events, 0 for a command that is no batch. It returns the
// context for it.
func (a *aftermath) job(ctx context.Context, number int64, r request) context.Context {
	if a.isNothing() {
		return ctx
	}
	ctx, connects := withConnects(ctx)
	d := newDownload(outcome{path: r.path, url: redact.URL(r.url), size: -1}, connects)
	d.follow = func(o *outcome) error { return a.follow(ctx, o) }
	a.mu.Lock()
	defer a.mu.Unlock()
	a.jobs[number] = d
	return ctx
}

// observe is an [event.Sink]. The event of a file that is whole takes as long as what follows: the next file of a
// sequence waits for it, so that any number of them can be followed in bounded memory.
func (a *aftermath) observe(e event.Event) {
	a.mu.Lock()
	defer a.mu.Unlock()
	d := a.jobs[e.Job]
	if d == nil || !d.observe(e) {
		return
	}
	o := d.end()
	a.mu.Unlock()
	err := d.follow(o)
	a.mu.Lock()
	d.failed(err)
}

// follow does what follows a file that is whole.
func (a *aftermath) follow(ctx context.Context, o *outcome) error {
	unwritten := a.write(ctx, o)
	return cmp.Or(a.hook.run(ctx, o), unwritten)
}

func (a *aftermath) write(ctx context.Context, o *outcome) error {
	a.writing.Lock()
	defer a.writing.Unlock()
	return a.format.write(escapable(ctx, a.stdout), o)
}

// end ends a download that has failed with err, nil if it has not. It returns that, or else what failed of what
// followed. Of what a signal has ended nothing is written.
func (a *aftermath) end(ctx context.Context, number int64, err error) error {
	if a.isNothing() {
		return err
	}
	a.mu.Lock()
	d := a.jobs[number]
	delete(a.jobs, number)
	a.mu.Unlock()
	if err != nil && ctx.Err() == nil {
		o := d.end()
		o.exit, o.message = exitCode(err), a.tell.safe(headline(err))
		d.failed(a.write(ctx, o))
	}
	return d.error(err)
}
