package spate

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"spate/assemble"
	"spate/event"
	"spate/fetch"
	"spate/format/checksum"
	"spate/source"
)

// SeqMode says whether a stream is a sequence, of which each file becomes a file.
type SeqMode int

// The modes. SeqAuto goes by the URL as it was asked for: a sequence is one that contains "-seq", anywhere.
const (
	SeqAuto SeqMode = iota
	SeqOn
	SeqOff
)

func (m SeqMode) isSequence(url string) bool {
	return m == SeqOn || m == SeqAuto && strings.Contains(url, "-seq")
}

// GetOptions are those of [Client.Get]. The zero value, and nil, mean the defaults.
type GetOptions struct {
	Dir                  string         // the folder of a name that Get finds; "": the current one
	NoContentDisposition bool           // such a name comes from the URL alone; false: what the origin proposes comes first
	IfExists             IfExists       // ExistsResume
	Sequence             SeqMode        // SeqAuto
	NoDigest             bool           // Result.SHA256 is not wanted of a single file, which saves the time to compute it; what is promised, or told by the origin, is checked all the same
	RemoteTime           bool           // a file gets the time of modification that the origin tells; false, and of manifests: that of its writing
	Checksums            []checksum.Sum // that a single file is promised to have; another one is an error, ErrMismatch
	FindChecksum         bool           // one more is looked for beside the URL: URL.sha256, else SHA256SUMS in its folder, or beside the first URL of each file of a Metalink file; that there is none is an error
	Metalink             MetalinkMode   // MetalinkAuto
	Limits               Limits         // none
	Events               event.Sink     // is told of this call, in place of Options.Events

	// Claim is asked for the name of an output before anything is written, of a sequence for that of its first file: an error ends
	// the call, or has [ExistsRename] try the next name. It may be asked for the same name again. nil: all are free
	Claim func(path string) error

	// Of a resource that is no manifest.
	Mirrors      []Mirror      // other places that have it; with any, it is not looked whether it is a manifest
	MirrorsAgree bool          // one of another size, or with other bytes, is an error; false: it is left aside
	Connections  int           // over which it is fetched, where its origin answers ranges; 0: as many as pay
	MinRange     int64         // no connection is opened for fewer bytes; 0: 1 MiB
	RetryMax     time.Duration // how long a connection that was lost is waited for; 0: 10 minutes; below 0: not at all
	Order        Order         // OrderAuto
	VerifyAll    bool          // what an earlier call has left is all read again, to be compared with its checksums; false: a sample is
	Refreshed    bool          // another validator than that of what an earlier call has left is no error, if bytes that are compared are the same
}

// A Result is what [Client.Get] has done.
type Result struct {
	Paths  []string // of the files that are whole, under their final names; the first 1000 of them
	Part   string   // the FILE.part that was left behind; "" for none
	Files  int64    // that are whole
	Bytes  int64    // in them and in Part
	SHA256 []byte   // of these bytes, one file after the other; nil where there is none, or Part is not only the beginning
	Stats  Stats

	Skipped     []string // outputs that exist and were left, so that nothing was fetched for them; the first 1000 of them
	Resumed     int64    // bytes that an earlier call has left, of a single file
	Fetched     int64    // bytes that came over the network and were written, of a resource that is no manifest
	Connections int      // that were open at once for it, at most
}

const maxPaths = 1000

