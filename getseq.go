package spate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"spate/fetch"
	"spate/format/sequence"
	"spate/internal/redact"
	"spate/source"
)

// readSize is no less than what a stream hands on at once.
const readSize = 256 << 10

// sequence writes each file of the stream to a file.
func (g *getter) sequence(ctx context.Context) error {
	if err := g.checkPath(indexed(1)); err != nil {
		return err
	}
	out := newSplitter(g)
	defer out.discard()
	as := call{rewind: out.rewind, events: g.sink()}
	if g.plan != nil {
		as.begin = g.planSequence
	}
	s, err := g.c.open(ctx, g.url, as)
	if err != nil {
		return unlessPlanned(err)
	}
	defer g.close(s)
	out.base, out.modTime = g.target(s.Info()), g.modTime(s.Info())
	if err := g.claim(out.base + indexed(1)); err != nil {
		return err
	}
	return out.readFrom(s)
}

func indexed(index int64) string { return fileSuffix + strconv.FormatInt(index, 10) }

// readFrom splits s to its end. It reads, rather than be written to, because what is settled is best known between two
// reads: then a file of a part without a digest appears with its last byte, not with the one behind it.
//
// Where s fails, what is settled is not asked for again: the part that was being read may have been given up in the
// middle, with its digest unchecked.
func (s *splitter) readFrom(from *Stream) error {
	buf := make([]byte, readSize)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			if err := s.take(buf[:n], from.r.Settled()); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return s.end()
		}
		if err != nil {
			s.settled = from.r.Settled()
			return s.failed(err)
		}
	}
}

// end is the clean end of the stream: all of it is right.
func (s *splitter) end() error {
	s.settled = s.off
	if err := s.commit(); err != nil {
		return err
	}
	index, missing := s.current()
	switch {
	case s.stop != nil:
		return s.stop.err
	case missing > 0 || s.have > 0:
		if s.have > 0 {
			missing = -1
		}
		cut := &sequence.CutError{Index: int(index), Missing: missing, Err: io.ErrUnexpectedEOF}
		return &source.Error{Op: "read", URL: s.g.url, Kind: source.KindProtocol, Err: cut}
	}
	return nil
}

// failed is the error of a stream that has failed with err. The files that are certain stay.
func (s *splitter) failed(err error) error {
	if err := s.commit(); err != nil {
		return err
	}
	if s.stop != nil {
		return s.stop.err // reading on was for no more than to see whether it is right so far
	}
	index, _ := s.current()
	return fmt.Errorf("read %s: sequence file %d: %w", redact.URL(s.g.url), index, err)
}

// current is the index of the file that is being read, or of the next one, and how much of its body did not come yet.
func (s *splitter) current() (index, missing int64) {
	index = s.g.done.Files + int64(len(s.files))
	if s.off < s.next {
		return index, s.next - s.off
	}
	return index + 1, 0
}

// maxPending bounds the files of one part whose digest is not known yet. Each takes about 1 KiB of memory.
const maxPending = 1 << 16

var errPending = errors.New("more files in a part with a promised digest than can be held back")

// within checks that one more file, of so many bytes, is within the limits. at is where the stream must be right for
// the answer to be.
func (s *splitter) within(size int64) (at int64, err error) {
	l := &s.g.opts.Limits
	end := s.next + lengthSize
	switch {
	case l.Files > 0 && s.g.done.Files+int64(len(s.files)) >= l.Files:
		return s.next, OverLimit(counted(l.Files, "file"))
	case l.admits(size) != nil:
		return end, l.admits(size)
	case l.Bytes > 0 && size > l.Bytes-s.g.done.Bytes-s.pending:
		return end, OverLimit(counted(l.Bytes, "byte"))
	case len(s.files) >= maxPending:
		return end, &source.Error{Op: "get", URL: s.g.url, Err: errPending}
	}
	return end, nil
}

// create begins the file of the sequence behind those of files.
func (s *splitter) create() (*fetch.File, error) {
	path := s.base + indexed(s.g.done.Files+int64(len(s.files))+1)
	f, err := fetch.Create(path, &fetch.Options{Overwrite: s.g.opts.IfExists == ExistsOverwrite})
	if err == nil {
		f.SetModTime(s.modTime)
	}
	return f, err
}
