package assemble

import (
	"errors"
	"fmt"
	"io/fs"

	"spate/internal/redact"
)

// ErrDepth is the error of manifests inside manifests beyond Options.MaxDepth.
var ErrDepth = errors.New("manifests nested too deeply")

// PartError says that no alternative of a part works, and why each of them does not.
type PartError struct {
	Manifest string  // the URL of the manifest that lists the part
	Line     int     // of the part's first line in it
	Errs     []error // one for each alternative that was tried, in that order
}

// Error is one line; the causes are in Errs.
func (e *PartError) Error() string {
	text := fmt.Sprintf("read %s: line %d: no alternative of this part works", redact.URL(e.Manifest), e.Line)
	if len(e.Errs) == 1 {
		text += ": " + e.Errs[0].Error()
	}
	return text
}

// Is reports whether the part failed as target says. It is [fs.ErrNotExist] only if every alternative is: one mirror
// that answers 404 does not mean that there is no such thing. Any other target is looked for in each cause.
//
// There is no Unwrap, through which errors.Is would be content with one of the causes.
func (e *PartError) Is(target error) bool {
	found := 0
	for _, err := range e.Errs {
		if errors.Is(err, target) {
			found++
		}
	}
	if target == fs.ErrNotExist {
		return found > 0 && found == len(e.Errs)
	}
	return found > 0
}

// As finds the first cause that target can be set to.
func (e *PartError) As(target any) bool {
	for _, err := range e.Errs {
		if errors.As(err, target) {
			return true
		}
	}
	return false
}
