package spate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"spate/fetch"
)

var (
	// ErrLimit is the error of what was stopped by one of its [Limits].
	ErrLimit = errors.New("stopped by a limit")
	// ErrExists is the error of an output that exists and is not to be overwritten.
	ErrExists = fs.ErrExist
	// ErrInUse is the error of an output that another call, maybe of another process, is writing.
	ErrInUse = fetch.ErrInUse
)

// Limits end what may have no end of its own. A stream that ends right at a limit is whole; to find that out, the
// stream is read on until there is more, or its end. The zero value is no limit.
type Limits struct {
	Bytes    int64         // of the output, of a Metalink file those of all its files together; 0: none
	Files    int64         // of a sequence; 0: none
	FileSize int64         // of each file: one that is told to be larger is not begun; 0: none
	Time     time.Duration // from the call on; 0: none

	whole int64 // of which Bytes are what is left; 0: all of it is
}

// Context is ctx under the limit of time. Its cause, once that is reached, is ErrLimit.
func (l *Limits) Context(ctx context.Context) (context.Context, context.CancelFunc) {
	if l.Time <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, l.Time, OverLimit(l.Time.String()+" have passed"))
}

// OverLimit is the error, [ErrLimit], of what was stopped by that limit.
func OverLimit(limit string) error { return fmt.Errorf("%w: %s", ErrLimit, limit) }

// counted is "1 file", "2 files".
func counted(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// admits is the error of a file that is said to have size bytes, -1 where that is not known, if these are too many.
func (l *Limits) admits(size int64) error {
	if l.FileSize <= 0 || size <= l.FileSize {
		return nil
	}
	return OverLimit(fmt.Sprintf("a file of %s, more than %d", counted(size, "byte"), l.FileSize))
}

// most is how many bytes a file may have, 0 for any number, and what is wrong with more.
func (l *Limits) most() (size int64, over error) {
	if l.FileSize > 0 && (l.Bytes <= 0 || l.FileSize < l.Bytes) {
		return l.FileSize, OverLimit("a file of more than " + counted(l.FileSize, "byte"))
	}
	return l.Bytes, OverLimit(counted(cmp.Or(l.whole, l.Bytes), "byte"))
}

// A measured writer knows how much was written to it.
type measured interface {
	io.Writer
	Size() int64
}

// writer is out, within the limits.
func (l *Limits) writer(out measured) *capped {
	size, over := l.most()
	return &capped{out, size, over}
}

// A capped writer fails where there is more than limit allows, having written what it does.
type capped struct {
	measured
	limit int64 // 0: none
	over  error // what it fails with
}

func (c *capped) Write(p []byte) (int, error) {
	if c.limit <= 0 || int64(len(p)) <= c.limit-c.Size() {
		return c.measured.Write(p)
	}
	n, err := c.measured.Write(p[:max(c.limit-c.Size(), 0)]) // there may have been more before
	if err == nil {
		err = c.over
	}
	return n, err
}
