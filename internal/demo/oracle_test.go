package demo

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"

	"spate/format/manifest"
)

// An oracle assembles a stream as simply as it can be done, with nothing of the engine in it: one request after the
// other, recursion, and what a failed alternative has left is cut off again.
type oracle struct {
	client *http.Client
	got    []byte
	limit  int // how much is enough
}

var errEnough = errors.New("enough")

// assemble appends what url stands for to o.got.
func (o *oracle) assemble(url string, promise manifest.Alternative) error {
	start := len(o.got)
	resp, err := o.client.Get(url)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	final := resp.Request.URL.String()
	if manifest.IsManifest(url, resp.Header.Get("Content-Type")) {
		return o.execute(final, resp.Body)
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, int64(o.limit)))
	o.got = append(o.got, b...)
	if err != nil {
		return err
	}
	return kept(promise, o.got[start:])
}

// kept tells whether b is what was promised.
func kept(promise manifest.Alternative, b []byte) error {
	sum := sha256.Sum256(b)
	if promise.Size >= 0 && int64(len(b)) != promise.Size || promise.Digest != nil && !bytes.Equal(sum[:], promise.Digest) {
		return errors.New("other bytes")
	}
	return nil
}

// execute goes through a manifest.
func (o *oracle) execute(base string, r io.Reader) error {
	d := manifest.NewDecoder(r)
	for {
		p, err := d.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := o.part(base, p); err != nil {
			return err
		}
		if len(o.got) >= o.limit {
			return errEnough
		}
	}
}

// part takes the first alternative that works.
func (o *oracle) part(base string, p manifest.Part) error {
	start := len(o.got)
	var errs []error
	for _, line := range p.Alternatives {
		a, err := manifest.ParseAlternative(line)
		if err == nil {
			a.URL, err = manifest.Resolve(base, a.URL)
		}
		if err == nil {
			err = o.assemble(a.URL, a)
		}
		if err == nil || errors.Is(err, errEnough) {
			return err
		}
		o.got = o.got[:start]
		errs = append(errs, err)
	}
	return fmt.Errorf("line %d: %w", p.Line, errors.Join(errs...))
}
