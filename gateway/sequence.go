package gateway

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"spate/format/sequence"
	"spate/source"
)

// maxIndex bounds how far a sequence is looked through for one of its files.
const maxIndex = 1 << 20

// openInSequence opens one file of the sequence that want is.
func (g *Gateway) openInSequence(ctx context.Context, want wanted) (object, error) {
	if want.file > maxIndex {
		return nil, noFile(want.urls[0], want.file)
	}
	first := wanted{urls: want.urls}
	if want.file > 1 { // of the files before it the lengths are read, and no more
		first.end = headerLen
	}
	whole, err := g.openWhole(ctx, first)
	if err != nil {
		return nil, err
	}
	if whole.Info().Size < 0 {
		return g.inStream(ctx, whole, want)
	}
	o, err := seekFile(ctx, whole, want)
	if err != nil {
		whole.Close()
		return nil, err
	}
	return o, nil
}

func noFile(url string, index int) error {
	return &source.Error{Op: "open", URL: url, Kind: source.KindStatus, Status: 404,
		Err: fmt.Errorf("the sequence has no file %d: %w", index, fs.ErrNotExist)}
}

// headerLen is that of a file's length in a sequence.
const headerLen = 4

// seekFile goes from length to length: of each file before the one that is wanted, no more than those bytes are read.
func seekFile(ctx context.Context, whole object, want wanted) (object, error) {
	size := whole.Info().Size
	for k, off := 1, int64(0); ; k++ {
		if off == size {
			return nil, noFile(want.urls[0], want.file)
		}
		n, err := lengthAt(ctx, whole, off)
		if err != nil {
			return nil, err
		}
		off += headerLen
		if n > size-off {
			return nil, &sequence.CutError{Index: k, Missing: n - (size - off), Err: io.ErrUnexpectedEOF}
		}
		if k == want.file {
			return &section{whole, off, n}, nil
		}
		off += n
	}
}

func lengthAt(ctx context.Context, whole object, off int64) (int64, error) {
	r, err := whole.Open(ctx, off, headerLen)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	var header [headerLen]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return 0, err
	}
	return int64(binary.BigEndian.Uint32(header[:])), nil
}

// A section is one file of a sequence, [off, off+size) of it.
type section struct {
	object
	off, size int64
}

func (s *section) Info() source.Info { return partOf(s.object.Info(), s.size) }

// partOf is what is known of a file of a sequence of which whole is known.
func partOf(whole source.Info, size int64) source.Info {
	info := whole
	info.Size, info.Seekable = size, true
	info.MediaType, info.Name, info.Digests, info.Links, info.Header = "", "", nil, nil, nil
	return info
}

func (s *section) Open(ctx context.Context, off, n int64) (io.ReadCloser, error) {
	if n < 0 || n > s.size-off {
		n = s.size - off
	}
	return s.object.Open(ctx, s.off+off, n)
}

// inStream reads the sequence up to the file that is wanted.
func (g *Gateway) inStream(ctx context.Context, whole object, want wanted) (object, error) {
	body, err := whole.Open(ctx, 0, -1)
	if err != nil {
		whole.Close()
		return nil, err
	}
	files := sequence.NewReader(body)
	for k := 1; ; k++ {
		f, err := files.Next()
		if err == io.EOF {
			err = noFile(want.urls[0], want.file)
		}
		if err != nil {
			return nil, errors.Join(err, body.Close(), whole.Close())
		}
		if k == want.file {
			return &passing{object: whole, body: body, file: f, again: func(ctx context.Context) (object, error) { return g.openInSequence(ctx, want) }}, nil
		}
	}
}

// passing is a file of a sequence that is read in order, once.
type passing struct {
	object
	body  io.Closer
	file  *sequence.File
	used  bool
	again func(context.Context) (object, error) // reads the sequence once more
}

func (p *passing) Info() source.Info { return partOf(p.object.Info(), p.file.Size) }

// Open drops what comes before off. Each time but the first, the whole sequence is read once more.
func (p *passing) Open(ctx context.Context, off, n int64) (io.ReadCloser, error) {
	if p.used {
		return p.openAgain(ctx, off, n)
	}
	p.used = true
	if _, err := io.CopyN(io.Discard, p.file, off); err != nil {
		return nil, err
	}
	if n < 0 {
		n = p.file.Size - off
	}
	return io.NopCloser(io.LimitReader(p.file, n)), nil
}

func (p *passing) openAgain(ctx context.Context, off, n int64) (io.ReadCloser, error) {
	o, err := p.again(ctx)
	if err != nil {
		return nil, err
	}
	body, err := o.Open(ctx, off, n)
	if err != nil {
		return nil, errors.Join(err, o.Close())
	}
	return &closingBoth{body, o}, nil
}

func (p *passing) Close() error { return errors.Join(p.body.Close(), p.object.Close()) }
