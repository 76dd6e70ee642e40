package source

import (
	"errors"
	"io/fs"
	"strings"
	"time"

	"spate/internal/redact"
)

// Kind classes what went wrong; the command's exit code follows from it.
type Kind int

// The kinds of an [Error].
const (
	KindOther     Kind = iota
	KindMalformed      // the URL is none that can be opened: its syntax, or its scheme
	KindRefused        // policy forbids it: a local file, or keys of the user, asked for by a remote manifest
	KindNetwork        // DNS, refused, reset, unreachable, cut short
	KindTimeout        // connecting, waiting for an answer, silence
	KindTLS            // the handshake or the certificate
	KindAuth           // 401, 403, 407
	KindStatus         // any other status that is an error: 4xx, 5xx
	KindProtocol       // an answer that makes no sense: redirect loop, wrong range, coding nobody asked for
	KindLocal          // the local file system
	KindChanged        // the resource is no longer the one that was begun
	KindCorrupt        // the bytes are not those that were promised
)

var kindNames = [...]string{"other", "malformed", "refused", "network", "timeout", "tls", "auth", "status",
	"protocol", "local", "changed", "corrupt"}

// String is the name of the kind in lower case, as it appears in events.
func (k Kind) String() string {
	if k < 0 || int(k) >= len(kindNames) {
		return "other"
	}
	return kindNames[k]
}

// KindOf is the kind of the [*Error] that err is or wraps; KindOther of any other, and of nil.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return KindOther
}

// What [errors.Is] finds in an [*Error], beside [fs.ErrNotExist] (404, 410, no such file) and [fs.ErrPermission]
// (401, 403, 407, a file that may not be read).
var (
	ErrUnavailable = errors.New("unavailable") // no answer, or one that is an error but not fs.ErrNotExist
	ErrChanged     = errors.New("changed at the origin")
	ErrCorrupt     = errors.New("corrupt")
)

// Error says what could not be done, to which URL, and why. Its text is "op url: cause", with the URL redacted.
type Error struct {
	Op         string // "open", "read", …
	URL        string // as asked for; redacted when printed
	Kind       Kind
	Status     int           // of the HTTP answer, 0 for none
	RetryAfter time.Duration // as the origin asked, 0 if it did not
	Err        error         // the cause; never nil
}

func (e *Error) Error() string {
	// Some causes print the URL themselves, unredacted.
	cause := strings.ReplaceAll(e.Err.Error(), e.URL, redact.URL(e.URL))
	return e.Op + " " + redact.URL(e.URL) + ": " + cause
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether the error's kind and status make it one of the sentinel errors of this package or of io/fs.
func (e *Error) Is(target error) bool {
	switch target {
	case fs.ErrNotExist:
		return e.Status == 404 || e.Status == 410
	case fs.ErrPermission:
		return e.Kind == KindAuth
	case ErrUnavailable:
		return e.unavailable()
	case ErrChanged:
		return e.Kind == KindChanged
	case ErrCorrupt:
		return e.Kind == KindCorrupt
	}
	return false
}

func (e *Error) unavailable() bool {
	switch e.Kind {
	case KindNetwork, KindTimeout, KindTLS, KindProtocol:
		return true
	case KindStatus:
		return e.Status != 404 && e.Status != 410
	}
	return false
}
