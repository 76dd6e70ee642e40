package ftpsource

import (
	"context"
	"errors"
	"io"
	"net/textproto"
	"strings"

	"github.com/jlaffaye/ftp"

	"spate/source"
	"spate/source/conn"
	"spate/source/driver"
)

// try does one exchange, on an idle connection if there is one.
func (s *Source) try(ctx context.Context, t target, rng source.Range) (*source.Resource, error) {
	ctx, w := driver.NewWatch(ctx)
	c, reused := s.pool.Get(t.key())
	var err error
	if reused {
		w.Add(c)
	} else if c, err = s.connect(ctx, w, &t); err != nil {
		return nil, w.Abandon(err)
	}
	c.begin(ctx, w, s.dialer(), t.host)
	x := &exchange{src: s, c: c, watch: w, t: t}
	w.Wait("no answer within", s.times.Header)
	var res *source.Resource
	err = safely(func() (err error) {
		res, err = x.open(ctx, rng)
		return err
	})
	w.Done()
	if err != nil {
		return nil, x.fail(err, reused)
	}
	res.Conn = source.ConnInfo{Addr: c.raw.RemoteAddr().String(), Reused: reused}
	return res, nil
}

// An exchange is one file, or a part of it, over a control connection.
type exchange struct {
	src   *Source
	c     *control
	watch *driver.Watch
	t     target

	size  int64 // of the file; -1: not known
	left  int64 // bytes until the end of what was asked for, at most
	whole bool  // that is the end of the file, as far as known
	info  source.Info
	resp  *ftp.Response // nil where there is nothing to transfer
	done  bool          // the origin has confirmed the transfer: the connection can be used again
}

// fail ends an exchange that has not begun to transfer. A reply leaves the connection as it was.
func (x *exchange) fail(err error, reused bool) error {
	raw := err
	err = x.c.explain(err)
	e, _ := errors.AsType[*source.Error](err)
	stale := reused && x.watch.Interrupted() == nil && (conn.IsNetwork(raw) || x.c.tap.code == ftp.StatusNotAvailable)
	switch {
	case stale:
		_ = x.watch.Abandon(err)
		return conn.ErrStale
	case e != nil && (e.Status == 404 || e.Status == 403) && x.watch.Interrupted() == nil:
		if x.watch.End() {
			x.src.pool.Put(x.t.key(), x.c)
		}
		return err
	}
	return x.watch.Abandon(err)
}

// open asks for what is known of the file, and for its bytes from rng.Off on.
func (x *exchange) open(ctx context.Context, rng source.Range) (*source.Resource, error) {
	if err := x.ask(); err != nil {
		return nil, err
	}
	if x.size >= 0 && (rng.Len == 0 || rng.Off > 0 && rng.Off >= x.size) {
		x.done = true
		x.info.Seekable = x.c.tap.rests
		return x.resource(rng, rng.Off), nil
	}
	off, err := x.retrieve(rng.Off)
	if err != nil {
		return nil, x.isDirectory(err)
	}
	if err := x.c.secure(ctx); err != nil {
		return nil, err
	}
	return x.resource(rng, off), nil
}

func (x *exchange) ask() error {
	var err error
	if x.size, err = x.c.size(x.t.path); err != nil {
		return err
	}
	at, err := x.c.modTime(x.t.path)
	if err != nil {
		return err
	}
	x.info = source.Info{URL: conn.WithoutFragment(x.t.rawURL), Size: x.size, ModTime: at, Name: x.t.name}
	x.info.Validator = conn.Validator(at, x.size)
	return nil
}

// retrieve begins the transfer at off, or at 0 where the origin does not know REST, or where it does not tell the size:
// nobody could say then whether what comes is what was asked for.
func (x *exchange) retrieve(off int64) (int64, error) {
	var err error
	if off > 0 && x.size >= 0 {
		x.resp, err = x.c.RetrFrom(x.t.path, uint64(off))
		if err == nil {
			x.c.tap.rests = true
			x.info.Seekable = true
			return off, nil
		}
		if _, ok := errors.AsType[*textproto.Error](err); !ok || x.c.tap.verb != "REST" {
			return 0, err
		}
	} else {
		x.info.Seekable = x.c.tap.rests && x.size >= 0
	}
	x.resp, err = x.c.Retr(x.t.path)
	return 0, err
}

// isDirectory finds out whether err, of RETR, came of asking for a directory, where the origin can tell.
func (x *exchange) isDirectory(err error) error {
	reply, ok := errors.AsType[*textproto.Error](err)
	if !ok || reply.Code != ftp.StatusFileUnavailable {
		return err
	}
	entry, asked := x.c.GetEntry(x.t.path)
	switch {
	case asked == nil && entry.Type == ftp.EntryTypeFolder, strings.Contains(strings.ToLower(reply.Msg), "is a directory"):
		return directory()
	case asked != nil && conn.IsNetwork(asked):
		return asked
	}
	return x.c.refusal(reply.Code, reply.Msg)
}

// resource is the answer, with a body that starts at off.
func (x *exchange) resource(rng source.Range, off int64) *source.Resource {
	end := driver.EndOf(rng)
	res := &source.Resource{Info: x.info, Off: off, Len: -1}
	x.left = end - off
	if x.size >= 0 {
		res.Len = max(min(end, x.size)-off, 0)
		x.left, x.whole = res.Len, end >= x.size
	}
	body := driver.NewBody(x, x.watch, x.t.rawURL, x.src.times.Idle)
	res.Body = body.Expect(x.left, x.size >= 0)
	return res
}

// Read reads the data connection.
func (x *exchange) Read(p []byte) (int, error) {
	if x.resp == nil {
		return 0, io.EOF
	}
	n, err := x.resp.Read(p)
	x.left -= int64(n)
	return n, err
}
