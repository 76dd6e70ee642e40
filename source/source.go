// Package source is the vocabulary of spate: how anything that has bytes is opened.
//
// Everything is opened through one method, [Source.Open]. A scheme is a Source (package httpsource,
// filesource), a [Mux] of them is a Source, and policy (limits, tracing, fault injection) is a Source wrapped
// around a Source. Package sourcetest holds the conformance suite that each of them passes.
package source

import (
	"context"
	"io"
	"strings"
	"time"

	"spate/format/checksum"
)

// Source opens URLs.
//
// Open returns once the origin of url has answered; the body arrives as it is read. ctx governs the body too:
// once it is cancelled, reads of the body fail. The body starts at Resource.Off: at rng.Off where the origin can
// seek, else at 0, and the caller discards what it does not want. The body may end before the range does (RFC 9110
// §15.3.7); Resource.Len says where. A body that is cut short ends with [io.ErrUnexpectedEOF], never with [io.EOF].
//
// A range that begins at the end of the resource or beyond it is answered by a Resource with an empty body, Len 0
// and the Size in its Info, if the origin tells it, and by an error of KindProtocol if it does not.
//
// The fragment of url is never sent. Errors are of type [*Error]. Open tries once: when and where to try again is
// decided above. A Source is safe for concurrent use; a Resource is not.
type Source interface {
	Open(ctx context.Context, url string, rng Range) (*Resource, error)
}

// Func is a function that is a Source.
type Func func(ctx context.Context, url string, rng Range) (*Resource, error)

// Open calls f.
func (f Func) Open(ctx context.Context, url string, rng Range) (*Resource, error) {
	return f(ctx, url, rng)
}

// A Range is Len bytes from Off on; a Len below 0 means to the end. Off is never negative.
// The zero Range is empty; what is wanted most is [From](0).
type Range struct{ Off, Len int64 }

// From is the range from off to the end.
func From(off int64) Range { return Range{Off: off, Len: -1} }

// Info is what an origin told of a resource.
type Info struct {
	URL       string    // the final one, after redirects, without a fragment
	Size      int64     // of the whole resource in bytes; -1 where it is not known
	MediaType string    // lower case and without parameters; "" where it is not known
	Validator string    // changes if the bytes do, see HasStrongValidator; opaque, compared by HasValidatorOf; "" where there is none
	ETag      string    // the entity tag of HTTP as it was sent, be it weak, which Validator need not be made of; "" where there is none
	Name      string    // what the origin proposes as a file's name, not sanitised; "" for no proposal
	ModTime   time.Time // zero where it is not known
	Seekable  bool      // the origin said, or has shown, that it answers ranges
	Links     []Link    // in the order of the header, 64 at most; shared, not to be changed

	// Header is what the header of the answer has for whoever asks, be it through others: no fields of one connection (RFC
	// 9110 §7.6.1), nor those that tell of the length of one message. nil where there is no such thing, or more of it
	// than 16 KiB. Shared, not to be changed.
	Header map[string][]string

	// Digests are what the origin says are those of the whole, whatever range of it was asked for, at most one for each
	// algorithm; shared, not to be changed. They are the origin's word: that the bytes have them is for whoever reads all
	// of them to check.
	Digests []checksum.Sum
}

// weak is how a weak Validator begins.
const weak = "W/"

// HasStrongValidator reports whether a Validator that is the same as before means that the bytes are (RFC 9110 §8.8.1),
// so that ranges of two answers may be put together. Of a weak one, which begins with "W/", it means that they may be.
func (i *Info) HasStrongValidator() bool {
	return i.Validator != "" && !strings.HasPrefix(i.Validator, weak)
}

// Dated is how a Validator begins that is nothing but an origin's date of modification.
const Dated = "date "

// NamesBytes reports whether a Validator that is the same as before means that the bytes are, also where another machine has
// answered that has the same name. A date does not: each machine may have been given another version at the same second.
func (i *Info) NamesBytes() bool {
	return i.HasStrongValidator() && !strings.HasPrefix(i.Validator, Dated)
}

// HasValidatorOf reports whether i and o have the same Validator, whether or not each is weak: which it is may change
// with time alone. Where they differ, i is of other bytes than o.
func (i *Info) HasValidatorOf(o *Info) bool {
	return strings.TrimPrefix(i.Validator, weak) == strings.TrimPrefix(o.Validator, weak)
}

// A Resource is an answered Open: the body, where it starts and what is known of the whole.
type Resource struct {
	Info
	Off  int64 // where Body starts
	Len  int64 // bytes in Body; -1 where it is not known
	Conn ConnInfo
	Body io.ReadCloser
}

// ConnInfo tells of the connection that carries a Resource. Its zero value tells nothing.
type ConnInfo struct {
	Addr   string        // the remote address, host:port
	Reused bool          // it had carried another request before
	Setup  time.Duration // from the call of Open to the answer
}

// A Session is one connection's worth of a Source.
type Session interface {
	Source
	io.Closer
}

// Dialer is implemented by Sources that let the caller schedule connections. A Source without it is its own
// session. Wrappers forward it.
type Dialer interface {
	Dial(ctx context.Context, url string) (Session, error)
}
