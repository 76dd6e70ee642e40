package peer

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"spate/format/checksum"
	"spate/internal/osfile"
)

// ErrInUse is the error of a folder that another process fetches into.
var ErrInUse = errors.New("in use by another process")

// tempExt ends the names of drafts, and a folder's list that is being written. A peer that has died may leave some.
const tempExt = ".spate-part"

// A Folder is the Store of a peer: local_chunks.txt says which files are which chunks. Files are opened inside the folder
// only. What arrives becomes chunk_<index>, and a line of local_chunks.txt, whole or not at all.
type Folder struct {
	path string
	root *os.Root
	self *os.File // the folder: locked, and synced
	sums *sums

	preparing  sync.Mutex // is held over preparing; before mu
	isPrepared bool       // chunks can be saved; guarded by preparing

	mu     sync.Mutex
	list   *list
	drafts int // how many there were
	asked  int // how often a name was added to list, and
	saved  int // up to which of these it was written

	saving sync.Mutex // is held over writing the list; before mu
}

// OpenFolder opens a folder with a local_chunks.txt whose files are all there. A folder in which chunks are missing must
// be writable, and is locked until Close; what a peer that has died was writing is removed from it. Where none is missing that waits
// until one is to be written all the same.
func OpenFolder(path string) (*Folder, error) {
	f, err := ReadFolder(path)
	if err != nil {
		return nil, err
	}
	if len(f.list.names) < f.list.last {
		err = f.prepare()
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// ReadFolder is OpenFolder for who only reads what is there: another process may fetch into the folder meanwhile.
func ReadFolder(path string) (*Folder, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	f := &Folder{path: path, root: root}
	if err := f.open(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (f *Folder) open() error {
	var err error
	if f.self, err = f.root.Open("."); err != nil {
		return err
	}
	if err := f.readList(); err != nil {
		return err
	}
	if err := f.checkFiles(); err != nil {
		return err
	}
	return f.readSums()
}

func (f *Folder) readList() error {
	text, err := f.openRegular(ListName)
	if err != nil {
		return err
	}
	defer text.Close()
	f.list, err = readList(text, filepath.Join(f.path, ListName))
	return err
}

// openRegular opens a file that must be one: opening a pipe would wait, and no signal would end that.
func (f *Folder) openRegular(name string) (*os.File, error) {
	info, err := f.root.Stat(name)
	if err == nil && !info.Mode().IsRegular() {
		err = errNotRegular
	}
	if err != nil {
		return nil, f.failed("open", name, err)
	}
	file, err := f.root.Open(name)
	return file, f.failed("open", name, err)
}

func (f *Folder) checkFiles() error {
	for _, chunk := range f.list.have() {
		info, err := f.root.Stat(f.list.names[chunk])
		if err == nil && !info.Mode().IsRegular() {
			err = errNotRegular
		}
		if err != nil {
			err = fmt.Errorf("chunk %d: %s: %w", chunk, f.list.names[chunk], without(err))
			return &ListError{filepath.Join(f.path, ListName), f.list.lines[chunk], err}
		}
	}
	return nil
}

func (f *Folder) readSums() error {
	file, err := f.openRegular(SumsName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, checksum.MaxList+1)) // of one that is longer each digest is an error
	f.sums = &sums{string(text)}
	return f.failed("read", SumsName, err)
}

// prepare makes sure that chunks can be saved.
func (f *Folder) prepare() error {
	f.preparing.Lock()
	defer f.preparing.Unlock()
	if f.isPrepared {
		return nil
	}
	if err := osfile.Lock(f.self, ErrInUse); err != nil {
		return &fs.PathError{Op: "lock", Path: f.path, Err: err}
	}
	names, err := f.self.ReadDir(-1)
	if err != nil {
		return err
	}
	for _, name := range names {
		if strings.HasSuffix(name.Name(), tempExt) && name.Type().IsRegular() {
			if err := f.root.Remove(name.Name()); err != nil {
				return f.failed("remove", name.Name(), err)
			}
		}
	}
	d, err := f.draft(1)
	if err != nil {
		return err
	}
	f.isPrepared = true
	return d.Discard()
}

// Close gives the folder back. Sections and drafts that are open stay what they are.
func (f *Folder) Close() error {
	err := f.root.Close()
	if f.self != nil {
		err = errors.Join(err, f.self.Close())
	}
	return err
}

// Last is how many chunks the file-set has.
func (f *Folder) Last() int { return f.list.last }

// Have is which chunks are there, in order.
func (f *Folder) Have() []int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.list.have()
}

// Open opens a chunk.
func (f *Folder) Open(chunk int) (Section, error) {
	f.mu.Lock()
	name, ok := f.list.names[chunk]
	f.mu.Unlock()
	if !ok {
		return Section{}, f.failed("open", ChunkName(chunk), fs.ErrNotExist)
	}
	file, err := f.root.Open(name)
	if err != nil {
		return Section{}, f.failed("open", name, err)
	}
	info, err := file.Stat()
	if err != nil {
		return Section{}, errors.Join(err, file.Close())
	}
	return Section{file, 0, info.Size()}, nil
}

// Sum is the digest that SHA256SUMS promises of a chunk, by the name of its file or by chunk_<index>. Without any ok is
// false. An error is one of the list.
func (f *Folder) Sum(chunk int) (sum checksum.Sum, ok bool, err error) {
	f.mu.Lock()
	name, isThere := f.list.names[chunk]
	f.mu.Unlock()
	if !isThere {
		name = ChunkName(chunk)
	}
	return f.sums.of(filepath.ToSlash(name), ChunkName(chunk))
}

// Create begins to write a chunk under a temporary name. The folder is locked from then on, if it was not before.
func (f *Folder) Create(chunk int) (*Draft, error) {
	if err := f.prepare(); err != nil {
		return nil, err
	}
	return f.draft(chunk)
}

func (f *Folder) draft(chunk int) (*Draft, error) {
	f.mu.Lock()
	f.drafts++
	temp := fmt.Sprintf("%s.%d%s", ChunkName(chunk), f.drafts, tempExt)
	f.mu.Unlock()
	file, err := f.create(temp)
	if err != nil {
		return nil, err
	}
	return &Draft{
		file:   file,
		open:   func() (*os.File, error) { return f.root.OpenFile(temp, os.O_RDWR, 0) },
		commit: func() error { return f.commit(chunk, temp) },
		remove: func() error { return f.root.Remove(temp) },
	}, nil
}

func (f *Folder) create(name string) (*os.File, error) {
	file, err := f.root.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o666)
	return file, f.failed("create", name, err)
}

func (f *Folder) commit(chunk int, temp string) error {
	n, err := f.rename(chunk, temp)
	if err != nil {
		return err
	}
	return f.save(n)
}

// rename gives a draft its name. What was that chunk until now is another file, or replaced as a whole. No two chunks are
// ever given the same name, so it takes no lock.
func (f *Folder) rename(chunk int, temp string) (asked int, err error) {
	f.mu.Lock()
	name := f.list.nameFor(chunk)
	f.mu.Unlock()
	if err := f.root.Rename(temp, name); err != nil {
		return 0, f.failed("rename", name, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list.names[chunk] = name
	f.asked++
	return f.asked, nil
}

// save writes the list until it has what was asked for. Many chunks that arrive together are written together.
func (f *Folder) save(asked int) error {
	f.saving.Lock()
	defer f.saving.Unlock()
	f.mu.Lock()
	isSaved, text, n := f.saved >= asked, []byte(nil), f.asked
	if !isSaved {
		text = f.list.text()
	}
	f.mu.Unlock()
	if isSaved {
		return nil
	}
	if err := f.replace(ListName, text); err != nil {
		return err
	}
	f.mu.Lock()
	f.saved = n
	f.mu.Unlock()
	return nil
}

func (f *Folder) replace(name string, text []byte) error {
	temp := name + tempExt
	file, err := f.create(temp)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err == nil {
		err = file.Sync()
	}
	err = errors.Join(err, file.Close())
	if err == nil {
		err = f.failed("rename", name, f.root.Rename(temp, name))
	}
	if err != nil {
		return errors.Join(err, ignoreGone(f.root.Remove(temp)))
	}
	return osfile.SyncNames(f.self)
}

// failed is an error of a file of the folder, with the folder's name.
func (f *Folder) failed(op, name string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: path.Join(filepath.ToSlash(f.path), filepath.ToSlash(name)), Err: without(err)}
}
