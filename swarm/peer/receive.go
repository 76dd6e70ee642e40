package peer

import (
	"errors"
	"io"
	"net"
	"os"
	"time"

	"spate/swarm/wire"
)

// A receiver reads messages from a connection.
type receiver struct {
	conn net.Conn
	dec  *wire.Decoder
	buf  [2 << 10]byte
	end  bool
}

func newReceiver(conn net.Conn, commands ...wire.Command) *receiver {
	return &receiver{conn: conn, dec: wire.NewDecoder(commands...)}
}

// next returns the next message. Without one until then the error is [os.ErrDeadlineExceeded]; the zero time is never.
// After a [*wire.SyntaxError] more can follow.
func (r *receiver) next(until time.Time) (wire.Message, error) {
	for {
		m, err := r.dec.Next()
		isGrowing := errors.Is(err, wire.ErrGrowing)
		if !isGrowing && !errors.Is(err, wire.ErrMore) {
			return m, err
		}
		if r.end {
			return m, io.EOF
		}
		if err := r.read(until, isGrowing); err != nil {
			return m, err
		}
	}
}

// read gives the decoder what comes next, or the news that nothing does.
func (r *receiver) read(until time.Time, isGrowing bool) error {
	deadline := until
	if quiet := time.Now().Add(wire.QuietTime); isGrowing && (until.IsZero() || quiet.Before(until)) {
		deadline = quiet
	}
	if err := r.conn.SetReadDeadline(deadline); err != nil {
		return err
	}
	n, err := r.conn.Read(r.buf[:])
	r.dec.Write(r.buf[:n])
	switch {
	case err == io.EOF:
		r.end = true
		r.dec.End()
		return nil
	case isGrowing && errors.Is(err, os.ErrDeadlineExceeded):
		r.dec.Quiet()
		return nil
	}
	return err
}
