package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// A site is the http.Handler of one listener.
type site struct {
	dir  string
	pace pacer
	mark atomic.Int64
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/.mark" {
		fmt.Fprintln(w, s.mark.Swap(0))
		return
	}
	if r.URL.RawQuery != "" {
		w = s.prepare(w, r)
	}
	if err := s.serve(w, r); err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
	}
}

// prepare does what the query asks for.
func (s *site) prepare(w http.ResponseWriter, r *http.Request) http.ResponseWriter {
	q := r.URL.Query()
	if late, err := time.ParseDuration(q.Get("late")); err == nil {
		select {
		case <-time.After(late):
		case <-r.Context().Done():
		}
	}
	if q.Has("mark") {
		return &marking{ResponseWriter: w, mark: &s.mark}
	}
	return w
}

// serve sends a file, or the range of it that is asked for.
func (s *site) serve(w http.ResponseWriter, r *http.Request) error {
	f, err := os.Open(filepath.Join(s.dir, filepath.FromSlash(path.Clean("/"+r.URL.Path))))
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	off, status := start(r.Header.Get("Range"), info.Size())
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream") // or net/http would read the beginning to guess
	h.Set("Content-Length", strconv.FormatInt(info.Size()-off, 10))
	h.Set("Accept-Ranges", "bytes")
	h.Set("ETag", fmt.Sprintf(`"%x-%x"`, info.ModTime().UnixNano(), info.Size()))
	if status == http.StatusPartialContent {
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", off, info.Size()-1, info.Size()))
	}
	w.WriteHeader(status)
	s.send(w, f, off, info.Size())
	return nil
}

// start reads the one form of Range that spate sends; any other means the whole (RFC 9110 §14.2 allows that).
func start(header string, size int64) (off int64, status int) {
	spec, ok := strings.CutPrefix(header, "bytes=")
	first, last, dash := strings.Cut(spec, "-")
	off, err := strconv.ParseInt(first, 10, 64)
	if !ok || !dash || last != "" || err != nil || off < 0 || off >= size {
		return 0, http.StatusOK
	}
	return off, http.StatusPartialContent
}

// send sends f from off to size, in pieces where a rate limits. io.CopyN ends in sendfile(2) for a file.
func (s *site) send(w io.Writer, f *os.File, off, size int64) {
	if _, err := f.Seek(off, io.SeekStart); err != nil {
		return
	}
	for off < size {
		n := s.pace.wait(size - off)
		if _, err := io.CopyN(w, f, n); err != nil {
			return
		}
		off += n
	}
}

// A marking notes when the first byte of a body is about to be sent.
type marking struct {
	http.ResponseWriter
	mark *atomic.Int64
	done bool
}

func (m *marking) Write(p []byte) (int, error) {
	m.note()
	return m.ResponseWriter.Write(p)
}

// ReadFrom keeps sendfile: io.Copy finds the ReadFrom of the ResponseWriter.
func (m *marking) ReadFrom(r io.Reader) (int64, error) {
	m.note()
	return io.Copy(m.ResponseWriter, r)
}

func (m *marking) note() {
	if !m.done {
		m.done = true
		m.mark.Store(time.Now().UnixNano())
	}
}
