package spate

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"spate/assemble"
	"spate/event"
	"spate/fetch"
	"spate/fetch/journal"
	"spate/internal/redact"
	"spate/source"
)

// maxJournalled bounds the text of what a journal tells of its origin.
const maxJournalled = 16 << 10

var errOtherManifest = errors.New("it is not what was begun: its validator is another one")

// errNotInOrder is why an object's beginning is not dropped for a stream of the same name.
var errNotInOrder = errors.New("what was begun has gaps, and this is to be written in order: it cannot be gone on with")

// begin opens the output of a stream that has answered. What it returns is there already, from an earlier call.
func (g *getter) begin(ctx context.Context, info source.Info, manifest bool) (*assemble.Prior, error) {
	g.note(info, manifest)
	if g.path == "" {
		if err := g.settle(ctx, g.target(info)); err != nil {
			return nil, err
		}
	}
	if g.older(g.path, info) {
		return nil, errSkipped
	}
	if err := g.opts.Limits.admits(info.Size); err != nil {
		return nil, err
	}
	prior, err := g.output(ctx, info, g.hasJournal(info, manifest))
	if err != nil {
		return nil, err
	}
	if !manifest {
		g.holdDigest(info)
	}
	g.out.SetModTime(g.modTime(info))
	g.done.Resumed = g.out.Size()
	g.tell(event.Event{Type: event.Begin, Path: g.path, URL: redact.URL(info.URL), Size: info.Size, Bytes: g.out.Size()})
	return prior, nil
}

// hasJournal reports whether it would pay to go on with what is left of the stream: what is on this machine is soon read
// again.
func (g *getter) hasJournal(info source.Info, manifest bool) bool {
	return (manifest || !strings.HasPrefix(info.URL, "file:")) && len(g.url)+len(info.Validator) <= maxJournalled
}

// output makes g.out what is left, if that is of the stream, or a new file.
func (g *getter) output(ctx context.Context, info source.Info, withJournal bool) (prior *assemble.Prior, err error) {
	opts := &fetch.Options{Overwrite: g.opts.overwrites(), SHA256: !g.opts.NoDigest && g.plan == nil}
	if withJournal {
		opts.Journal = &journal.Header{Origins: []journal.Origin{{URL: g.url, Validator: info.Validator}}, Size: info.Size}
		prior, err = g.goOn(ctx, info, opts)
		if prior != nil && g.plan != nil {
			err = cmp.Or(g.planFile(info, g.out), errPlanned)
		}
		if prior != nil || err != nil {
			return prior, err
		}
	}
	if g.left != nil && len(g.left.Places()) == 0 {
		return nil, &source.Error{Op: "resume", URL: g.url, Kind: source.KindChanged, Err: errNotInOrder}
	}
	if g.left != nil {
		g.left.Keep()
		g.left = nil
	}
	if g.plan != nil {
		return nil, cmp.Or(g.planFile(info, nil), errPlanned)
	}
	g.out, err = fetch.Create(g.path, opts)
	return nil, err
}

// goOn makes what is left g.out. It is nil if that was not written in order.
func (g *getter) goOn(ctx context.Context, info source.Info, opts *fetch.Options) (*assemble.Prior, error) {
	if g.left == nil || len(g.left.Places()) == 0 {
		return nil, nil
	}
	if was, known := g.left.Origin(g.url); known && !g.opts.Refreshed && was.Validator != "" && info.Validator != "" &&
		!info.HasValidatorOf(&source.Info{Validator: was.Validator}) {
		return nil, &source.Error{Op: "open", URL: g.url, Kind: source.KindChanged, Err: errOtherManifest}
	}
	if is, err := g.left.GoOn(ctx, opts); !is || err != nil {
		return nil, err
	}
	g.out, g.left = g.left, nil
	prior := &assemble.Prior{Size: g.out.Size(), Bytes: g.out, Spell: journal.Redact}
	for _, p := range g.out.Places() {
		if g.opts.Refreshed {
			p.Validator = ""
		}
		prior.Places = append(prior.Places, assemble.Place(p))
	}
	return prior, nil
}

// place notes where the bytes come from that are written next.
func (g *getter) place(p assemble.Place) error { return g.out.Note(journal.Place(p)) }
