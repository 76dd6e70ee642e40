package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// content makes files of bytes that repeat nowhere and are the same in each run.
type content struct {
	dir string
	src *rand.ChaCha8
	sum hash.Hash // of all files in order
}

func (l *lab) content() *content {
	return &content{dir: l.dir, src: rand.NewChaCha8([32]byte{}), sum: sha256.New()}
}

// file makes one file of that size; its bytes go to also as well.
func (c *content) file(name string, size int64, also io.Writer) error {
	path := filepath.Join(c.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = io.CopyN(io.MultiWriter(f, c.sum, also), c.src, size)
	return errors.Join(err, f.Close())
}

// parts makes n files of that size, and the manifest NAME.parts of them. It returns their names.
func (c *content) parts(name string, n int, size int64, also io.Writer) ([]string, error) {
	var names []string
	for i := range n {
		part := fmt.Sprintf("%s/%05d", name, i)
		if err := c.file(part, size, also); err != nil {
			return nil, err
		}
		names = append(names, part)
	}
	return names, c.manifest(name+".parts", names)
}

// manifest writes a manifest with one alternative for each part.
func (c *content) manifest(name string, parts []string) error {
	return os.WriteFile(filepath.Join(c.dir, name), []byte(strings.Join(parts, "\n--\n")+"\n"), 0o666)
}

// remove makes room for other content.
func (c *content) remove(names ...string) error {
	var errs []error
	for _, name := range names {
		errs = append(errs, os.RemoveAll(filepath.Join(c.dir, name)))
	}
	return errors.Join(errs...)
}

// verify makes sure that c writes all of the content, in order: what is measured is the real thing.
func (c *content) verify(ctx context.Context, run client) error {
	sum := sha256.New()
	if _, err := run.read(ctx, func(_ *running, b []byte) { sum.Write(b) }); err != nil {
		return err
	}
	if got, want := hex.EncodeToString(sum.Sum(nil)), hex.EncodeToString(c.sum.Sum(nil)); got != want {
		return fmt.Errorf("%s: wrote bytes with SHA-256 %s, expected %s", strings.Join(run.args, " "), got, want)
	}
	return nil
}

// whole creates a file that the parts are also to be written to.
func (c *content) whole(name string, fill func(w io.Writer) error) error {
	f, err := os.Create(filepath.Join(c.dir, name))
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	return errors.Join(fill(w), w.Flush(), f.Close())
}
