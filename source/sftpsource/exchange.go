package sftpsource

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"time"

	"github.com/pkg/sftp"

	"spate/source"
	"spate/source/conn"
	"spate/source/driver"
)

// A body that is left before its end costs its connection, unless so little of it is under way, which then is waited for.
const (
	leaveBytes = 256 << 10
	leaveTime  = 250 * time.Millisecond
)

// try does one exchange, on an idle connection if there is one.
func (s *Source) try(ctx context.Context, t target, rng source.Range) (*source.Resource, error) {
	ctx, w := driver.NewWatch(ctx)
	l, reused := s.pool.Get(t.place.key())
	var err error
	if reused {
		w.Add(l.wire())
	} else if l, err = s.connect(ctx, w, t.place); err != nil {
		return nil, classify(w.Abandon(err))
	}
	x := &exchange{src: s, link: l, watch: w, t: t}
	touch := w.Touch
	l.guard.touch.Store(&touch)
	w.Wait("no answer within", s.times.Header)
	res, err := x.open(rng)
	w.Done()
	if err != nil {
		return nil, x.fail(err, reused)
	}
	res.Conn = source.ConnInfo{Addr: l.wire().RemoteAddr().String(), Reused: reused}
	return res, nil
}

// An exchange is one file, or a part of it, over a link.
type exchange struct {
	src   *Source
	link  *link
	watch *driver.Watch
	t     target
	file  *sftp.File // nil after it was closed
	ahead *ahead     // nil where the size is not known
	off   int64      // where to read next, there
}

// fail ends an exchange that has no body. What the server refused leaves the link as it was.
func (x *exchange) fail(err error, reused bool) error {
	if reused && x.watch.Interrupted() == nil && isLost(err) {
		_ = x.watch.Abandon(err)
		_ = x.link.Close()
		return conn.ErrStale
	}
	e := classify(err)
	if x.watch.Interrupted() == nil && e.Status > 0 {
		x.Release(true)
		return e
	}
	err = classify(x.watch.Abandon(err))
	_ = x.link.Close()
	return err
}

func (x *exchange) open(rng source.Range) (*source.Resource, error) {
	var err error
	if x.file, err = x.link.sftp.Open(x.t.path); err != nil {
		return nil, err
	}
	info, err := x.file.Stat()
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, &source.Error{Kind: source.KindStatus, Status: http.StatusForbidden, Err: errors.New("is a directory")}
	}
	sized, err := x.isSized(info)
	if err != nil {
		return nil, err
	}
	return x.resource(info, sized, rng), nil
}

// isSized reports whether the size that a server tells is that of a file. Some say they are empty and are not.
func (x *exchange) isSized(info fs.FileInfo) (bool, error) {
	switch told := x.link.guard.told; {
	case !told(hasSize), told(hasMode) && !info.Mode().IsRegular():
		return false, nil
	case info.Size() > 0:
		return true, nil
	}
	n, err := x.file.ReadAt(make([]byte, 1), 0)
	if err == io.EOF {
		err = nil
	}
	return n == 0, err
}

func (x *exchange) resource(info fs.FileInfo, sized bool, rng source.Range) *source.Resource {
	res := &source.Resource{Info: source.Info{URL: conn.WithoutFragment(x.t.rawURL), Size: -1}, Len: -1}
	if x.link.guard.told(hasTimes) {
		res.ModTime = info.ModTime()
	}
	body := driver.NewBody(x, x.watch, x.t.rawURL, x.src.times.Idle)
	res.Body = body
	end := driver.EndOf(rng)
	if !sized {
		body.Expect(end, false)
		return res
	}
	res.Size, res.Seekable, res.Off = info.Size(), true, rng.Off
	res.Validator = conn.Validator(res.ModTime, res.Size)
	res.Len = max(min(end, res.Size)-rng.Off, 0)
	body.Expect(res.Len, true)
	x.ahead = newAhead(x.file, rng.Off, rng.Off+res.Len)
	return res
}

// Read reads ahead, or piece by piece.
func (x *exchange) Read(p []byte) (int, error) {
	if x.ahead != nil {
		return x.ahead.Read(p)
	}
	n, err := x.file.ReadAt(p[:min(len(p), pieceSize)], x.off)
	x.off += int64(n)
	return n, err
}

// Finish has nothing to ask: all bytes have come.
func (x *exchange) Finish() error { return nil }

// Release closes the file and keeps the link, if that is soon done. It closes the link otherwise.
func (x *exchange) Release(idle bool) {
	if idle && (x.ahead == nil || x.ahead.left() <= leaveBytes) {
		x.watch.Wait("not left within", leaveTime)
		x.settle()
		idle = x.file == nil || x.file.Close() == nil
		x.watch.Done()
		if idle && x.watch.End() {
			x.src.pool.Put(x.t.place.key(), x.link)
			return
		}
	}
	x.watch.Kill()
	x.watch.End()
	_ = x.link.Close()
	x.settle()
}

func (x *exchange) settle() {
	if x.ahead != nil {
		x.ahead.wait()
	}
}
