package fetch

import (
	"errors"
	"io/fs"
	"slices"

	"spate/source"
)

// An origin is what is known of a mirror.
type origin struct {
	source.Info       // of its first answer
	answered    bool  // there was one
	vague       bool  // one had a validator that does not name its bytes, or none
	changed     bool  // a later one was of another object
	unsized     int   // times in a row that it told no size, where it had before
	overlap     int64 // how much of what is there is fetched once more with a range

	same      bool          // it is of what an earlier download has begun
	doubtful  bool          // its answer did not tell whether it is
	comparing chan struct{} // closed when somebody who compares them has done so; nil: nobody does
	differs   error         // what came of it, where they are not the same

	addr  string // host:port
	fault error  // its last; of one that is not used any more, why
	aside bool   // it is not used any more
}

// mirrorsError is why none of the mirrors is left: of one what it says itself.
func mirrorsError(origins []origin) error {
	var errs []error
	for _, o := range origins {
		if o.fault != nil {
			errs = append(errs, o.fault)
		}
	}
	switch len(errs) {
	case 0:
		return errNothing
	case 1:
		return errs[0]
	}
	return &MirrorsError{Errs: errs}
}

// errNothing is where nothing was answered, and nothing has failed: not even a time-out was met.
var errNothing = errors.New("nothing came")

// MirrorsError says that an object could be fetched from none of its URLs, and why from each of them.
type MirrorsError struct{ Errs []error }

// Error is one line; the causes are in Errs.
func (e *MirrorsError) Error() string { return "none of the mirrors works" }

// Is reports whether the mirrors failed as target says. It is [fs.ErrNotExist] only if every one is: one that answers 404
// does not mean that there is no such thing. Any other target is looked for in each cause.
//
// There is no Unwrap, through which errors.Is would be content with one of the causes.
func (e *MirrorsError) Is(target error) bool {
	is := func(err error) bool { return errors.Is(err, target) }
	if target == fs.ErrNotExist {
		return len(e.Errs) > 0 && !slices.ContainsFunc(e.Errs, func(err error) bool { return !is(err) })
	}
	return slices.ContainsFunc(e.Errs, is)
}

// As finds the first cause that target can be set to.
func (e *MirrorsError) As(target any) bool {
	return slices.ContainsFunc(e.Errs, func(err error) bool { return errors.As(err, target) })
}
