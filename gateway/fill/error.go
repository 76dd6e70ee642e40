package fill

import (
	"errors"

	"spate/fetch"
	"spate/source"
)

var (
	// ErrClosed is the error of what is asked of a Pool, a File or a reader that is closed.
	ErrClosed = errors.New("fill: closed")

	errRevoked  = errors.New("its connection is needed")
	errHalted   = errors.New("nobody needs it")
	errNothing  = errors.New("no mirror is left")
	errSize     = errors.New("it has another size than at first")
	errIdentity = errors.New("it has another validator than at first")
	errDigest   = errors.New("its digest header is another one than at first")
	errBytes    = errors.New("the bytes of two answers differ")
	errUnproved = errors.New("what was read before is not there any more, to be compared with another answer")
	errEarly    = errors.New("it ended early")
	errNoBytes  = errors.New("an answer without a byte")
	errNoSize   = errors.New("it tells no size, as it did at first")
	errHash     = errors.New("a block does not have its hash")
)

// wrong is what is said of a mirror.
func wrong(op, url string, kind source.Kind, cause error) error {
	return &source.Error{Op: op, URL: url, Kind: kind, Err: cause}
}

// joined is why none of the mirrors works: of one what it says itself.
func joined(errs []error) error {
	var all []error
	for _, err := range errs {
		if err != nil {
			all = append(all, err)
		}
	}
	switch len(all) {
	case 0:
		return errNothing
	case 1:
		return all[0]
	}
	return &fetch.MirrorsError{Errs: all}
}

// judged is what err says of asking again.
func judged(err error) failure {
	e, ok := errors.AsType[*source.Error](err)
	if !ok {
		return failure{}
	}
	f := failure{wait: e.RetryAfter}
	switch e.Kind {
	case source.KindNetwork, source.KindTimeout, source.KindOther:
	case source.KindStatus:
		f.lasting = e.Status < 500 && e.Status != 408 && e.Status != 429
	default:
		f.lasting = true
	}
	return f
}
