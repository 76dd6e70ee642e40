package gateway

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"

	"spate/assemble"
	"spate/gateway/fill"
	"spate/source"
)

// small is up to how many bytes of a part with a digest are read, and found right, before any of them is handed on.
const small = 1 << 20

// joined is the stream of a manifest that was laid out. Each of its parts is a file of the pool, which it shares with
// every other manifest that has the part.
type joined struct {
	pool   *fill.Pool
	layout *assemble.Layout
	forget func() // the layout: it holds no longer
	info   source.Info
}

func newJoined(pool *fill.Pool, l *assemble.Layout, forget func()) *joined {
	j := &joined{pool: pool, layout: l, forget: forget, info: l.Info}
	// What the origin told is of the manifest.
	j.info.MediaType, j.info.Digests, j.info.Links = "", nil, nil
	j.info.Validator = versionOf(l)
	j.info.ETag = j.info.Validator
	return j
}

// versionOf is an entity tag of what l stands for: of the parts' digests, or strong validators, one of which changes if a
// byte does. "": one part has neither.
func versionOf(l *assemble.Layout) string {
	h := sha256.New()
	for _, e := range l.Extents {
		version := e.Validator
		named := source.Info{Validator: e.Validator}
		switch {
		case e.Digest != nil:
			version = string(e.Digest)
		case !named.HasStrongValidator() || !named.NamesBytes():
			return ""
		}
		fmt.Fprintf(h, "%d %q\n", e.Span.Len(), version)
	}
	return fmt.Sprintf(`"parts-%x"`, h.Sum(nil)[:16])
}

func (j *joined) Info() source.Info { return j.info }

func (j *joined) Close() error { return nil }

// Open reads the parts one behind the other.
func (j *joined) Open(ctx context.Context, off, n int64) (io.ReadCloser, error) {
	end := j.info.Size
	if n >= 0 {
		end = min(end, off+n)
	}
	ctx, cancel := context.WithCancel(ctx)
	return &joinedReader{j: j, ctx: ctx, cancel: cancel, off: off, end: max(end, off)}, nil
}

// A joinedReader reads [off, end) of the stream.
type joinedReader struct {
	j        *joined
	ctx      context.Context
	cancel   context.CancelFunc
	off, end int64
	part     io.ReadCloser // that off is in; nil: it is to be opened
	partEnd  int64         // of what part has, in the stream
	err      error         // of all reads to come
}

// Read fails with [source.ErrChanged] where a part is no longer what it was when it was laid out.
func (r *joinedReader) Read(p []byte) (int, error) {
	for r.err == nil {
		if r.part == nil {
			if r.off == r.end {
				return 0, io.EOF
			}
			if r.part, r.err = r.openPart(); r.err != nil {
				break
			}
		}
		n, err := r.part.Read(p)
		r.off += int64(n)
		if err == io.EOF {
			err = r.next()
		}
		r.err = err
		if n > 0 {
			return n, nil
		}
	}
	return 0, r.err
}

// next is behind the end of a part.
func (r *joinedReader) next() error {
	err := r.part.Close()
	r.part = nil
	if r.off != r.partEnd {
		return io.ErrUnexpectedEOF
	}
	return err
}

// openPart opens the part at off.
func (r *joinedReader) openPart() (io.ReadCloser, error) {
	e := &r.j.layout.Extents[r.j.layout.At(r.off)]
	urls := make([]string, len(e.Mirrors))
	for i, m := range e.Mirrors {
		urls[i] = m.URL
	}
	f, err := r.j.pool.Open(r.ctx, fill.What{Mirrors: urls, At: r.off - e.Span.Off, Accept: refuseManifests})
	if err != nil {
		return nil, partError(e, err)
	}
	info := f.Info()
	if info.Size != e.Span.Len() || e.Validator != "" && !info.HasValidatorOf(&source.Info{Validator: e.Validator}) {
		f.Close()
		r.j.forget()
		return nil, &source.Error{Op: "open", URL: info.URL, Kind: source.KindChanged, Err: errors.New("the part is not what it was when the manifest was read")}
	}
	r.partEnd = min(e.Span.End, r.end)
	body, err := openVerified(r.ctx, f, e, r.off-e.Span.Off, r.partEnd-e.Span.Off)
	if err != nil {
		f.Close()
		return nil, partError(e, err)
	}
	return &closingBoth{body, f}, nil
}

func partError(e *assemble.Extent, err error) error {
	return fmt.Errorf("%s: line %d: %w", e.Manifest, e.Line, err)
}

// closingBoth is a body and the file that it is of.
type closingBoth struct {
	io.ReadCloser
	file io.Closer
}

func (c *closingBoth) Close() error { return errors.Join(c.ReadCloser.Close(), c.file.Close()) }

// openVerified reads [off, end) of the part e, which is f. Where a digest of e is promised, a part that is small is found
// right first; a larger one that is read from its first byte to its last is found right before its end is handed on.
func openVerified(ctx context.Context, f *fill.File, e *assemble.Extent, off, end int64) (io.ReadCloser, error) {
	size := e.Span.Len()
	switch {
	case e.Digest == nil || size > small && (off > 0 || end < size):
		return f.Open(ctx, off, end-off)
	case size > small:
		body, err := f.Open(ctx, 0, size)
		if err != nil {
			return nil, err
		}
		return newVerifying(body, f, e), nil
	}
	body, err := f.Open(ctx, 0, size)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	whole, err := io.ReadAll(newVerifying(body, f, e))
	if err != nil {
		return nil, err
	}
	return io.NopCloser(bytes.NewReader(whole[off:end])), nil
}

// verifying reads the whole of a part, and fails at its end if that is not what was promised. Then the file is asked for anew by
// whoever comes next.
type verifying struct {
	io.ReadCloser
	file *fill.File
	sum  hash.Hash
	want []byte
}

func newVerifying(body io.ReadCloser, f *fill.File, e *assemble.Extent) *verifying {
	return &verifying{ReadCloser: body, file: f, sum: sha256.New(), want: e.Digest}
}

func (v *verifying) Read(p []byte) (int, error) {
	n, err := v.ReadCloser.Read(p)
	v.sum.Write(p[:n])
	if err == io.EOF && !bytes.Equal(v.sum.Sum(nil), v.want) {
		err = &source.Error{Op: "read", URL: v.file.Info().URL, Kind: source.KindCorrupt, Err: errors.New("its SHA-256 is not the one that the manifest promises")}
		v.file.Condemn(err)
	}
	return n, err
}

// Close ends whatever is open.
func (r *joinedReader) Close() error {
	r.cancel()
	if r.part == nil {
		return nil
	}
	return r.part.Close()
}
