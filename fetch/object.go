package fetch

import (
	"context"
	"crypto/sha256"
	"errors"
	"math"
	"net/url"
	"time"

	"spate/event"
	"spate/sched"
	"spate/source"
)

// An Object is one resource that has answered and is to be written to a file: over many connections where its origin
// answers ranges and tells its size, else over the one that it has.
type Object struct {
	src   source.Source
	urls  []string
	first *opened
}

// opened is an answer and the session that carries it.
type opened struct {
	session source.Session
	res     *source.Resource
	setup   time.Duration
}

// OpenObject asks for urls[0], from its first byte on, and returns once that has answered. The others are mirrors of it.
// The Object must be closed. Errors are those of src.
func OpenObject(ctx context.Context, src source.Source, urls ...string) (*Object, error) {
	begin := time.Now()
	session, err := source.Dial(ctx, src, urls[0])
	if err != nil {
		return nil, err
	}
	res, err := session.Open(ctx, urls[0], source.Range{Len: math.MaxInt64})
	if err != nil {
		session.Close()
		return nil, err
	}
	return &Object{src: src, urls: urls, first: &opened{session, res, time.Since(begin)}}, nil
}

// Info is what the first answer told.
func (o *Object) Info() source.Info { return o.first.res.Info }

// Close ends the first answer, if it was not used up by To.
func (o *Object) Close() error {
	if o.first == nil {
		return nil
	}
	err := o.first.res.Body.Close()
	return errors.Join(err, o.first.session.Close())
}

// ObjectOptions are those of [Object.To]. The zero value, and nil, mean the defaults.
type ObjectOptions struct {
	Options           // of the file
	Connections int   // opened as soon as the size is known; 0: as many as pay
	PerHost     int   // at most so many to one host; 0: 8, or Connections where that is more
	MinRange    int64 // no connection is opened for less; 0: 1 MiB
	Events      event.Sink
}

// Done is what [Object.To] has done.
type Done struct {
	Size        int64  // of the file, or of what is left of it
	SHA256      []byte // nil if none was wanted
	Fetched     int64  // bytes that came over the network
	Connections int    // that were open at once, at most
}

// To writes the object to path: into FILE.part, which becomes FILE once it is whole. It uses the Object up.
//
// Every byte is written once. A connection that breaks, is slow or falls silent is replaced; a range answered by other
// bytes than those of the first answer, as far as size and validator tell, is an error that is [source.ErrChanged].
// After an error, and when ctx ends, the bytes before the first gap are kept as FILE.part, and Done says how many they
// are; without any, there is none.
func (o *Object) To(ctx context.Context, path string, opts *ObjectOptions) (*Done, error) {
	if opts == nil {
		opts = &ObjectOptions{}
	}
	info := o.Info()
	file, err := Create(path, &Options{Overwrite: opts.Overwrite})
	if err != nil {
		return nil, err
	}
	if info.Size > 0 {
		if err := allocate(file.part, info.Size); err != nil {
			return nil, errors.Join(err, file.Discard())
		}
	}
	d := newDriver(ctx, o, file, opts)
	o.first = nil
	done, err := d.run()
	if err == nil {
		err = file.Commit()
	}
	if err != nil {
		return done, errors.Join(err, file.keepPrefix(done.Size))
	}
	return done, nil
}

// window is how far ahead of the digest is written at most, so that it is computed from memory.
const window = 32 << 20

func (o *ObjectOptions) config(info source.Info, urls []string) sched.Config {
	c := sched.Config{Size: -1, Connections: o.Connections, PerHost: o.PerHost, MinRange: o.MinRange}
	for _, u := range urls {
		c.Sources = append(c.Sources, sched.Source{Host: hostOf(u)})
	}
	if o.SHA256 {
		c.Window = window
	}
	return c
}

// hostOf is what the URL names as its host, for counting connections; "" where it names none.
func hostOf(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil {
		return ""
	}
	return u.Host
}

func newSHA256(want bool) *digester {
	if !want {
		return nil
	}
	return newDigester(sha256.New())
}
