package fetch

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"slices"
	"time"

	"spate/event"
	"spate/format/checksum"
	"spate/format/span"
	"spate/sched"
	"spate/source"
	"spate/source/budget"
)

// An Object is one resource that has answered and is to be written to a file, or handed on in order: over many connections where its origin
// answers ranges and tells its size, else over the one that it has.
type Object struct {
	d       *driver
	quick   *quick // in place of d
	approve func(file io.ReaderAt) error
	over    bool
}

// A Mirror is one place that has the object.
type Mirror struct {
	URL      string
	Priority int // lower is asked first
}

// ObjectOptions are those of [OpenObject]. The zero value, and nil, mean the defaults.
type ObjectOptions struct {
	Left        *File          // from Resume, to be gone on with; nil: all is fetched
	Hashes      []string       // algorithms, of checksum.Names, whose digests Done is to tell
	Checksums   []checksum.Sum // that the object was promised to have; what has another one is an error
	Told        bool           // what the first answer tells of the whole is verified also where neither of these wants a digest
	Pieces      *Pieces        // digests of its pieces that were promised; nil: none
	Size        *int64         // that was promised; nil: none was
	Connections int            // opened as soon as the size is known; 0: as many as pay
	PerHost     int            // at most so many to one host; 0: 8, or Connections where that is more
	MinRange    int64          // no connection is opened for less; 0: 1 MiB
	RetryMax    time.Duration  // how long a connection that was lost is waited for; 0: 10 minutes; below 0: not at all
	Order       sched.Order
	Window      int64 // above 0: the Object is for Stream, which holds so many bytes at most that are not next, 1 MiB at least; 0: for To
	Agree       bool  // a mirror that has another size or other bytes is an error, [*DifferError]; false: it is left aside
	Refreshed   bool  // Left is compared by its bytes: that a validator is another one is no error
	Limited     bool  // a limit of the caller's is shared by all connections: what is asked for twice, to have it earlier, would not pay
	Events      event.Sink
	Blocks      *budget.Budget // of memory that is kept to be used again, also by others; nil: 16 MiB, for this Object alone
}

// Done is what [Object.To] or [Object.Stream] has done.
type Done struct {
	Size        int64          // of the object, or how much of it is there
	Digests     []checksum.Sum // of the whole: those that were wanted, then others that it was promised to have
	Resumed     int64          // bytes that were there before
	Fetched     int64          // bytes that came over the network and were written
	Connections int            // that were open at once, at most
	Opens       int64          // requests
	Failures    int64          // of them and of their answers
	Origins     []string       // host:port of those that have answered, sorted
}

// Digest is that of the algorithm, of those in Digests; nil if it was not wanted.
func (d *Done) Digest(algorithm string) []byte {
	for _, s := range d.Digests {
		if s.Algorithm == algorithm {
			return s.Value
		}
	}
	return nil
}

// OpenObject asks the mirrors, the first of the best priority to begin with, and returns once one of them has answered. A
// mirror that does not is tried three times, quickly, beside the others. ctx governs all until [Object.To] or [Object.Stream] returns. The
// Object must be closed.
//
// With Left what is missing is asked for. An answer that is not of what was begun then, as far as size, validator and, where
// these do not prove it, three ranges taken by chance tell, is an error that is [source.ErrChanged]. Where all is there, nothing is
// asked for, unless it was begun with other mirrors: then the last range is, to have an answer to compare. What was begun with Pieces goes on with Pieces only, else that is [source.ErrChanged], too: until they were checked, its
// bytes may be those of several mirrors that differ.
//
// A mirror whose answer says that it has other digests than the Checksums, another size than the Pieces make, or other digests than
// the first answer, is not used.
//
// Errors are those of src where there is one mirror; of several it is a [*MirrorsError].
func OpenObject(ctx context.Context, src source.Source, mirrors []Mirror, opts *ObjectOptions) (*Object, error) {
	if opts == nil {
		opts = &ObjectOptions{}
	}
	if err := opts.check(mirrors[0].URL); err != nil {
		return nil, err
	}
	if opts.isWhole() && !opts.isKnown(mirrors) {
		opts.Left.refetchLast()
	}
	drive := func(f *first) (*driver, error) {
		d := newDriver(ctx, src, mirrors, opts)
		d.asFirst = f
		return d, d.open()
	}
	var f *first
	if len(mirrors) == 1 && opts.Left == nil {
		f = askFirst(ctx, src, mirrors[0].URL)
		if f.isQuick(opts) {
			return &Object{quick: &quick{first: f, ctx: ctx, memory: opts.blocks(), drive: drive}}, nil
		}
	}
	d, err := drive(f)
	if err != nil {
		return nil, err
	}
	return &Object{d: d}, nil
}

// open returns once there is an answer, or all is over, which is the error.
func (d *driver) open() error {
	switch {
	case d.opts.isWhole():
		d.answerFromDisk()
		return nil
	case d.asFirst != nil:
		d.startAlone()
	default:
		d.start()
	}
	select {
	case <-d.answered:
		return nil
	case <-d.over:
	case <-d.ctx.Done():
		d.finish(context.Cause(d.ctx))
	}
	d.end()
	return d.err
}

// Info is what the first answer told.
func (o *Object) Info() source.Info {
	if o.quick != nil {
		return o.quick.res.Info
	}
	return o.d.info
}

