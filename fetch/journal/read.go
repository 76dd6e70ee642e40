package journal

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"spate/format/span"
)

// Read returns what the journal at path says, and changes nothing. A damaged end is passed over, see [State.Torn]. It
// takes memory for [MaxRanges] ranges at most, whatever the file is.
//
// Errors are [fs.ErrNotExist] for no journal, [ErrCorrupt] for a file that is none (a symbolic link or a device is
// none either), [ErrVersion] for one of a later version, and what the system says.
func Read(path string) (*State, error) {
	f, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s, err := decode(f)
	if err != nil {
		return nil, failed("read", path, err)
	}
	return s, nil
}

// Was reports whether the file at path may be what is left of a journal, though it cannot be read as one: it begins like one, as far as
// it goes.
func Was(path string) bool {
	f, err := openRegular(path)
	if err != nil {
		return false
	}
	defer f.Close()
	begin := make([]byte, len(kindHeader))
	n, err := io.ReadFull(f, begin)
	return (err == nil || n == 0 || errors.Is(err, io.ErrUnexpectedEOF)) && strings.HasPrefix(kindHeader, string(begin[:n]))
}

// openRegular opens a file that is none of those that block or lead elsewhere.
func openRegular(path string) (*os.File, error) {
	seen, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !seen.Mode().IsRegular() {
		return nil, failed("open", path, ErrCorrupt)
	}
	f, err := os.OpenFile(path, os.O_RDONLY|openFlags, 0)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err != nil || !os.SameFile(seen, info) {
		f.Close()
		return nil, failed("open", path, errors.Join(ErrCorrupt, err))
	}
	return f, nil
}

// decode is Read of an open file.
func decode(r io.Reader) (*State, error) {
	lines := bufio.NewReaderSize(r, maxLine)
	var c chain
	h, err := readHeader(&c, lines)
	if err != nil {
		return nil, err
	}
	l := newLedger(&h)
	err = l.replay(&c, lines)
	if err != nil && !errors.Is(err, errTorn) {
		return nil, err
	}
	return &State{Header: h, Ranges: l.ranges(), Given: l.given(), Places: l.places, Torn: err != nil}, nil
}

func readHeader(c *chain, r *bufio.Reader) (Header, error) {
	line, err := c.next(r)
	if errors.Is(err, io.EOF) || errors.Is(err, errTorn) {
		return Header{}, ErrCorrupt
	}
	if err != nil {
		return Header{}, err
	}
	kind, rest, _ := bytes.Cut(line, []byte(" "))
	is, rest, _ := bytes.Cut(rest, []byte(" "))
	_, text, _ := bytes.Cut(rest, []byte(" "))
	if string(kind) != kindHeader {
		return Header{}, ErrCorrupt
	}
	if string(is) != version {
		return Header{}, ErrVersion
	}
	h, err := decodeHeader(text)
	if err != nil {
		return Header{}, fmt.Errorf("%w: %v", ErrCorrupt, err)
	}
	return h, nil
}

// replay does what the lines say, up to the end, or to where they make no sense: errTorn.
func (l *ledger) replay(c *chain, r *bufio.Reader) error {
	for {
		line, err := c.next(r)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = l.apply(line)
		}
		if err != nil {
			return err
		}
	}
}

func (l *ledger) apply(line []byte) error {
	kind, rest, _ := bytes.Cut(line, []byte(" "))
	switch string(kind) {
	case kindAdd:
		return l.applyAdd(rest)
	case kindForget:
		x, _, err := parseSpan(rest)
		if err == nil {
			l.forget(x)
		}
		return err
	case kindFrom:
		return l.applyFrom(rest)
	case kindBegin:
		l.begin()
	case kindConfirm:
		l.confirm()
	case kindPlace:
		p, err := decodePlace(rest)
		if err != nil || p.check() != nil {
			return errTorn
		}
		l.note(p)
	default:
		return unknown(kind)
	}
	return nil
}

// unknown is nil for what may be passed over: a later writer begins its kinds with a lower case letter where an older
// reader, not knowing them, still does nothing wrong.
func unknown(kind []byte) error {
	if len(kind) > 0 && 'a' <= kind[0] && kind[0] <= 'z' {
		return nil
	}
	return ErrVersion
}

func (l *ledger) applyAdd(fields []byte) error {
	x, rest, err := parseSpan(fields)
	if err != nil {
		return err
	}
	crc, err := strconv.ParseUint(string(rest), 16, 32)
	if err != nil || l.check(x) != nil {
		return errTorn
	}
	l.add(run{x, uint32(crc)})
	return nil
}

func (l *ledger) applyFrom(fields []byte) error {
	x, rest, err := parseSpan(fields)
	if err != nil {
		return err
	}
	origin, err := strconv.Atoi(string(rest))
	if err != nil || x.Off < 0 || x.Empty() || !l.mayGive(origin) {
		return errTorn
	}
	l.give(x, origin)
	return nil
}

// parseSpan reads "OFF END" and returns what follows.
func parseSpan(fields []byte) (x span.Span, rest []byte, err error) {
	off, rest, _ := bytes.Cut(fields, []byte(" "))
	end, rest, _ := bytes.Cut(rest, []byte(" "))
	var errs [2]error
	x.Off, errs[0] = strconv.ParseInt(string(off), 10, 64)
	x.End, errs[1] = strconv.ParseInt(string(end), 10, 64)
	if errs != [2]error{} {
		return span.Span{}, nil, errTorn
	}
	return x, rest, nil
}

func failed(op, path string, err error) error {
	return &fs.PathError{Op: op, Path: path, Err: err}
}
