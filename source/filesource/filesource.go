// Package filesource opens file URLs (RFC 8089): local files, named pipes and devices.
package filesource

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"spate/source"
	"spate/source/driver"
)

// A Source opens "file" URLs without a host or with the host localhost, and without a query. Its zero value is ready
// for use, and safe for concurrent use.
//
// A regular file can seek, and its body is as long as the file was when it was opened; if it has shrunk since, the
// body ends with io.ErrUnexpectedEOF. Its Validator changes with size, modification time and inode. Pipes and
// devices have no size, cannot seek and are read from where they are; Open of a named pipe returns once somebody
// writes to it. Files that say they are empty and are not, as those in /proc, count as devices. A directory is an
// error.
//
// Errors are of KindLocal and keep what the system said, so that errors.Is finds fs.ErrNotExist and
// fs.ErrPermission. When ctx is cancelled, a Read that waits for a pipe ends.
type Source struct{}

// Open opens the file that rawURL names.
func (Source) Open(ctx context.Context, rawURL string, rng source.Range) (*source.Resource, error) {
	path, err := pathOf(rawURL)
	if err != nil {
		return nil, &source.Error{Op: "open", URL: rawURL, Kind: source.KindMalformed, Err: err}
	}
	return openIn(ctx, anywhere{}, path, rawURL, rng)
}

// OpenIn opens the file name of dir, which rawURL stands for, as Open does. A link that leads out of dir is an error, also one that was
// made in this moment.
func OpenIn(ctx context.Context, dir *os.Root, name, rawURL string, rng source.Range) (*source.Resource, error) {
	if _, err := pathOf(rawURL); err != nil {
		return nil, &source.Error{Op: "open", URL: rawURL, Kind: source.KindMalformed, Err: err}
	}
	return openIn(ctx, dir, name, rawURL, rng)
}

// A folder is where files are: an [os.Root], or anywhere.
type folder interface {
	Stat(name string) (fs.FileInfo, error)
	OpenFile(name string, flag int, perm fs.FileMode) (*os.File, error)
}

type anywhere struct{}

func (anywhere) Stat(name string) (fs.FileInfo, error) { return os.Stat(name) }

func (anywhere) OpenFile(name string, flag int, perm fs.FileMode) (*os.File, error) {
	return os.OpenFile(name, flag, perm)
}

func openIn(ctx context.Context, dir folder, name, rawURL string, rng source.Range) (*source.Resource, error) {
	if ctx.Err() != nil {
		return nil, failed("open", rawURL, driver.CtxError(ctx))
	}
	b, err := open(ctx, dir, name)
	if err != nil {
		return nil, failed("open", rawURL, err)
	}
	b.rawURL = rawURL
	res, err := b.resource(rng)
	if err != nil {
		_ = b.Close()
		return nil, failed("open", rawURL, err)
	}
	res.URL, _, _ = strings.Cut(rawURL, "#")
	return res, nil
}

// URL is the file URL of path. A relative path is taken from the working directory.
func URL(path string) string {
	if !filepath.IsAbs(path) {
		if abs, err := filepath.Abs(path); err == nil {
			path = abs
		}
	}
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(path)}).String()
}

// pathOf is the inverse of URL. Its errors do not repeat the URL.
func pathOf(rawURL string) (string, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		if ue, ok := errors.AsType[*url.Error](err); ok {
			err = ue.Err
		}
		return "", fmt.Errorf("malformed URL: %w", err)
	}
	switch {
	case u.Scheme != "file":
		return "", fmt.Errorf("no support for scheme %q", u.Scheme)
	case u.User != nil || u.Host != "" && !strings.EqualFold(u.Host, "localhost"):
		return "", errors.New("malformed URL: a file URL names no other host")
	case u.RawQuery != "" || u.ForceQuery:
		return "", errors.New("malformed URL: a file URL has no query (a ? in a name is written %3F)")
	case u.Path == "" || u.Path[0] != '/':
		return "", errors.New("malformed URL: no absolute path in it")
	case strings.ContainsRune(u.Path, 0):
		return "", errors.New("malformed URL: a zero byte in the path")
	}
	return filepath.FromSlash(u.Path), nil
}

// open opens whatever name is, without a Resource around it yet.
func open(ctx context.Context, dir folder, name string) (*body, error) {
	info, err := dir.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, errors.New("is a directory")
	}
	if info.Mode()&fs.ModeNamedPipe != 0 {
		return openPipe(ctx, dir, name)
	}
	f, err := dir.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	return newBody(ctx, f), nil
}

// resource makes b the body of a Resource for rng.
func (b *body) resource(rng source.Range) (*source.Resource, error) {
	info, err := b.f.Stat()
	if err != nil {
		return nil, err
	}
	res := &source.Resource{Info: source.Info{Size: -1}, Len: -1, Body: b}
	b.left = endOf(rng)
	if !info.Mode().IsRegular() || b.hidesContent(info) {
		return res, nil
	}
	res.Info = source.Info{Size: info.Size(), Validator: validator(info), ModTime: info.ModTime(), Seekable: true}
	res.Off = rng.Off
	res.Len = max(min(endOf(rng), info.Size())-rng.Off, 0)
	b.left, b.sized = res.Len, true
	_, err = b.f.Seek(rng.Off, io.SeekStart)
	return res, err
}

// hidesContent reports whether a file of size 0 has content all the same.
func (b *body) hidesContent(info fs.FileInfo) bool {
	if info.Size() > 0 {
		return false
	}
	n, _ := b.f.ReadAt(make([]byte, 1), 0)
	return n > 0
}

func validator(info fs.FileInfo) string {
	return fmt.Sprintf("%x-%x-%x", inode(info), info.Size(), info.ModTime().UnixNano())
}

// endOf is where rng ends.
func endOf(rng source.Range) int64 {
	if rng.Len < 0 || rng.Len > math.MaxInt64-rng.Off {
		return math.MaxInt64
	}
	return rng.Off + rng.Len
}
