package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"spate"
	"spate/fetch"
	"spate/internal/redact"
)

// A planned is what get would do, as --dry-run prints it.
type planned struct {
	URL     string   `json:"url"`             // redacted, as those that follow
	Final   string   `json:"final,omitempty"` // where redirects led, if elsewhere
	Is      string   `json:"is"`              // manifest, sequence, file
	Size    int64    `json:"size"`            // -1: not known
	Output  string   `json:"output"`          // of a sequence: what the names of its files begin with
	Exists  bool     `json:"exists"`
	Ranges  bool     `json:"ranges"`            // the origin answers them
	Skip    bool     `json:"skip"`              // what exists is left
	Resume  int64    `json:"resume,omitempty"`  // bytes that an earlier run has left and that are gone on with
	Drop    int64    `json:"dropped,omitempty"` // bytes that an earlier run has left and that are dropped
	Mirrors []string `json:"mirrors,omitempty"` // further URLs of it
	Checks  []string `json:"checks,omitempty"`  // algorithms of the digests that it must have
	Exit    int      `json:"exit"`              // what get would end with, as far as is known
}

// plan prints what get would do, and ends as that would.
func (g *getting) plan(ctx context.Context, r request) error {
	if r.bad != nil {
		return r.bad
	}
	plans, err := g.client.Plan(ctx, r.url, r.path, g.c.options(r))
	for _, plan := range plans {
		missing := checkFolder(filepath.Dir(plan.Path), r.makes)
		out := newPlanned(plan)
		out.Exit = exitCode(cmp.Or(missing, plan.Err))
		if failed := g.printPlan(out); failed != nil {
			return failed
		}
		err = cmp.Or(err, missing)
	}
	return err
}

// printPlan prints one of several with an empty line before it, or as an object on a line.
func (g *getting) printPlan(out *planned) error {
	w := g.talk.stdout(g.p)
	if g.c.talk.isJSON() {
		return newEncoder(w).Encode(out)
	}
	text := out.text()
	if g.printed {
		text = "\n" + text
	}
	g.printed = true
	_, err := io.WriteString(w, text)
	return err
}

// checkFolder is the error of a folder that is missing, unless it is the one that would be made, and can be.
func checkFolder(dir, made string) error {
	_, err := os.Stat(dir)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if made == "" || filepath.Clean(dir) != filepath.Clean(made) {
		return err
	}
	for errors.Is(err, fs.ErrNotExist) && dir != filepath.Dir(dir) {
		dir = filepath.Dir(dir)
		var info os.FileInfo
		if info, err = os.Stat(dir); err == nil && !info.IsDir() {
			return &fs.PathError{Op: "mkdir", Path: dir, Err: syscall.ENOTDIR}
		}
	}
	if err == nil {
		err = fetch.CheckWritable(dir)
	}
	return err
}

func newPlanned(plan *spate.Plan) *planned {
	out := &planned{URL: redact.URL(plan.URL), Is: isFile, Size: plan.Info.Size, Output: plan.Path, Exists: plan.Exists,
		Ranges: plan.Info.Seekable, Skip: plan.Skipped, Resume: plan.Left, Drop: plan.Dropped, Checks: plan.Checks}
	for _, m := range plan.Mirrors {
		out.Mirrors = append(out.Mirrors, redact.URL(m.URL))
	}
	switch {
	case plan.Sequence:
		out.Is, out.Size = isSequence, -1
	case plan.Manifest:
		out.Is = isManifest
	}
	if final := plan.Info.URL; final != "" && final != withoutFragment(plan.URL) {
		out.Final = redact.URL(final)
	}
	return out
}

func (o *planned) text() string {
	output := o.Output
	if o.Is == isSequence {
		output += "-file1, …"
	}
	facts := []fact{{"url", o.URL}, {"final", o.Final}}
	for _, m := range o.Mirrors {
		facts = append(facts, fact{"mirror", m})
	}
	facts = append(facts, fact{"is", o.Is}, fact{"size", (&entry{Size: o.Size}).bytes()}, fact{"check", strings.Join(o.Checks, ", ")},
		fact{"output", output}, fact{"exists", o.exists()}, fact{"ranges", yesNo(o.Ranges)}, fact{"resume", o.resume()})
	var b strings.Builder
	for _, f := range facts {
		if f.value != "" {
			fmt.Fprintf(&b, "%-7s %s\n", f.name, clean(f.value))
		}
	}
	return b.String()
}

func (o *planned) exists() string {
	if o.Skip {
		return "yes: nothing is fetched"
	}
	return yes(o.Exists)
}

func yes(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}

// resume says what becomes of what an earlier run has left.
func (o *planned) resume() string {
	switch {
	case o.Resume > 0:
		return "yes: " + formatBytes(o.Resume) + " of an earlier run are there"
	case o.Drop > 0:
		return "no: " + formatBytes(o.Drop) + " of an earlier run are dropped"
	}
	return "no"
}
