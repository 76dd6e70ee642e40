package main

import (
	"errors"
	"io"
	"os"

	"github.com/spf13/pflag"

	"spate/fetch"
)

// A writer writes files that appear whole, and remembers them.
type writer struct {
	overwrite bool
	written   []string
}

func (w *writer) options() *fetch.Options {
	return &fetch.Options{Overwrite: w.overwrite, SHA256: true}
}

// check reports whether path could be written as far as can be seen now.
func (w *writer) check(path string) error { return fetch.Check(path, w.options()) }

// write writes one file with what fill writes.
func (w *writer) write(path string, fill func(io.Writer) error) error {
	_, _, err := w.fill(path, fill)
	return err
}

// copy writes one file with what r has, and returns the SHA-256 and the number of bytes.
func (w *writer) copy(path string, r io.Reader) (sum []byte, n int64, err error) {
	return w.fill(path, func(out io.Writer) error {
		_, err := io.Copy(out, r)
		return err
	})
}

func (w *writer) fill(path string, fill func(io.Writer) error) (sum []byte, n int64, err error) {
	f, err := fetch.Create(path, w.options())
	if err != nil {
		return nil, 0, err
	}
	defer f.Discard()
	if err := fill(f); err != nil {
		return nil, 0, err
	}
	if err := f.Commit(); err != nil {
		return nil, 0, err
	}
	w.written = append(w.written, path)
	return f.SHA256(), f.Size(), nil
}

// remove takes back all files that were written.
func (w *writer) remove() error {
	var errs []error
	for _, path := range w.written {
		errs = append(errs, os.Remove(path))
	}
	return errors.Join(errs...)
}

// existsFlag is --if-exists.
type existsFlag struct{ word string }

func (f *existsFlag) register(fs *pflag.FlagSet) {
	f.word = "fail"
	fs.Var(choice{&f.word, []string{"fail", "overwrite"}}, "if-exists", "what to do if an output exists")
}

func (f *existsFlag) yes() bool { return f.word == "overwrite" }
