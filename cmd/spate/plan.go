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
	"syscall"

	"spate"
	"spate/internal/redact"
)

// A planned is what get would do, as --dry-run prints it.
type planned struct {
	URL    string `json:"url"`             // redacted, as those that follow
	Final  string `json:"final,omitempty"` // where redirects led, if elsewhere
	Is     string `json:"is"`              // manifest, sequence, file
	Size   int64  `json:"size"`            // -1: not known
	Output string `json:"output"`          // of a sequence: what the names of its files begin with
	Exists bool   `json:"exists"`
	Ranges bool   `json:"ranges"`            // the origin answers them
	Skip   bool   `json:"skip"`              // what exists is left
	Resume int64  `json:"resume,omitempty"`  // bytes that an earlier run has left and that are gone on with
	Drop   int64  `json:"dropped,omitempty"` // bytes that an earlier run has left and that are dropped
	Exit   int    `json:"exit"`              // what get would end with, as far as is known
}

// plan prints what get would do, and ends as that would.
func (c *getCmd) plan(ctx context.Context, p *process, r request) error {
	client, closeIdle := c.stream.client(c.book.sink())
	defer closeIdle()
	plan, err := client.Plan(ctx, r.url, r.path, c.options(r))
	if plan == nil {
		return err
	}
	err = cmp.Or(c.checkFolder(filepath.Dir(plan.Path)), err)
	out := c.planned(r, plan)
	out.Exit = exitCode(err)
	if c.talk.isJSON() {
		return cmp.Or(newEncoder(p.stdout).Encode(out), err)
	}
	return cmp.Or(out.print(p.stdout), err)
}

// checkFolder is the error of a folder that is missing, unless it is the one that would be made, and can be.
func (c *getCmd) checkFolder(dir string) error {
	_, err := os.Stat(dir)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if c.dir == "" || filepath.Clean(dir) != filepath.Clean(c.dir) {
		return err
	}
	for errors.Is(err, fs.ErrNotExist) && dir != filepath.Dir(dir) {
		dir = filepath.Dir(dir)
		var info os.FileInfo
		if info, err = os.Stat(dir); err == nil && !info.IsDir() {
			return &fs.PathError{Op: "mkdir", Path: dir, Err: syscall.ENOTDIR}
		}
	}
	return err
}

func (c *getCmd) planned(r request, plan *spate.Plan) *planned {
	out := &planned{URL: redact.URL(r.url), Is: isFile, Size: plan.Info.Size, Output: plan.Path, Exists: plan.Exists,
		Ranges: plan.Info.Seekable, Skip: plan.Skipped, Resume: plan.Left, Drop: plan.Dropped}
	switch {
	case plan.Sequence:
		out.Is, out.Size = isSequence, -1
	case plan.Manifest:
		out.Is = isManifest
	}
	if plan.Info.URL != withoutFragment(r.url) {
		out.Final = redact.URL(plan.Info.URL)
	}
	return out
}

func (o *planned) print(w io.Writer) error {
	output := o.Output
	if o.Is == isSequence {
		output += "-file1, …"
	}
	for _, f := range []fact{{"url", o.URL}, {"final", o.Final}, {"is", o.Is}, {"size", (&entry{Size: o.Size}).bytes()},
		{"output", output}, {"exists", o.exists()}, {"ranges", yesNo(o.Ranges)}, {"resume", o.resume()}} {
		if f.value == "" {
			continue
		}
		if _, err := fmt.Fprintf(w, "%-7s %s\n", f.name, clean(f.value)); err != nil {
			return err
		}
	}
	return nil
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
