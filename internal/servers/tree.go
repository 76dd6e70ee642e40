// Package servers is an FTP and an SFTP server, in the process, for tests.
package servers

import (
	"errors"
	"io"
	"net"
	"path"
	"sync"
	"time"

	"github.com/spf13/afero"
)

// A Tree is the files of a server. Those that are put were last modified on 1 January 2024.
type Tree struct {
	fs afero.Fs

	mu     sync.Mutex
	broken map[string]breakage
	over   chan struct{}
}

// A breakage is where a file ends too early.
type breakage struct {
	at    int
	stall bool
}

var errBroken = errors.New("the disk is broken")

// Modified is when what is put was modified.
var Modified = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

func newTree() *Tree {
	return &Tree{fs: afero.NewMemMapFs(), broken: map[string]breakage{}, over: make(chan struct{})}
}

// Put makes content available at the absolute path name.
func (t *Tree) Put(name string, content []byte) { t.PutAt(name, content, Modified) }

// PutAt is Put with a time of modification.
func (t *Tree) PutAt(name string, content []byte, modified time.Time) {
	check(t.fs.MkdirAll(path.Dir(name), 0o755))
	check(afero.WriteFile(t.fs, name, content, 0o644))
	check(t.fs.Chtimes(name, modified, modified))
}

// Break makes name end behind so many bytes: with an error, or with silence until the server is closed.
func (t *Tree) Break(name string, at int, stall bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.broken[name] = breakage{at, stall}
}

// Mend undoes Break.
func (t *Tree) Mend(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.broken, name)
}

func (t *Tree) breakage(name string) (b breakage, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	b, ok = t.broken[name]
	return b, ok
}

// A brokenContent is read as far as its breakage.
type brokenContent struct {
	io.ReaderAt
	breakage
	over chan struct{}
}

func (b *brokenContent) ReadAt(p []byte, off int64) (int, error) {
	if left := int64(b.at) - off; left > 0 {
		n, err := b.ReaderAt.ReadAt(p[:min(int64(len(p)), left)], off)
		if n > 0 {
			err = nil
		}
		return n, err
	}
	if b.stall {
		<-b.over
	}
	return 0, errBroken
}

// A brokenFile is a file with broken content.
type brokenFile struct {
	afero.File
	content *brokenContent
	pos     int64
}

func (f *brokenFile) Read(p []byte) (int, error) {
	n, err := f.content.ReadAt(p, f.pos)
	f.pos += int64(n)
	return n, err
}

func (f *brokenFile) Seek(off int64, whence int) (int64, error) {
	pos, err := f.File.Seek(off, whence)
	f.pos = pos
	return pos, err
}

// A crowd is a listener that knows its connections.
type crowd struct {
	net.Listener
	mu    sync.Mutex
	conns map[net.Conn]bool
	all   int
}

func listen() *crowd {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	return &crowd{Listener: l, conns: map[net.Conn]bool{}}
}

func (c *crowd) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conns[conn] = true
	c.all++
	return &member{conn, c}, nil
}

// close closes the listener and all connections.
func (c *crowd) close() {
	_ = c.Listener.Close()
	c.hangUp()
}

func (c *crowd) hangUp() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn := range c.conns {
		_ = conn.Close()
	}
	clear(c.conns)
}

// count is how many connections there have been.
func (c *crowd) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.all
}

type member struct {
	net.Conn
	c *crowd
}

func (m *member) Close() error {
	m.c.mu.Lock()
	delete(m.c.conns, m.Conn)
	m.c.mu.Unlock()
	return m.Conn.Close()
}

func check(err error) {
	if err != nil {
		panic("servers: " + err.Error())
	}
}
