package spate

import (
	"io"
	"time"

	"spate/event"
)

// meterPeriod is the least time between two events of progress.
const meterPeriod = 250 * time.Millisecond

// A meter counts the bytes of a stream and tells of them now and then. It belongs to the goroutine that reads.
type meter struct {
	sink  event.Sink // nil: nobody listens
	size  int64      // of the stream, -1 where it is not known
	bytes int64
	next  time.Time // not before this
	over  bool
}

func (m *meter) add(n int) {
	m.bytes += int64(n)
	if m.sink == nil || n == 0 {
		return
	}
	if now := time.Now(); !now.Before(m.next) {
		m.next = now.Add(meterPeriod)
		m.tell(event.Progress)
	}
}

// end tells once of all the bytes, and that this was the whole if done.
func (m *meter) end(done bool) {
	if m.over || m.sink == nil {
		return
	}
	m.over = true
	m.tell(event.Progress)
	if done {
		m.sink(event.Event{Time: time.Now(), Type: event.Done, Bytes: m.bytes})
	}
}

func (m *meter) tell(t event.Type) {
	m.sink(event.Event{Time: time.Now(), Type: t, Bytes: m.bytes, Size: m.size})
}

// metered is a writer whose bytes are counted.
type metered struct {
	w io.Writer
	m *meter
}

func (w *metered) Write(p []byte) (int, error) {
	n, err := w.w.Write(p)
	w.m.add(n)
	return n, err
}
