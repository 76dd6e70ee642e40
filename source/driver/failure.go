package driver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"spate/source"
)

// Classed is an error of a kind, still without the URL it is about.
func Classed(kind source.Kind, err error) *source.Error {
	return &source.Error{Kind: kind, Err: err}
}

// Failed completes err, the result of doing op with the URL that the caller gave.
func Failed(op, rawURL string, err error) error {
	e, ok := errors.AsType[*source.Error](err)
	if !ok {
		e = Classed(source.KindOther, err)
	}
	e.Op, e.URL = op, rawURL
	return e
}

// CtxError is why ctx is over, nil if it is not: its error, and its cause if that says more.
func CtxError(ctx context.Context) error {
	err := ctx.Err()
	if err == nil {
		return nil
	}
	if cause := context.Cause(ctx); cause != err {
		return fmt.Errorf("%w: %w", err, cause)
	}
	return err
}

// Interruption classes the error of a caller's context.
func Interruption(over error) *source.Error {
	if errors.Is(over, context.DeadlineExceeded) {
		return Classed(source.KindTimeout, over)
	}
	return Classed(source.KindOther, over)
}

// IsTimeout reports whether err is a time-out, ours or the system's.
func IsTimeout(err error) bool {
	e, ok := errors.AsType[net.Error](err)
	return ok && e.Timeout()
}

// NotEOF keeps an io.EOF from being taken for the end of a body.
func NotEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("the connection was closed before the answer: %w", io.ErrUnexpectedEOF)
	}
	return err
}

// Cut makes err, which ended a body before its end, an io.ErrUnexpectedEOF and nothing like io.EOF.
func Cut(err error) error {
	if errors.Is(err, io.EOF) || err == io.ErrUnexpectedEOF {
		return io.ErrUnexpectedEOF
	}
	return fmt.Errorf("%w: %w", io.ErrUnexpectedEOF, err)
}
