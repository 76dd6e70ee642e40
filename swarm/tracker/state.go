package tracker

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"spate/format/lines"
	"spate/internal/osfile"
	"spate/swarm/wire"
)

// ErrState is the error of a state file that is none: it stays as it is.
var ErrState = errors.New("not the state of a tracker")

// ErrStateInUse is the error of a state file that another tracker has.
var ErrStateInUse = errors.New("in use by another tracker")

const (
	stateHeader = "spate-tracker 1\n"
	// slack is how many lines that no longer count a state may have before it is written anew.
	slack = 10_000
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// A state is the registry in a file (docs/spec/tracker.md). Lines are appended to it; one that is damaged counts for
// nothing, and takes no other with it. It is used by one goroutine at a time.
type state struct {
	path         string
	file         *os.File
	reg          *registry
	lines        int  // in the file
	replacesOpen bool // see osfile.ReplacesOpen
	isOld        bool // it lacks something, or has half a line at its end: it is to be written anew
}

// openState reads the state at path into reg, and says how many of its lines are damaged.
func openState(path string, reg *registry) (s *state, damaged int, err error) {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target // that is what is written anew, not the link
	}
	s = &state{path: path, reg: reg, replacesOpen: osfile.ReplacesOpen}
	if s.file, err = openLocked(path); err != nil {
		return nil, 0, err
	}
	damaged, err = s.read()
	if err == nil && s.isOld {
		err = s.rewrite()
	}
	if err != nil {
		return nil, 0, errors.Join(err, s.file.Close())
	}
	return s, damaged, nil
}

// openLocked opens the file and takes its lock. Who had it may just have written it anew: then the name means another
// file by now.
func openLocked(path string) (*os.File, error) {
	for {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
		if err != nil {
			return nil, err
		}
		err = osfile.Lock(f, ErrStateInUse)
		has, err2 := f.Stat()
		is, err3 := os.Stat(path)
		err = errors.Join(err, err2, err3)
		switch {
		case err == nil && !has.Mode().IsRegular():
			err = ErrState
		case err == nil && os.SameFile(has, is):
			return f, nil
		}
		f.Close()
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("open %s: %w", path, err)
		}
	}
}

func (s *state) read() (damaged int, err error) {
	in := bufio.NewReader(s.file)
	head, err := in.Peek(len(stateHeader))
	switch {
	case err != nil && err != io.EOF:
		return 0, err
	case len(head) < len(stateHeader) && bytes.HasPrefix([]byte(stateHeader), head):
		s.isOld = true // new, or cut in its first line
		return 0, nil
	case string(head) != stateHeader:
		return 0, fmt.Errorf("read %s: %w", s.path, ErrState)
	}
	if _, err := in.Discard(len(stateHeader)); err != nil {
		return 0, err
	}
	return s.readLines(in)
}

func (s *state) readLines(in io.Reader) (damaged int, err error) {
	last := &lastByte{r: in, b: '\n'}
	dec := wire.NewDecoder(wire.LocalChunks)
	for r := lines.NewReader(last); ; {
		line, err := r.Next()
		if errors.Is(err, lines.ErrTooLong) {
			s.isOld = true // what a power cut has left of it
			return damaged + 1, nil
		}
		if err == io.EOF {
			s.isOld = s.isOld || last.b != '\n'
			return damaged, nil
		}
		if err != nil {
			return damaged, err
		}
		s.lines++
		m, ok := checkLine(dec, line)
		switch {
		case !ok:
			s.isOld = true
			damaged++
		case s.reg.add(m) == refused:
			return damaged, fmt.Errorf("read %s: %w", s.path, errFull)
		}
	}
}

// lastByte is the last one that was read.
type lastByte struct {
	r io.Reader
	b byte
}

func (l *lastByte) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	if n > 0 {
		l.b = p[n-1]
	}
	return n, err
}

// checkLine returns the message of a line, if that is what was written.
func checkLine(dec *wire.Decoder, line []byte) (wire.Message, bool) {
	text, check, _ := bytes.Cut(line, []byte(" "))
	sum, err := strconv.ParseUint(string(check), 16, 32)
	if err != nil || len(check) != 8 || uint32(sum) != crc32.Checksum(text, castagnoli) {
		return wire.Message{}, false
	}
	dec.Write(append(text[:len(text):len(text)], '\n'))
	m, err := dec.Next()
	return m, err == nil
}

// appendLine appends the line of m.
func appendLine(b []byte, m wire.Message) []byte {
	start := len(b)
	b = m.Append(b)
	return fmt.Appendf(b, " %08x\n", crc32.Checksum(b[start:], castagnoli))
}

// write adds lines, of registrations that the registry has.
func (s *state) write(text []byte) error {
	regs, _, _ := s.reg.extent()
	if s.isOld || s.lines > 2*regs+slack {
		return s.rewrite()
	}
	s.lines += bytes.Count(text, []byte("\n"))
	_, err := s.file.Write(text)
	s.isOld = err != nil
	return err
}

// rewrite writes the registry into a new file, which takes the place of the old one when it is durable.
func (s *state) rewrite() error {
	s.isOld = true
	temp := s.path + ".new"
	f, err := os.OpenFile(temp, os.O_RDWR|os.O_CREATE|os.O_TRUNC|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	n, err := s.writeAll(f)
	if err == nil {
		err = errors.Join(osfile.Lock(f, ErrStateInUse), f.Sync())
	}
	if err != nil {
		return errors.Join(err, f.Close(), os.Remove(temp))
	}
	if err := s.replace(f); err != nil {
		return errors.Join(err, ignoreGone(os.Remove(temp)))
	}
	s.lines, s.isOld = n, false
	return osfile.SyncFolder(filepath.Dir(s.path))
}

// replace has f, which was written anew, take the place of the file, also where a file that is open has to stay what it is.
func (s *state) replace(f *os.File) error {
	if s.replacesOpen {
		if err := os.Rename(f.Name(), s.path); err != nil {
			return errors.Join(err, f.Close())
		}
		old := s.file
		s.file = f
		return old.Close()
	}
	err := f.Close()
	if old := s.file.Close(); !errors.Is(old, os.ErrClosed) { // it is closed where this has failed before
		err = errors.Join(err, old)
	}
	if err == nil {
		err = os.Rename(f.Name(), s.path)
	}
	again, openErr := os.OpenFile(s.path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if openErr == nil {
		s.file = again
	}
	return errors.Join(err, openErr)
}

func ignoreGone(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

func (s *state) writeAll(w io.Writer) (n int, err error) {
	const step = 1000
	if _, err := io.WriteString(w, stateHeader); err != nil {
		return 0, err
	}
	for {
		var text []byte
		list := s.reg.from(n, step)
		for _, m := range list {
			text = appendLine(text, m)
		}
		if _, err := w.Write(text); err != nil || len(list) == 0 {
			return n, err
		}
		n += len(list)
	}
}

// close makes what was written durable. What could not be written before is tried once more.
func (s *state) close() (err error) {
	if s.isOld {
		err = s.rewrite()
	}
	return errors.Join(err, s.file.Sync(), s.file.Close())
}
