package fetch

import (
	"context"
	"io"
	"math"
	"time"

	"spate/fetch/journal"
	"spate/format/span"
	"spate/source"
	"spate/source/budget"
)

// quickSize is how much may come by the read that brings the header, or by the next one.
const quickSize = 32 << 10

// A first is the answer to the first request of an object that is at one place. It is asked for before there is a driver: most that
// are small need none, and nothing can be decided before the answer.
type first struct {
	res    *source.Resource
	err    error
	setup  time.Duration
	cancel context.CancelCauseFunc // ends the request
}

func askFirst(ctx context.Context, src source.Source, url string) *first {
	ctx, cancel := context.WithCancelCause(ctx)
	begin := time.Now()
	res, err := openWhole(ctx, pooled{src}, url, false)
	return &first{res: res, err: err, setup: time.Since(begin), cancel: cancel}
}

// take hands the answer on, which ends with ctx from then on.
func (f *first) take(ctx context.Context) (*source.Resource, time.Duration, error) {
	context.AfterFunc(ctx, func() { f.cancel(context.Cause(ctx)) })
	return f.res, f.setup, f.err
}

func (f *first) close() {
	if f.err == nil {
		f.res.Body.Close()
	}
	f.cancel(errOver)
}

// isQuick reports whether all that is left to do is to read a few bytes, and to write them: no other connection would be opened,
// nothing is to be hashed or checked, and nobody is told.
func (f *first) isQuick(o *ObjectOptions) bool {
	if f.err != nil || o.Window > 0 || o.Pieces != nil || o.Events != nil {
		return false
	}
	res := f.res
	isAll := res.Off == 0 && res.Size > 0 && (res.Len < 0 || res.Len == res.Size)
	isSmall := res.Size <= quickSize && (o.MinRange <= 0 || res.Size <= o.MinRange)
	isChecked := len(o.Hashes)+len(o.Checksums) > 0 || o.Told && len(res.Digests) > 0
	return isAll && isSmall && !isChecked && o.breaks(&res.Info) == ""
}

// A quick is an object that is there with the first read of its first answer, which may well have come with the header. Where anything
// else happens than that, a driver goes on with the answer, as if nothing of it had been read: what has come is never held while more is
// waited for, and what comes slowly has a journal in time.
type quick struct {
	*first
	ctx    context.Context // of who wants the object
	memory *budget.Budget
	drive  func(*first) (*driver, error)
}

// to writes the object to file, which gets its final name if approve has nothing against it. Done is nil, and nothing was done, where a
// driver is needed.
func (q *quick) to(file *File, approve func(io.ReaderAt) error) (*Done, error) {
	b := q.memory.Buffer(quickSize)
	n, err := q.res.Body.Read(b[:q.res.Size])
	if err != nil || int64(n) < q.res.Size || q.ctx.Err() != nil || journal.CheckName(file.path+journal.Ext) != nil {
		q.res.Body = &again{q.res.Body, b[:n], err}
		return nil, nil
	}
	q.close()
	_, err = file.WriteAt(b[:n], 0)
	q.memory.Recycle(b)
	var written span.Set
	if err == nil {
		written.Add(span.Span{End: int64(n)})
		err = finish(file, approve)
	}
	if err != nil {
		file.leave(&written)
	}
	done := &Done{Size: written.Bytes(), Fetched: written.Bytes(), Connections: 1, Opens: 1}
	if q.res.Conn.Addr != "" {
		done.Origins = []string{q.res.Conn.Addr}
	}
	return done, err
}

// finish gives a file that is all there its final name, if approve has nothing against that.
func finish(file *File, approve func(io.ReaderAt) error) error {
	if approve != nil {
		if err := approve(file); err != nil {
			return err
		}
	}
	return file.Commit()
}

// An again is a body of which some was read, as if it had not been. It ends with err, where there is one.
type again struct {
	io.ReadCloser
	was []byte
	err error
}

func (a *again) Read(p []byte) (int, error) {
	switch {
	case len(a.was) > 0:
		n := copy(p, a.was)
		a.was = a.was[n:]
		return n, nil
	case a.err != nil:
		return 0, a.err
	}
	return a.ReadCloser.Read(p)
}

// openFirst asks for the whole object, unless that was done before there was a driver.
func (r *reading) openFirst(ctx context.Context, url string) (err error) {
	r.from, r.until = 0, math.MaxInt64
	if f := r.c.d.asFirst; f != nil {
		r.c.d.asFirst = nil
		r.res, r.setup, err = f.take(ctx)
		return err
	}
	begin := time.Now()
	r.res, err = openWhole(ctx, r.c.session, url, r.a.Plain)
	r.setup = time.Since(begin)
	return err
}
