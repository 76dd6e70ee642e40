package blockcache

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

const (
	minPage = 4 << 10
	maxPage = 64 << 10
)

// A store keeps sealed blocks. What concerns one block is never called twice at a time, but read.
type store interface {
	// read fills p with what was written, from off on.
	read(o *object, index, off int64, p []byte) error

	// write returns how many bytes the object takes on disk now, 0 if that is not known. After an error there may be a part
	// of the block on disk, which is then dropped.
	write(o *object, index int64, sealed []byte) (disk int64, err error)

	// drop gives back the room of blocks, which need not be there. With last, they are all that there is of the object.
	drop(o *object, runs []run, last bool) (disk int64, err error)
}

// A run is blocks beside each other.
type run struct{ first, n int64 }

// runsOf are the runs of blocks.
func runsOf(entries []*entry) []run {
	slices.SortFunc(entries, func(a, b *entry) int { return cmp.Compare(a.index, b.index) })
	var runs []run
	for _, e := range entries {
		if k := len(runs) - 1; k >= 0 && runs[k].first+runs[k].n == e.index {
			runs[k].n++
		} else {
			runs = append(runs, run{e.index, 1})
		}
	}
	return runs
}

// ignoreMissing: what somebody has removed behind our back need not be removed again.
func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func pages(n, page int64) int64 { return (n + page - 1) / page * page }

// blockFiles has a file per block.
type blockFiles struct {
	dir  string
	keys *keys
}

func (s *blockFiles) path(o *object, index int64) string {
	return filepath.Join(s.dir, s.keys.block(o.bound, index))
}

func (s *blockFiles) read(o *object, index, off int64, p []byte) error {
	f, err := os.Open(s.path(o, index))
	if err != nil {
		return err
	}
	_, err = f.ReadAt(p, off)
	return errors.Join(err, f.Close())
}

func (s *blockFiles) write(o *object, index int64, sealed []byte) (int64, error) {
	return 0, os.WriteFile(s.path(o, index), sealed, 0o600)
}

func (s *blockFiles) drop(o *object, runs []run, _ bool) (int64, error) {
	var errs []error
	for _, r := range runs {
		for i := range r.n {
			errs = append(errs, ignoreMissing(os.Remove(s.path(o, r.first+i))))
		}
	}
	return 0, errors.Join(errs...)
}

// sparseFiles has a file per object, with a slot for each block. It is open while somebody uses the object.
type sparseFiles struct {
	dir  string
	page int64
}

// slot is the distance of two blocks in the file: whole pages, so that a hole takes nothing of its neighbours.
func (s *sparseFiles) slot(o *object) int64 {
	return pages(int64(sealedSize(o.id.BlockSize)), s.page)
}

func (s *sparseFiles) path(o *object) string { return filepath.Join(s.dir, o.name) }

// open returns the object's file. Of two who open it at the same time one closes his again.
func (s *sparseFiles) open(o *object, flag int) (*os.File, error) {
	if f := o.file.Load(); f != nil {
		return f, nil
	}
	f, err := os.OpenFile(s.path(o), os.O_RDWR|flag, 0o600)
	if err != nil {
		return nil, err
	}
	if !o.file.CompareAndSwap(nil, f) {
		return o.file.Load(), f.Close() // it stays open as long as somebody uses the object, and we do
	}
	return f, nil
}

func (s *sparseFiles) read(o *object, index, off int64, p []byte) error {
	f, err := s.open(o, 0)
	if err != nil {
		return err
	}
	_, err = f.ReadAt(p, index*s.slot(o)+off)
	return err
}

func (s *sparseFiles) write(o *object, index int64, sealed []byte) (int64, error) {
	f, err := s.open(o, os.O_CREATE)
	if err != nil {
		return 0, err
	}
	if _, err := f.WriteAt(sealed, index*s.slot(o)); err != nil {
		return 0, err
	}
	return measure(f)
}

func (s *sparseFiles) drop(o *object, runs []run, last bool) (int64, error) {
	if last {
		return 0, ignoreMissing(os.Remove(s.path(o)))
	}
	f, err := s.open(o, 0)
	if err != nil {
		return 0, ignoreMissing(err)
	}
	for _, r := range runs {
		if err := punch(f, r.first*s.slot(o), r.n*s.slot(o)); err != nil {
			return 0, err
		}
	}
	return measure(f)
}

func measure(f *os.File) (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return allocated(info), nil
}

// dropOthers drops everything but these runs.
func (s *sparseFiles) dropOthers(o *object, runs []run) (disk int64, err error) {
	f, err := s.open(o, 0)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, o.closeFile()) }()
	var others []run
	end := int64(0)
	for _, r := range runs {
		if r.first > end {
			others = append(others, run{end, r.first - end})
		}
		end = r.first + r.n
	}
	if err := f.Truncate(end * s.slot(o)); err != nil {
		return 0, err
	}
	return s.drop(o, others, false)
}
