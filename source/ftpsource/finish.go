package ftpsource

import (
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"time"

	"spate/source"
	"spate/source/driver"
)

// How long the confirmation of a transfer is waited for: where the size says that all has come, and where the body has
// been closed without reading its end.
const (
	confirmTime = time.Second
	leaveTime   = 250 * time.Millisecond
)

// Finish makes sure that the file ends where it should, and that the origin thinks so too.
func (x *exchange) Finish() error {
	switch {
	case !x.done && x.size < 0 && x.left > 0:
		err := x.confirm(x.src.times.Header)
		if _, said := errors.AsType[*source.Error](err); err == nil || said {
			return err
		}
		return driver.Classed(source.KindNetwork, fmt.Errorf("%w: the end of the transfer was not confirmed", io.ErrUnexpectedEOF))
	case !x.done && x.whole:
		return x.finish(confirmTime)
	}
	return nil
}

// finish is for a file of which all bytes have come. An origin that does not confirm the transfer loses its connection:
// on long transfers, firewalls forget the control connection.
func (x *exchange) finish(limit time.Duration) error {
	x.watch.Wait("no end within", limit)
	var one [1]byte
	n, _ := x.resp.Read(one[:])
	x.watch.Done()
	if n > 0 {
		return driver.Classed(source.KindChanged, fmt.Errorf("longer than its size of %d bytes", x.size))
	}
	err := x.confirm(limit)
	if _, said := errors.AsType[*source.Error](err); said {
		return err
	}
	return nil
}

// confirm waits for the reply that ends a transfer. One that calls it broken is an *source.Error.
func (x *exchange) confirm(limit time.Duration) error {
	x.watch.Wait("no confirmation within", limit)
	err := safely(x.resp.Close)
	x.watch.Done()
	if err == nil {
		x.done = true
		return nil
	}
	reply, ok := errors.AsType[*textproto.Error](err)
	switch {
	case ok && reply.Code/100 == 2:
		x.done = true
		return nil
	case ok:
		e := x.c.refusal(reply.Code, reply.Msg)
		return driver.Classed(source.KindNetwork, fmt.Errorf("%w: %w", io.ErrUnexpectedEOF, e.Err))
	}
	return err
}

// Release keeps the connection if the transfer is over, and closes it otherwise.
func (x *exchange) Release(idle bool) {
	if idle && !x.done && x.whole && x.left == 0 {
		_ = x.finish(leaveTime)
	}
	if x.done && idle && x.watch.End() {
		x.src.pool.Put(x.t.key(), x.c)
		return
	}
	x.watch.Kill()
	x.watch.End()
}
