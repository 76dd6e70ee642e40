package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
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
	makes    string // the folder that is made if it is not there; "" for none
	sums     []checksum.Sum
	split    int64 // connections; 0: as the flags say

	claim func(path string) error // see [spate.GetOptions]
	line  int64                   // of a list; 0: it is none of a list
	bad   error                   // what is wrong with the lines of it in a list
}

// newRequest is that of arguments which are mirrors of each other.
func newRequest(args ...string) (request, error) {
	r := request{arg: args[0], agree: true}
	for i, arg := range args {
		url, err := argument(arg)
		if err != nil {
			return r, orMisplaced(err, args, i)
		}
		if i == 0 {
			r.url = url
		} else {
			r.mirrors = append(r.mirrors, spate.Mirror{URL: url})
		}
	}
	return r, nil
}

// orMisplaced is err; where the argument that is no source may be the output, it says where that belongs.
func orMisplaced(err error, args []string, i int) error {
	u, ok := errors.AsType[*usageError](err)
	isURL := func(arg string) bool { return strings.Contains(arg, "://") }
	if !ok || isURL(args[i]) || !slices.ContainsFunc(args[i+1:], isURL) {
		return err
	}
	return usage(u.problem, u.hint+"; the output comes last: spate get URL... FILE")
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
	name, err := c.name(file, given)
	if err != nil {
		return r, err
	}
	return r, r.place(name)
}

// outputOf tells the sources from the output: that is the last argument of several, if it is no URL.
func outputOf(args []string) (sources, file []string) {
	if last := len(args) - 1; last > 0 && !strings.Contains(args[last], "://") {
		return args[:last], args[last:]
	}
	return args, nil
}

// name is that of the file to write, "" where get shall find a name. given tells that -o is on the command line; if it is
// from the environment, FILE wins.
func (c *getCmd) name(file []string, given bool) (string, error) {
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
	return path, nil
}

// place makes the file of that name the output, in the folder if it is relative. The folders of such a name are made with the folder,
// and where a list has it in any case, as elsewhere.
func (r *request) place(name string) error {
	if isFolder(name) {
		return &fs.PathError{Op: "create", Path: name, Err: syscall.EISDIR}
	}
	if isStdout(name) {
		name = stdoutName
	}
	r.path, r.makes = name, r.dir
	if name == "" || name == stdoutName || filepath.IsAbs(name) || r.dir == "" && r.line == 0 {
		return nil
	}
	r.path = filepath.Join(r.dir, name)
	r.makes = filepath.Dir(r.path)
	return nil
}

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
			r.dir, r.makes = c.dir, c.dir
			if !yield(r, err) {
				return
			}
		}
	}
}

// listed are the requests of a list, those with a line that makes no sense included. An error, of what is no list, ends them.
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
			if !yield(c.listedRequest(entry), nil) {
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

// listedRequest is that of an entry; what is wrong with it is the entry's own failure.
func (c *getCmd) listedRequest(entry urilist.Entry) request {
	r, err := newRequest(entry.URLs...)
	r.line, r.agree, r.dir = int64(entry.Line), false, c.dir
	if err != nil {
		hint := ""
		if strings.ContainsAny(entry.URLs[0], " ") {
			hint = "mirrors are separated by TAB"
		}
		r.bad = usage(c.inList(entry.Line, err), hint)
		return r
	}
	out := ""
	for _, o := range entry.Options {
		if err := r.set(o, &out); err != nil {
			r.bad = usage(c.inList(o.Line, fmt.Errorf("%s: %w", o.Name, err)), "")
			return r
		}
	}
	if err = r.place(out); err != nil {
		r.bad = usage(c.inList(entry.Line, err), "")
	} else if err = c.countsFiles(r.arg); err != nil {
		r.bad = usage(c.inList(entry.Line, err), hintOf(err))
	}
	return r
}

// inList is what is wrong in a line of the list.
func (c *getCmd) inList(line int, err error) string {
	return fmt.Sprintf("%s, line %d: %v", shown(c.list), line, err)
}

var (
	errListed = errors.New("not for an entry; there are checksum, dir, out and split")
	errOut    = errors.New("want a name in the folder, which dir=DIR and -d DIR say; not one that leads out of it, nor stdout")
)

// set sets an option of a list's entry.
func (r *request) set(o urilist.Option, out *string) (err error) {
	switch o.Name {
	case "out":
		if o.Value == stdoutName || o.Value != "" && !isFolder(o.Value) && !filepath.IsLocal(o.Value) {
			return errOut
		}
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
	list, err := os.Open(c.list)
	if errors.Is(err, fs.ErrNotExist) && strings.Contains(c.list, "://") {
		return nil, &hintedError{err, "LIST is a file; spate cat URL | spate get -i - has one from elsewhere"}
	}
	return list, err
}
