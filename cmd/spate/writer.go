package main

import (
	"errors"
	"io"
	"io/fs"
	neturl "net/url"
	"os"
	"spate"

	"github.com/spf13/pflag"

	"spate/fetch"
)

// A writer writes files that appear whole and together: none has its name before commit.
type writer struct {
	overwrite bool
	inputs    []fs.FileInfo // what is read, which is never overwritten
	files     []*fetch.File
}

func (w *writer) options() *fetch.Options { return &fetch.Options{Overwrite: w.overwrite} }

// reads notes that url is what the files are made of.
func (w *writer) reads(url string) {
	u, err := neturl.Parse(url)
	if err != nil || u.Scheme != "file" {
		return
	}
	if info, err := os.Stat(u.Path); err == nil {
		w.inputs = append(w.inputs, info)
	}
}

// check reports whether path could be written as far as can be seen now.
func (w *writer) check(path string) error {
	for _, name := range []string{path, path + fetch.Ext} {
		if w.isInput(name) {
			return usage(shown(name)+": it is read itself", "another -o NAME leaves it as it is")
		}
	}
	return fetch.Check(path, w.options())
}

func (w *writer) isInput(path string) bool {
	info, err := os.Stat(path)
	if err != nil {
		return false
	}
	for _, in := range w.inputs {
		if os.SameFile(in, info) {
			return true
		}
	}
	return false
}

// write writes one file with what fill writes. It is durable then, and waits for commit.
func (w *writer) write(path string, fill func(io.Writer) error) error {
	if err := w.check(path); err != nil {
		return err
	}
	f, err := fetch.Create(path, w.options())
	if err != nil {
		return err
	}
	w.files = append(w.files, f)
	if err := fill(f); err != nil {
		return err
	}
	return f.Finish()
}

// discard ends the files that have no name yet.
func (w *writer) discard() error {
	var errs []error
	for _, f := range w.files {
		errs = append(errs, f.Discard())
	}
	return errors.Join(errs...)
}

// existsFlag is --if-exists.
type existsFlag struct{ word string }

func (f *existsFlag) register(fs *pflag.FlagSet, standard string, words ...string) {
	f.word = standard
	fs.Var(choice{&f.word, words}, "if-exists", "what to do if an output exists")
}

func (f *existsFlag) yes() bool { return f.word == "overwrite" }

func (f *existsFlag) mode() spate.IfExists {
	return map[string]spate.IfExists{
		"resume": spate.ExistsResume, "skip": spate.ExistsSkip, "overwrite": spate.ExistsOverwrite,
		"rename": spate.ExistsRename, "fail": spate.ExistsFail, "newer": spate.ExistsNewer,
	}[f.word]
}
