package spate

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash"
	"io"
	"time"

	"spate/fetch"
	"spate/source"
)

const (
	lengthSize = 4        // of the length of a file, in bytes
	maxReadOn  = 16 << 20 // how far a stream is read to see whether what has stopped it is right
)

var (
	errTaken = errors.New("what proves wrong belongs to files that have their names already")
	errAhead = errors.New("internal error: cannot go back to where nothing was read")
)

// A splitter writes the files of a sequence that is handed to it piece by piece. A file gets its final name once all of
// it is settled, which means that the stream takes nothing of it back; until then it is FILE.part. Those that are whole
// and wait for that are closed: never more than two are open.
//
// Offsets are those of the stream. The splitter stands either in a body, off < next, or in a length, next <= off.
type splitter struct {
	g       *getter
	base    string    // of the names of the files
	modTime time.Time // of the files; zero: when they were written

	off     int64   // up to which the stream was taken
	settled int64   // up to which it is not taken back
	files   []piece // whose lengths are known and that have no name yet, in order; all but the last are whole
	pending int64   // sizes of files
	next    int64   // where the length of the file behind files begins
	length  [lengthSize]byte
	have    int         // bytes of length that are known
	sum     hash.Cloner // of all bodies up to off
	stop    *stop       // what follows is only read to see whether that is right
}

// A piece is a file of the sequence that has no name yet.
type piece struct {
	out    *fetch.File
	begin  int64 // of its length
	size   int64
	before hash.Cloner // of all bodies before
}

func (p *piece) body() int64 { return p.begin + lengthSize }
func (p *piece) end() int64  { return p.body() + p.size }

// A stop is what ends the call. It follows from the length at next, and is right if that is.
type stop struct {
	err error
	at  int64 // it is certain once this much is settled
}

func newSplitter(g *getter) *splitter {
	return &splitter{g: g, sum: sha256.New().(hash.Cloner)}
}

// take takes the next bytes of the stream; settled is as of behind them.
func (s *splitter) take(p []byte, settled int64) error {
	s.settled = settled
	if err := s.commit(); err != nil {
		return err
	}
	for len(p) > 0 && s.stop == nil {
		n, err := s.step(p)
		if err != nil {
			return err
		}
		p = p[n:]
	}
	s.off += int64(len(p))
	if s.stop != nil && (s.settled >= s.stop.at || s.off-s.next > maxReadOn) {
		return s.stop.err
	}
	return nil
}

// step takes what p has of a body, or of a length.
func (s *splitter) step(p []byte) (int, error) {
	if s.off < s.next {
		return s.write(p[:min(int64(len(p)), s.next-s.off)])
	}
	n := copy(s.length[s.have:], p)
	s.have += n
	s.off += int64(n)
	if s.have < lengthSize {
		return n, nil
	}
	return n, s.begin()
}

// write appends p to the last file.
func (s *splitter) write(p []byte) (int, error) {
	n, err := s.last().out.Write(p)
	s.sum.Write(p[:n])
	s.off += int64(n)
	if err == nil && s.off == s.next {
		err = s.whole()
	}
	return n, err
}

func (s *splitter) last() *piece { return &s.files[len(s.files)-1] }

// begin begins the file whose length is known by now, or finds out why there must be none.
func (s *splitter) begin() error {
	size := int64(binary.BigEndian.Uint32(s.length[:]))
	at, err := s.within(size)
	var out *fetch.File
	if err == nil {
		out, err = s.create()
	}
	if err != nil {
		s.stop = &stop{err, at}
		return nil
	}
	s.files = append(s.files, piece{out: out, begin: s.next, size: size})
	s.have, s.next, s.pending = 0, s.last().end(), s.pending+size
	if s.last().before, err = s.sum.Clone(); err != nil {
		return err
	}
	if size == 0 {
		return s.whole()
	}
	return nil
}

// whole names the last file, which is whole by now, or closes it until it may have its name.
func (s *splitter) whole() error {
	if err := s.commit(); err != nil || len(s.files) == 0 {
		return err
	}
	return s.last().out.Finish()
}

// commit names the files that are whole and settled.
func (s *splitter) commit() error {
	for len(s.files) > 0 && s.files[0].end() <= min(s.off, s.settled) {
		f := &s.files[0]
		if err := f.out.Commit(); err != nil {
			return err
		}
		sum := s.sum
		if len(s.files) > 1 {
			sum = s.files[1].before
		}
		s.g.finished(f.out.Path(), f.size, sum.Sum(nil))
		s.pending -= f.size
		s.files[0] = piece{}
		s.files = s.files[1:]
	}
	return nil
}

// rewind takes back what was taken from off on: the stream goes on there.
func (s *splitter) rewind(off int64) error {
	if off < s.next+lengthSize {
		s.stop = nil
	}
	if off > s.off {
		return &source.Error{Op: "get", URL: s.g.url, Err: errAhead}
	}
	if off < s.first() {
		return &source.Error{Op: "get", URL: s.g.url, Kind: source.KindCorrupt, Err: errTaken}
	}
	for off < s.next && off < s.last().body() {
		if err := s.drop(); err != nil {
			return err
		}
	}
	s.off = off
	s.have = int(min(max(off-s.next, 0), lengthSize))
	if off >= s.next {
		return nil
	}
	return s.shorten(s.last(), off-s.last().body())
}

// first is where the first file begins that has no name yet.
func (s *splitter) first() int64 {
	if len(s.files) > 0 {
		return s.files[0].begin
	}
	return s.next
}

// drop takes back the last file, down to its length.
func (s *splitter) drop() error {
	f := *s.last()
	if err := f.out.Discard(); err != nil {
		return err
	}
	s.files[len(s.files)-1] = piece{}
	s.files = s.files[:len(s.files)-1]
	s.pending -= f.size
	s.next, s.sum = f.begin, f.before
	s.have, s.off = lengthSize, f.body()
	binary.BigEndian.PutUint32(s.length[:], uint32(f.size))
	return nil
}

// shorten takes back what f has behind its first n bytes.
func (s *splitter) shorten(f *piece, n int64) (err error) {
	if err := f.out.Rewind(n); err != nil {
		return err
	}
	if s.sum, err = f.before.Clone(); err != nil {
		return err
	}
	read, err := io.Copy(s.sum, io.NewSectionReader(f.out, 0, n))
	if err == nil && read < n {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// discard removes what has no name yet. Its errors tell nothing beside the one that led here.
func (s *splitter) discard() {
	for i := range s.files {
		s.files[i].out.Discard()
	}
	s.files = nil
}