// Get writes the stream of url to a file, or a sequence to several: path-file1, path-file2 and so on. Where path is ""
// it finds a name itself: the one that the origin proposes (Content-Disposition), else the last element of url's path,
// without the .parts of a manifest. Such a name is made safe and lies in GetOptions.Dir; path is used as it is.
//
// What has its final name is whole. It is written as FILE.part before, beside it, and moved when it is durable. A part
// that proves corrupt is taken back out of a FILE.part, and of a sequence out of all files that it has bytes in, and
// read from its next alternative. So a file of a sequence that has bytes of a part with a promised digest waits as
// FILE.part until that part is known to be right; up to 65,536 files wait, a part with more of them is an error.
//
// The Result is never nil and tells what was done, also beside an error. The errors that end a call early, [ErrLimit]
// among them, leave a single output as FILE.part if it has any bytes, and of a sequence the files that are whole and
// known to be right. To know that of more files, and of the length that led to the error, up to 16 MiB are read on
// behind a limit of files or bytes, to the end of a part with a promised digest. For an output that exists, see
// [IfExists]; one that is being written is [ErrInUse]; other local errors are of type [*fs.PathError].
//
// What is no manifest, and not local, is fetched over several connections and from all Mirrors. The bytes that have come before
// an error stay as FILE.part, with a journal, FILE.spate; the next call with the same path goes on from there, if the
// origins still have the same. If not, it is an error that is [source.ErrChanged], and all stays as it is. The same goes for
// the single output of a manifest, which is read again: it must be the same, and so must be the part that was being read.
func (c *Client) Get(ctx context.Context, url, path string, opts *GetOptions) (*Result, error) {
	return c.getter(url, path, opts).get(ctx)
}

func (c *Client) getter(url, path string, opts *GetOptions) *getter {
	g := &getter{c: c, url: url, path: path}
	if opts != nil {
		g.opts = *opts
	}
	g.opts.Checksums = slices.Clone(g.opts.Checksums) // more may be learned
	return g
}

func (g *getter) get(ctx context.Context) (*Result, error) {
	err := g.run(ctx)
	if err == nil {
		g.tell(event.Event{Type: event.Done, Bytes: g.done.Bytes})
	}
	return &g.done, err
}

func (g *getter) run(ctx context.Context) error {
	ctx, cancel := g.opts.Limits.Context(ctx)
	defer cancel()
	if err := g.takesMirrors(); err != nil {
		return err
	}
	run := g.single
	if g.opts.Sequence.isSequence(g.url) {
		run = g.sequence
	}
	return g.skipped(g.limited(ctx, run(ctx)))
}

// skipped is err, unless that is why nothing was to be done.
func (g *getter) skipped(err error) error {
	if errors.Is(err, errSkipped) {
		g.done.Skipped, err = append(g.done.Skipped, g.path), nil
	}
	return err
}

// limited finds out whether err is that of a limit.
func (g *getter) limited(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	_, local := errors.AsType[*fs.PathError](err)
	if cause := context.Cause(ctx); errors.Is(cause, ErrLimit) && !local {
		err = cause
	}
	if errors.Is(err, ErrLimit) {
		return &source.Error{Op: "get", URL: g.url, Err: err}
	}
	return err
}

// A getter is one call of Get, of GetTo, or of Plan, which is Get up to where something would be written.
type getter struct {
	c         *Client
	url, path string
	w         io.Writer // takes the bytes; nil: a file does
	opts      GetOptions
	left      *fetch.File   // what an earlier call has left of a single output; nil: nothing that helps
	atOnce    bool          // what is to be written is created as soon as path is settled
	learned   bool          // what the origin's links say has been taken
	size      *int64        // that a single output was promised to have; nil: none was
	pieces    *fetch.Pieces // digests of what a single output consists of; nil: none are known
	out       *fetch.File   // of a stream's single output, once there is one
	plan      *Plan         // of a call of Plan; nil: it is one of Get
	done      Result

	plain struct { // whether url isPlain, of which it was asked
		of string
		is bool
	}
	named string // what the name in url alone comes to; "": nobody has asked
}

// single writes the whole stream to one file, or hands it on.
func (g *getter) single(ctx context.Context) error {
	if g.follows(source.Info{}) {
		return g.metalink(ctx)
	}
	given := g.opts.Checksums
	if g.opts.FindChecksum {
		if err := g.findChecksum(ctx); err != nil {
			return err
		}
	}
	if g.w != nil {
		return g.resolve(ctx, given, g.objectTo, g.streamTo)
	}
	g.guess()
	if g.path != "" {
		if err := g.settle(ctx, g.path); err != nil {
			return err
		}
	}
	err := g.resolve(ctx, given, g.object, g.stream)
	if g.left != nil {
		g.left.Keep()
	}
	return err
}

