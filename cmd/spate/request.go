package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"spate"
	"spate/format/checksum"
	"spate/format/urilist"
)

// A request is one output of get: the argument as it was given, the URL that it means, others that have the same, and the
// file to write, "" where get shall find a name.
type request struct {
	arg, url string
	mirrors  []spate.Mirror
	agree    bool // that the mirrors differ is an error: maybe they were not meant to be such
	path     string
	dir      string
	sums     []checksum.Sum
	split    int64 // connections; 0: as the flags say
}

// newRequest is that of arguments which are mirrors of each other.
func newRequest(args ...string) (request, error) {
	r := request{arg: args[0], agree: true}
	for i, arg := range args {
		url, err := argument(arg)
		if err != nil {
			return r, err
		}
		if i == 0 {
			r.url = url
		} else {
			r.mirrors = append(r.mirrors, spate.Mirror{URL: url})
		}
	}
	return r, nil
}

// urls are all of r.
func (r *request) urls() []string {
	urls := []string{r.url}
	for _, m := range r.mirrors {
		urls = append(urls, m.URL)
	}
	return urls
}

// single is the request that the arguments make together.
func (c *getCmd) single(args []string, given bool) (request, error) {
	sources, file := outputOf(args)
	r, err := newRequest(sources...)
	if err != nil {
		return r, err
	}
	for _, m := range c.object.mirrors {
		url, err := argument(m)
		if err != nil {
			return r, err
		}
		r.mirrors = append(r.mirrors, spate.Mirror{URL: url})
	}
	r.agree = len(sources) > 1
	r.sums = c.object.sums.sums
	r.dir = c.dir
	r.path, err = c.path(file, given)
	return r, err
}

// outputOf tells the sources from the output: that is the last argument of several, if it is no URL.
func outputOf(args []string) (sources, file []string) {
	if last := len(args) - 1; last > 0 && !strings.Contains(args[last], "://") {
		return args[:last], args[last:]
	}
	return args, nil
}

// path is the file to write, "" where get shall find a name. given tells that -o is on the command line; if it is
// from the environment, FILE wins.
func (c *getCmd) path(file []string, given bool) (string, error) {
	path := c.output
	if given && path == "" {
		return "", usage("-o is empty", "without it the name comes from the URL")
	}
	if len(file) > 0 {
		if given {
			return "", usage("FILE and -o are the same thing twice", "")
		}
		if path = file[0]; path == "" {
			return "", usage("FILE is empty", "without it the name comes from the URL")
		}
	}
	return inDir(c.dir, path)
}

// inDir is path, in dir if it is relative.
func inDir(dir, path string) (string, error) {
	if isFolder(path) {
		return "", &fs.PathError{Op: "create", Path: path, Err: syscall.EISDIR}
	}
	if path != "" && path != stdoutName && dir != "" && !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	return path, nil
}

// stdoutName as a file stands for stdout.
const stdoutName = "-"

// isFolder tells whether path names a folder by its last element, whatever is there: FILE-file1 would be a file inside it,
// of an odd name.
func isFolder(path string) bool {
	_, last := filepath.Split(path)
	return path != "" && (last == "" || last == "." || last == "..")
}

// separate are the requests of arguments each of which is a file of its own.
func (c *getCmd) separate(args []string) iter.Seq2[request, error] {
	return func(yield func(request, error) bool) {
		for _, arg := range args {
			r, err := newRequest(arg)
			r.dir = c.dir
			if !yield(r, err) {
				return
			}
		}
	}
}

// listed are the requests of a list; an error ends them.
func (c *getCmd) listed(list io.Reader) iter.Seq2[request, error] {
	return func(yield func(request, error) bool) {
		for dec := urilist.NewDecoder(list); ; {
			entry, err := dec.Next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(request{}, c.listError(err))
				return
			}
			r, err := c.listedRequest(entry)
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

func (c *getCmd) listError(err error) error {
	if _, ok := errors.AsType[*urilist.SyntaxError](err); ok {
		return usage(fmt.Sprintf("%s: %v", shown(c.list), err), "")
	}
	return err
}

func (c *getCmd) listedRequest(entry urilist.Entry) (request, error) {
	r, err := newRequest(entry.URLs...)
	if err != nil {
		hint := ""
		if strings.ContainsAny(entry.URLs[0], " ") {
			hint = "mirrors are separated by TAB"
		}
		return r, usage(fmt.Sprintf("%s, line %d: %v", shown(c.list), entry.Line, err), hint)
	}
	r.agree, r.dir = false, c.dir
	out := ""
	for _, o := range entry.Options {
		if err := r.set(o, &out); err != nil {
			return r, usage(fmt.Sprintf("%s, line %d: %s: %v", shown(c.list), o.Line, o.Name, err), "")
		}
	}
	r.path, err = inDir(r.dir, out)
	return r, err
}

var errListed = errors.New("not for an entry; there are checksum, dir, out and split")

// set sets an option of a list's entry.
func (r *request) set(o urilist.Option, out *string) (err error) {
	switch o.Name {
	case "out":
		*out = o.Value
	case "dir":
		r.dir = o.Value
	case "split":
		if r.split, err = strconv.ParseInt(o.Value, 10, 32); err != nil || r.split < 1 {
			return errors.New("want a number from 1 on")
		}
	case "checksum":
		sum, err := checksum.Parse(o.Value)
		if err != nil {
			return err
		}
		r.sums = append(r.sums, sum)
	default:
		return errListed
	}
	return nil
}

// openList opens the list of -i.
func (c *getCmd) openList(stdin io.Reader) (io.ReadCloser, error) {
	if c.list == "-" {
		return io.NopCloser(stdin), nil
	}
	return os.Open(c.list)
}