// Approve has do called with the bytes of the object once they are all there, before they get their name. Its error is that of
// [Object.To].
func (o *Object) Approve(do func(file io.ReaderAt) error) { o.approve = do }

// Close ends what [Object.To], or [Object.Stream], has not.
func (o *Object) Close() error {
	switch {
	case o.over:
	case o.quick != nil:
		o.quick.close()
	default:
		o.d.finish(errOver)
		o.d.end()
	}
	o.over = true
	return nil
}

// To writes the object to file, which is Left, or is new, and ends it: with its final name once it is whole. It uses the
// Object up.
//
// Every byte is written once. A connection that breaks, is slow or falls silent is replaced; a range answered by other
// bytes than those of the first answer, as far as size and validator tell, is an error that is [source.ErrChanged]. Where the validator of
// an origin does not name its bytes (see [source.Info.NamesBytes]) and there are no Pieces, two answers are put together only where up to
// 16 KiB on each side of the seam are the same; where they are not, that error is [ErrVersions] as well, and only the longest piece stays.
// So it is, after an error, with what came from an origin that has proved to have changed, where no other has met it.
// Of several mirrors none names the bytes of another, and who was opened is right: one whose bytes differ is left aside, and all that it gave
// fetched elsewhere. It is not noticed if what differs is at no seam, nor in the last 16 KiB.
//
// A piece that does not have its digest is fetched again: elsewhere, where there is another mirror, and its giver is set aside. One
// that stays wrong is an error that is [source.ErrCorrupt]. So is a whole that is not as was promised, by Checksums or, where these
// or Hashes want any digest, or Told is set, by the first answer (RFC 9530); FILE.part stays then, without a journal: nothing goes on with it.
// Before that, where several gave it, each mirror is asked for all that it did not give: the first that makes it right is believed.
//
// After an error, and when the context of OpenObject ends, what has come is kept as FILE.part, with a journal that says
// what it is, and Done tells how many bytes they are; without any, there is neither.
func (o *Object) To(file *File) (*Done, error) {
	o.over = true
	if q := o.quick; q != nil {
		done, err := q.to(file, o.approve)
		if done != nil {
			return done, err
		}
		o.quick = nil
		if o.d, err = q.drive(q.first); err != nil {
			file.leave(new(span.Set))
			return &Done{}, err
		}
	}
	isSized := o.Info().Size >= 0
	done, err := o.d.run(func() error { return o.d.prepare(file) })
	if o.d.unlike {
		done, err = o.decide(file, done, err)
	}
	if o.d.unlike {
		if lost := file.distrust(); lost != nil {
			err = fmt.Errorf("%w; its journal cannot be removed: %w", err, lost)
		}
	}
	if err == nil && (!isSized || o.d.opts.Left != nil || o.d.again) {
		err = file.part.Truncate(done.Size) // what was begun anew, or lay there meanwhile, may be longer
	}
	if err == nil {
		err = finish(file, o.approve)
	}
	if err != nil && !file.leave(&o.d.written) {
		done.Size = 0
	}
	return done, err
}

// hashWindow is how far ahead of the digest is written at most, so that it is computed from memory.
const hashWindow = 32 << 20

func (o *ObjectOptions) config(mirrors []Mirror) sched.Config {
	c := sched.Config{Size: -1, Connections: o.Connections, PerHost: o.PerHost, MinRange: o.MinRange, Order: o.Order, RetryMax: o.RetryMax,
		Limited: o.Limited, Rand: rand.Float64}
	for _, m := range mirrors {
		s := sched.Source{Priority: m.Priority}
		if len(mirrors) > 1 { // one is a host of its own in any case
			s.Host = hostOf(m.URL)
		}
		c.Sources = append(c.Sources, s)
	}
	if len(o.Hashes)+len(o.Checksums) > 0 {
		c.Window = hashWindow
	}
	if o.piecewise() {
		c.PieceSize = o.Pieces.Length
		if c.Window > 0 { // a piece is hashed once it is whole
			c.Window = max(c.Window, 2*c.PieceSize)
		}
	}
	if o.Window > 0 {
		c.Order, c.Window, c.Kept = sched.Sequential, o.window(), keptBehind
	}
	if o.Left != nil {
		c.Size = o.Left.left.Header.Size
		for x := range o.Left.left.Covered().All() {
			c.Done = append(c.Done, sched.Range(x))
		}
	}
	return c
}

// there is what of the file an earlier download has left.
func (o *ObjectOptions) there() *span.Set {
	if o.Left == nil {
		return &span.Set{}
	}
	return o.Left.left.Covered()
}

// isWhole reports whether an earlier download has left nothing to be fetched.
func (o *ObjectOptions) isWhole() bool {
	return o.Left != nil && o.Left.left.Header.Size >= 0 && o.there().Bytes() >= o.Left.left.Header.Size
}

// isKnown reports whether what an earlier download has left needs no answer to be taken for what the mirrors have: it was begun
// with one of them, or all of it will be verified.
func (o *ObjectOptions) isKnown(mirrors []Mirror) bool {
	if o.Pieces != nil || len(o.Checksums) > 0 {
		return true
	}
	isOne := func(m Mirror) bool {
		_, known := o.Left.left.Header.Origin(m.URL)
		return known
	}
	return !o.Refreshed && slices.ContainsFunc(mirrors, isOne)
}

// hostOf is what the URL names as its host, for counting connections; "" where it names none.
func hostOf(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil {
		return ""
	}
	return u.Host
}
