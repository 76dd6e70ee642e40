package peer

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"spate/format/checksum"
)

// A Store is where a peer has its chunks. It is safe for concurrent use.
type Store interface {
	// Have is which chunks are there, in order.
	Have() []int
	// Open opens a chunk. Of one that is not there the error is [fs.ErrNotExist].
	Open(chunk int) (Section, error)
	// Create begins to write a chunk. It is there once the Draft is committed.
	Create(chunk int) (*Draft, error)
}

// A Section is a chunk to be read: Len bytes of File, from Off on. The file is bare, so that the system can send it
// without copying it through the program; nothing else uses this descriptor.
type Section struct {
	File *os.File
	Off  int64
	Len  int64
}

// Close closes the file.
func (s Section) Close() error { return s.File.Close() }

// Reader reads the chunk from its start.
func (s Section) Reader() io.Reader { return io.NewSectionReader(s.File, s.Off, s.Len) }

// A Draft is a chunk that is being written, under a temporary name. It ends with Commit or with Discard; several of one
// chunk may exist beside each other. Write and End are one goroutine's; behind End no descriptor is held, and Open can be
// called by several.
type Draft struct {
	file   *os.File // nil behind End
	size   int64
	open   func() (*os.File, error) // by its name
	commit func() error             // gives it its name as a chunk
	remove func() error
}

// Write appends to the draft.
func (d *Draft) Write(p []byte) (int, error) {
	n, err := d.file.Write(p)
	d.size += int64(n)
	return n, err
}

// Size is how many bytes were written.
func (d *Draft) Size() int64 { return d.size }

// End says that nothing more will be written. A second time does nothing.
func (d *Draft) End() error {
	if d.file == nil {
		return nil
	}
	err := d.file.Close()
	d.file = nil
	return err
}

// Open opens what was written, to be read. After Commit or Discard it is gone.
func (d *Draft) Open() (io.ReadCloser, error) { return d.open() }

// Commit makes what was written durable and then the chunk of the Store. After an error the Draft is gone, and what was
// there before is as it was.
func (d *Draft) Commit() error {
	err := d.sync()
	if err == nil {
		err = d.commit()
	}
	if err != nil {
		return errors.Join(err, ignoreGone(d.remove()))
	}
	return nil
}

func (d *Draft) sync() error {
	if err := d.End(); err != nil {
		return err
	}
	f, err := d.open()
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Discard drops what was written.
func (d *Draft) Discard() error { return errors.Join(d.End(), ignoreGone(d.remove())) }

func ignoreGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// ErrReadOnly is the error of a Store that nothing can be written to.
var ErrReadOnly = errors.New("nothing can be written here")

// A Whole is the Store of one file that is there as a whole, as N chunks of ceil(size/N) bytes: the last ones may be shorter,
// or empty. It is for seeding.
type Whole struct {
	path   string
	info   fs.FileInfo
	chunks int
}

// OpenWhole is the Store of the file at path as so many chunks.
func OpenWhole(path string, chunks int) (*Whole, error) {
	if chunks < 1 || chunks > MaxChunks {
		return nil, fmt.Errorf("%d chunks: there can be 1 to %d", chunks, MaxChunks)
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "open", Path: path, Err: errNotRegular}
	}
	return &Whole{path, info, chunks}, nil
}

// Last is the number of chunks.
func (w *Whole) Last() int { return w.chunks }

// Have is all of them.
func (w *Whole) Have() []int {
	all := make([]int, w.chunks)
	for i := range all {
		all[i] = i + 1
	}
	return all
}

// Open opens a chunk. That the file is not the one any more that it was is an error.
func (w *Whole) Open(chunk int) (Section, error) {
	if chunk < 1 || chunk > w.chunks {
		return Section{}, &fs.PathError{Op: "open", Path: fmt.Sprintf("chunk %d of %s", chunk, w.path), Err: fs.ErrNotExist}
	}
	f, err := os.Open(w.path)
	if err != nil {
		return Section{}, err
	}
	info, err := f.Stat()
	if err == nil && !(os.SameFile(info, w.info) && info.Size() == w.info.Size() && info.ModTime().Equal(w.info.ModTime())) {
		err = &fs.PathError{Op: "open", Path: w.path, Err: errChanged}
	}
	if err != nil {
		return Section{}, errors.Join(err, f.Close())
	}
	size := w.info.Size()
	each := (size + int64(w.chunks) - 1) / int64(w.chunks)
	off := min(int64(chunk-1)*each, size)
	return Section{f, off, min(each, size-off)}, nil
}

// Create is refused.
func (w *Whole) Create(int) (*Draft, error) {
	return nil, &fs.PathError{Op: "create", Path: w.path, Err: ErrReadOnly}
}

var (
	errNotRegular = errors.New("not a regular file")
	errChanged    = errors.New("has changed")
)

// sums is a list of digests such as SHA256SUMS; nil is none.
type sums struct{ text string }

// of is the digest that the list promises of the first of these names that it has. Without any ok is false.
func (s *sums) of(names ...string) (sum checksum.Sum, ok bool, err error) {
	if s == nil {
		return sum, false, nil
	}
	for _, name := range names {
		sum, err := checksum.ReadList(strings.NewReader(s.text), name)
		if !errors.Is(err, checksum.ErrNotListed) {
			return sum, err == nil, err
		}
	}
	return sum, false, nil
}
