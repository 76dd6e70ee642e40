package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"golang.org/x/sync/errgroup"

	"spate/assemble"
	"spate/format/manifest"
	"spate/internal/redact"
	"spate/source"
)

const (
	maxAsked = 64      // alternatives of one part; the others are listed
	maxText  = 4 << 20 // bytes read of one manifest: what has no parts at all has no end either
)

var errMaxText = errors.New("more than is read of a manifest")

// An inspector finds out what URLs are. It asks an origin for one byte of each, and reads manifests.
type inspector struct {
	src    source.Source
	atOnce int             // requests at the same time
	left   int             // parts that may still be shown
	shown  map[string]bool // manifests, by their URLs
}

// root inspects the URL that was asked for, as e. The error of the entry is that of the whole: why the URL cannot be
// opened, or why its manifest cannot be assembled, as far as it was looked at.
func (in *inspector) root(ctx context.Context, e *entry, depth int) *entry {
	in.ask(ctx, e)
	if e.Is == isManifest {
		in.read(ctx, e, depth)
	}
	return e
}

func (in *inspector) open(ctx context.Context, e *entry, rng source.Range) (*source.Resource, error) {
	if e.vouched {
		ctx = source.Vouch(ctx)
	}
	return in.src.Open(ctx, withoutFragment(e.open), rng)
}

// ask opens e's URL for its first byte.
func (in *inspector) ask(ctx context.Context, e *entry) {
	res, err := in.open(ctx, e, source.Range{Len: 1})
	if err != nil {
		e.fail(err)
		return
	}
	res.Body.Close()
	e.answer(&res.Info)
	if e.PromisedSize != nil && e.Size >= 0 && *e.PromisedSize != e.Size {
		e.fail(&source.Error{Op: "open", URL: e.open, Kind: source.KindCorrupt,
			Err: fmt.Errorf("%d bytes where the manifest promises %d", e.Size, *e.PromisedSize)})
	}
}

// read inspects the manifest that e is, and those inside it down to depth.
func (in *inspector) read(ctx context.Context, e *entry, depth int) {
	res, err := in.open(ctx, e, source.From(0))
	if err != nil {
		e.fail(err)
		return
	}
	defer res.Body.Close()
	in.shown[res.URL] = true
	e.Manifest = &tree{Parts: []partEntry{}, Warnings: []warning{}}
	err = in.decode(e.Manifest, res)
	e.vouchFor(e.Manifest)
	in.askAll(ctx, e.Manifest)
	for i := range e.Manifest.Parts {
		part := &e.Manifest.Parts[i]
		in.nested(ctx, part, depth)
		if failed := part.failure(res.URL); err == nil && failed != nil {
			err = failed
		}
	}
	if err != nil {
		e.fail(err)
	}
}

// vouchFor marks what the manifest t, which e is, may vouch for.
func (e *entry) vouchFor(t *tree) {
	for _, part := range t.Parts {
		for _, alternative := range part.Alternatives {
			alternative.vouched = source.Vouches(e.open, e.vouched, alternative.open)
		}
	}
}

// decode reads parts as long as they may be shown, and lints what it has read.
func (in *inspector) decode(t *tree, res *source.Resource) error {
	var text bytes.Buffer
	body := &limitedReader{r: res.Body, left: maxText, err: errMaxText}
	d := manifest.NewDecoder(io.TeeReader(body, &text))
	for in.left > 0 {
		p, err := d.Next()
		switch {
		case err == io.EOF:
			t.Complete = true
			return t.lint(text.Bytes())
		case errors.Is(err, errMaxText):
			in.left = 0
			continue
		case err != nil:
			t.lint(text.Bytes())
			return fmt.Errorf("read %s: %w", redact.URL(res.URL), err)
		}
		in.left--
		t.add(&p, res.URL)
	}
	end, _ := d.Pos()
	return t.lint(withoutSeparator(text.Bytes()[:end]))
}

// withoutSeparator cuts the last line, which is one, off: more follows it.
func withoutSeparator(text []byte) []byte {
	text = bytes.TrimRight(text, "\r\n")
	return text[:bytes.LastIndexByte(text, '\n')+1]
}

func (t *tree) lint(text []byte) error {
	return manifest.Lint(bytes.NewReader(text), func(w manifest.Warning) bool {
		t.Warnings = append(t.Warnings, warning{w.Line, clean(w.Msg)})
		return true
	})
}

func (t *tree) add(p *manifest.Part, base string) {
	part := partEntry{Line: p.Line, Cacheable: p.Cacheable}
	for _, line := range p.Alternatives {
		part.Alternatives = append(part.Alternatives, resolve(base, line))
	}
	t.Parts = append(t.Parts, part)
}

var errLocalFromRemote = errors.New("a manifest from the network must not name local files")

// resolve makes an entry of a line of the manifest at base.
func resolve(base, line string) *entry {
	e := &entry{URL: redact.URL(line), State: stateUnasked, Size: -1, open: line, arg: line}
	fail := func(kind source.Kind, err error) *entry {
		e.fail(&source.Error{Op: "open", URL: line, Kind: kind, Err: err})
		return e
	}
	abs, err := manifest.Resolve(base, line)
	if err != nil {
		return fail(source.KindMalformed, err)
	}
	alt, err := manifest.ParseAlternative(abs)
	if err != nil {
		return fail(source.KindMalformed, err)
	}
	e.URL, e.open = redact.URL(alt.URL), alt.URL
	e.promise(&alt)
	if isLocalURL(alt.URL) && !isLocalURL(base) {
		return fail(source.KindRefused, errLocalFromRemote)
	}
	return e
}

func isLocalURL(rawURL string) bool {
	u, err := url.Parse(rawURL)
	return err == nil && strings.EqualFold(u.Scheme, "file")
}

// askAll asks for every alternative of t that is not known to fail.
func (in *inspector) askAll(ctx context.Context, t *tree) {
	var g errgroup.Group
	g.SetLimit(in.atOnce)
	for _, part := range t.Parts {
		for _, e := range part.Alternatives[:min(len(part.Alternatives), maxAsked)] {
			if e.State == stateUnasked {
				g.Go(func() error { in.ask(ctx, e); return nil })
			}
		}
	}
	g.Wait() // what fails is in the entries
}

// nested inspects the manifests among the alternatives of part.
func (in *inspector) nested(ctx context.Context, part *partEntry, depth int) {
	for _, e := range part.Alternatives {
		if e.State != stateOK || e.Is != isManifest {
			continue
		}
		if in.shown[e.open] {
			e.Shown = true
			continue
		}
		if depth > 0 && in.left > 0 {
			in.shown[e.open] = true
			in.read(ctx, e, depth-1)
		}
	}
}

// failure is why no alternative of the part works; nil if one does, or was not asked.
func (p *partEntry) failure(manifestURL string) error {
	failed := &assemble.PartError{Manifest: manifestURL, Line: p.Line}
	for _, e := range p.Alternatives {
		if e.State != stateFailed {
			return nil
		}
		failed.Errs = append(failed.Errs, e.err)
	}
	return failed
}
