package gateway

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"

	"spate/assemble"
	"spate/gateway/fill"
	"spate/internal/redact"
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
	version := versionOf(l)
	info := source.Info{URL: l.Info.URL, Size: l.Info.Size, Seekable: true, Name: nameOf(l.Info.Name), Validator: version, ETag: version}
	return &joined{pool: pool, layout: l, forget: forget, info: info}
}

// nameOf is the name of what the manifest of that name stands for. All else that an origin tells of a manifest is of its text: its
// type, and its date, as parts may change when it does not.
func nameOf(name string) string { return strings.TrimSuffix(name, ".parts") }

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

// Open reads the parts one behind the other, and opens those ahead once one was read to its end.
func (j *joined) Open(ctx context.Context, off, n int64) (io.ReadCloser, error) {
	end := j.info.Size
	if n >= 0 {
		end = min(end, off+n)
	}
	r := &joinedReader{j: j, off: off, end: max(end, off)}
	r.ctx, r.cancel = context.WithCancel(ctx)
	if r.off < r.end {
		r.behind = j.layout.At(off)
	}
	return r, nil
}

const (
	maxAheadParts = 16      // opened ahead of the one that is read
	maxAheadBytes = 8 << 20 // of them together
)

// A joinedReader reads [off, end) of the stream.
type joinedReader struct {
	j        *joined
	ctx      context.Context
	cancel   context.CancelFunc
	off, end int64
	ahead    []*opening // the one that is read first, then those that will be
	behind   int        // the first extent that is not in ahead
	most     int        // parts that may be opened ahead
	err      error      // of all reads to come
}

// An opening is a part that is being opened.
type opening struct {
	end  int64         // of what is read of it, in the stream
	done chan struct{} // closed once body or err is set
	body io.ReadCloser
	err  error
}

// Read fails with [source.ErrChanged] where a part is no longer what it was when it was laid out.
func (r *joinedReader) Read(p []byte) (int, error) {
	for r.err == nil {
		if r.off == r.end && len(r.ahead) == 0 { // else the part that has just been read may still prove wrong at its end
			return 0, io.EOF
		}
		r.openAhead()
		part := r.ahead[0]
		<-part.done
		if r.err = part.err; r.err != nil {
			break
		}
		n, err := part.body.Read(p)
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

// next is behind the end of a part: twice as many may be opened ahead from now on.
func (r *joinedReader) next() error {
	part := r.ahead[0]
	if r.off != part.end {
		return io.ErrUnexpectedEOF
	}
	r.ahead, r.most = r.ahead[1:], min(max(1, 2*r.most), maxAheadParts)
	return part.body.Close()
}

// openAhead begins to open the part that is read, and those ahead for which there is room.
func (r *joinedReader) openAhead() {
	for all := r.j.layout.Extents; r.behind < len(all); r.behind++ {
		e := &all[r.behind]
		begins := max(e.Span.Off, r.off)
		if begins >= r.end || len(r.ahead) > 0 && (len(r.ahead) > r.most || begins-r.off > maxAheadBytes) {
			return
		}
		o := &opening{end: min(e.Span.End, r.end), done: make(chan struct{})}
		r.ahead = append(r.ahead, o)
		go func() {
			defer close(o.done)
			o.body, o.err = r.openPart(e, begins-e.Span.Off, o.end-e.Span.Off)
		}()
	}
}

// openPart opens [off, end) of the part e.
func (r *joinedReader) openPart(e *assemble.Extent, off, end int64) (io.ReadCloser, error) {
	what := fill.What{Mirrors: urlsOf(e), At: off, Accept: refuseManifests}
	if end < e.Span.Len() {
		what.End = end
	}
	if e.Digest != nil && e.Span.Len() <= small { // all of it is read
		what.At, what.End = 0, 0
	}
	f, err := r.j.pool.Open(vouching(r.ctx, e), what)
	if err != nil {
		return nil, partError(e, err)
	}
	info := f.Info()
	if info.Size != e.Span.Len() || e.Validator != "" && !info.HasValidatorOf(&source.Info{Validator: e.Validator}) {
		f.Close()
		r.j.forget()
		return nil, &source.Error{Op: "open", URL: info.URL, Kind: source.KindChanged, Err: errors.New("the part is not what it was when the manifest was read")}
	}
	body, err := openVerified(r.ctx, f, e, off, end)
	if err != nil {
		f.Close()
		return nil, partError(e, err)
	}
	return &closingBoth{body, f}, nil
}

// urlsOf are the mirrors of the part e.
func urlsOf(e *assemble.Extent) []string {
	urls := make([]string, len(e.Mirrors))
	for i, m := range e.Mirrors {
		urls[i] = m.URL
	}
	return urls
}

// vouching is ctx for opening the part e, which a manifest on this machine may have named.
func vouching(ctx context.Context, e *assemble.Extent) context.Context {
	if e.Mirrors[0].Vouched {
		return source.Vouch(ctx)
	}
	return ctx
}

func partError(e *assemble.Extent, err error) error {
	return fmt.Errorf("%s: line %d: %w", redact.URL(e.Manifest), e.Line, err)
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

// verifying reads the whole of a part, and fails before its last bytes if that is not what was promised: behind it another part may
// follow at once. Then the file is asked for anew by whoever comes next.
type verifying struct {
	io.ReadCloser
	file *fill.File
	sum  hash.Hash
	want []byte
	left int64 // bytes
}

func newVerifying(body io.ReadCloser, f *fill.File, e *assemble.Extent) *verifying {
	return &verifying{ReadCloser: body, file: f, sum: sha256.New(), want: e.Digest, left: e.Span.Len()}
}

func (v *verifying) Read(p []byte) (int, error) {
	n, err := v.ReadCloser.Read(p)
	v.sum.Write(p[:n])
	v.left -= int64(n)
	if n == 0 || v.left > 0 || bytes.Equal(v.sum.Sum(nil), v.want) {
		return n, err
	}
	err = &source.Error{Op: "read", URL: v.file.Info().URL, Kind: source.KindCorrupt, Err: errors.New("its SHA-256 is not the one that the manifest promises")}
	v.file.Condemn(err)
	return 0, err
}

// Close ends whatever is open, and waits for what is being opened.
func (r *joinedReader) Close() error {
	r.cancel()
	var errs []error
	for _, part := range r.ahead {
		<-part.done
		if part.err == nil {
			errs = append(errs, part.body.Close())
		}
	}
	r.ahead = nil
	return errors.Join(errs...)
}