// resolve does what fits what the URL proves to be. given are the digests that the caller has promised.
func (g *getter) resolve(ctx context.Context, given []checksum.Sum, object, stream func(context.Context) error) error {
	err := errOrdered
	if g.isObject() {
		err = object(ctx)
	}
	switch {
	case errors.Is(err, errOrdered):
		return stream(ctx)
	case errors.Is(err, errMetalink):
		g.opts.Checksums = given // what was found is of the Metalink file
		return g.metalink(ctx)
	}
	return err
}

// stream writes the stream of a manifest, or of what is local, in order.
func (g *getter) stream(ctx context.Context) error {
	begin := func(info source.Info, manifest bool) (*assemble.Prior, error) { return g.begin(ctx, info, manifest) }
	s, err := g.c.open(ctx, g.url, call{rewind: g.rewind, begin: begin, place: g.place, events: g.sink()})
	if err != nil {
		if g.out != nil {
			g.leave()
		}
		return unlessPlanned(err)
	}
	defer g.close(s)
	_, err = s.WriteTo(g.opts.Limits.writer(g.out))
	if err == nil {
		if err = g.hasChecksums(ctx, g.out, g.out.Size()); err != nil && ctx.Err() == nil {
			g.out.DropJournal()
		}
	}
	if err == nil {
		err = g.out.Commit()
	}
	if err != nil {
		g.leave()
		return err
	}
	g.finished(g.out.Path(), g.out.Size(), g.out.SHA256())
	return nil
}

// modTime is the time of modification that a file shall have, zero for none: that of a manifest is not that of its
// parts.
func (g *getter) modTime(info source.Info) (t time.Time) {
	if g.opts.RemoteTime && !isManifest(g.url, info) {
		t = info.ModTime
	}
	return t
}

// rewind takes back what was written from off on.
func (g *getter) rewind(off int64) error {
	if g.out == nil {
		return nil // nothing was handed on yet
	}
	return g.out.Rewind(off)
}

// leave ends an output that is not whole. The errors of that tell nothing beside the one that led here.
func (g *getter) leave() {
	if g.out.Size() == 0 || g.out.Replaced() {
		g.out.Discard()
		return
	}
	g.done.Part = g.out.Path() + fetch.Ext
	g.done.Bytes, g.done.SHA256 = g.out.Size(), g.out.SHA256()
	g.out.Keep()
}

// checkPath looks, before anything is asked for, whether the output may be written.
func (g *getter) checkPath(suffix string) error {
	if g.path == "" {
		return nil
	}
	return fetch.Check(g.path+suffix, &fetch.Options{Overwrite: g.opts.IfExists == ExistsOverwrite})
}

// target is the path of the output.
func (g *getter) target(info source.Info) string {
	if g.path != "" {
		return g.path
	}
	return filepath.Join(g.opts.Dir, g.name(info))
}

// name is that of an output which has none. It is asked for before there is an answer, and again when there is, which most often
// changes nothing.
func (g *getter) name(info source.Info) string {
	byURL := info.Name == "" && !isManifest(g.url, info)
	if byURL && g.named != "" {
		return g.named
	}
	name := outputName(g.url, info, !g.opts.NoContentDisposition)
	if byURL {
		g.named = name
	}
	return name
}

// finished counts a file that is whole. sum is the digest of it and all before.
func (g *getter) finished(path string, size int64, sum []byte) {
	d := &g.done
	d.Files, d.Bytes, d.SHA256 = d.Files+1, d.Bytes+size, sum
	if len(d.Paths) < maxPaths {
		d.Paths = append(d.Paths, path)
	}
	e := event.Event{Type: event.File, Path: path, Bytes: size}
	if !g.opts.Sequence.isSequence(g.url) {
		e.SHA256 = hex.EncodeToString(sum)
	}
	g.tell(e)
}

func (g *getter) close(s *Stream) {
	g.done.Stats = s.Stats()
	s.Close()
}

func (g *getter) tell(e event.Event) {
	if sink := g.sink(); sink != nil {
		e.Time = time.Now()
		sink(e)
	}
}

// sink is who is told of what happens; nil: nobody.
func (g *getter) sink() event.Sink {
	if g.opts.Events != nil {
		return g.opts.Events
	}
	return g.c.Options.Events
}
