package viewer

import (
	"context"
	"errors"
	"hash/crc32"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"spate"
	"spate/event"
	"spate/fetch"
	"spate/internal/redact"
	"spate/source"
)

const (
	readAhead = 4 << 20                // bytes of a stream that nobody has asked for yet
	headSize  = 4096                   // bytes that the kind is told by, at most
	headLeast = 16                     // and at least, if there are so many
	moment    = 250 * time.Millisecond // for these to come
	pace      = 250 * time.Millisecond // between two looks at how much there is
)

// A view is one stream that a page shows. It ends when the page says so, has lost its body, or asks for nothing any more.
type view struct {
	id     string
	opts   *Options
	urls   []string
	play   string // where a player gets it
	want   asked
	ctx    context.Context
	cancel context.CancelFunc
	events record

	opened chan struct{} // closed once those below are set
	stream *spate.Stream
	head   []byte
	err    error          // why there is nothing
	cut    error          // why there is nothing but head
	more   <-chan piece   // what comes behind head, where somebody reads it already; nil: nobody does
	aside  sync.WaitGroup // of who does

	taken atomic.Bool   // by whose request sends the body, or by a player; in the end by run
	read  chan struct{} // closed by that request, or for the player, when nothing more is read

	// Guarded by the Viewer's lock.
	requests int
	idle     *time.Timer
}

func newView(ctx context.Context, opts *Options, urls []string, play string, want asked) *view {
	v := &view{opts: opts, urls: urls, play: play, want: want, opened: make(chan struct{}), read: make(chan struct{})}
	v.ctx, v.cancel = context.WithCancel(ctx)
	return v
}

// attach and detach count requests: without one, the view ends after a while.
func (v *view) attach() {
	v.requests++
	v.idle.Stop()
}

func (v *view) detach() {
	if v.requests--; v.requests == 0 && v.ctx.Err() == nil {
		v.idle.Reset(deserted)
	}
}

// run is the view's life.
func (v *view) run() {
	defer v.cancel()
	v.err = v.open()
	close(v.opened)
	if v.err != nil {
		v.fail(v.err)
	}
	<-v.ctx.Done()
	v.events.finish(nil)
	if !v.taken.CompareAndSwap(false, true) { // else nobody takes it any more
		<-v.read
	}
	if v.stream != nil {
		_ = v.stream.Close() // what it would say nobody has asked for
	}
	v.aside.Wait()
}

// open opens the first mirror that can be read, and reads what the kind is told by.
func (v *view) open() error {
	o := v.opts.Client.Options
	o.Events, o.Budget, o.ShareBudget = v.tell, readAhead, false
	client := &spate.Client{Source: v.opts.Client.Source, Options: o}
	var errs []error
	for _, url := range v.urls {
		err := v.openAt(client, url)
		if err == nil {
			return nil
		}
		errs = append(errs, err)
	}
	if len(errs) == 1 {
		return errs[0]
	}
	return &fetch.MirrorsError{Errs: errs}
}

func (v *view) openAt(client *spate.Client, url string) error {
	s, err := client.Open(v.ctx, url)
	if err != nil {
		return err
	}
	v.stream = s
	if err = v.passOver(url); err == nil {
		err = v.readHead()
	}
	if err != nil {
		v.stream = nil
		_ = s.Close() // it has failed already
	}
	return err
}

// passOver reads what the page has, and compares it with that.
func (v *view) passOver(url string) error {
	sum := crc32.NewIEEE()
	_, err := io.CopyN(sum, v.stream, v.want.Skip)
	if err == io.EOF || err == nil && v.want.CRC32 != nil && *v.want.CRC32 != sum.Sum32() {
		return &source.Error{Op: "open", URL: url, Kind: source.KindChanged, Err: errOther}
	}
	return err
}

var errOther = errors.New("it is no longer what was shown before the connection was lost")

// readHead reads what the kind is told by: enough bytes, or those that come within a moment of the first.
func (v *view) readHead() error {
	var late <-chan time.Time // before the first nothing is late
	for len(v.head) < headLeast {
		v.more = v.readAside()
		select {
		case p := <-v.more:
			v.more = nil
			v.head = append(v.head, p.data...)
			if p.err != nil {
				return v.endHead(p.err)
			}
		case <-late:
			return nil
		}
		if late == nil && len(v.head) > 0 {
			timer := time.NewTimer(moment)
			defer timer.Stop()
			late = timer.C
		}
	}
	return nil
}

// endHead is for a stream that ends before there is enough of it.
func (v *view) endHead(err error) error {
	switch {
	case err == io.EOF:
		return nil
	case len(v.head) == 0:
		return err
	}
	v.cut = err
	return nil
}

// A piece is what one read has brought.
type piece struct {
	data []byte
	err  error
}

// readAside reads beside whoever waits for it, and may give up waiting.
func (v *view) readAside() <-chan piece {
	more := make(chan piece, 1)
	v.aside.Go(func() {
		buf := make([]byte, headSize)
		n, err := v.stream.Read(buf)
		more <- piece{buf[:n], err}
	})
	return more
}

// next reads what comes behind the head, into buf if it can.
func (v *view) next(buf []byte) ([]byte, error) {
	if v.more != nil {
		p := <-v.more
		v.more = nil
		return p.data, p.err
	}
	n, err := v.stream.Read(buf)
	return buf[:n], err
}

// What the page is told once the first bytes are there.
type opening struct {
	Head      []byte `json:"head"` // in base64
	Size      int64  `json:"size"` // of all; -1: not known
	MediaType string `json:"mediaType,omitempty"`
	Name      string `json:"name,omitempty"`
	URL       string `json:"url,omitempty"` // where the origin has it, redacted
	Play      string `json:"play"`          // where a player gets it: below the page
}

// serveOpened waits until the first bytes are there.
func (v *view) serveOpened(w http.ResponseWriter, r *http.Request) {
	select {
	case <-v.opened:
	case <-r.Context().Done():
		return
	}
	if v.err != nil {
		answer(w, http.StatusBadGateway, v.failureOf(v.err))
		return
	}
	info := v.stream.Info()
	o := opening{Head: v.head, Size: info.Size, MediaType: info.MediaType, Name: info.Name, URL: redact.URL(info.URL), Play: v.play}
	if v.opts.Discreet {
		o.URL = ""
	}
	answer(w, http.StatusOK, o)
}

// tell passes an event of the engine on; but that all was read, which is told once it is sent.
func (v *view) tell(e event.Event) {
	if e.Type == event.Done {
		return
	}
	if v.opts.Discreet {
		e.URL, e.Origin, e.Manifest, e.Error = "", "", "", ""
	}
	v.events.add(e)
}

// What the page is told when it fails, as --json tells it.
type failure struct {
	Time   time.Time  `json:"time"`
	Type   event.Type `json:"type"` // "error"
	Error  string     `json:"error"`
	Causes []string   `json:"causes,omitempty"`
	Kind   string     `json:"kind"`
}

// fail tells why there is no more.
func (v *view) fail(err error) {
	if v.ctx.Err() == nil { // else nobody looks
		v.events.finish(v.failureOf(err))
	}
}

func (v *view) failureOf(err error) failure {
	f := failure{Time: time.Now(), Type: "error", Kind: source.KindOf(err).String()}
	f.Error, f.Causes = spate.Explain(err)
	if v.opts.Discreet {
		f.Error, f.Causes = "it failed: "+f.Kind, nil
	}
	return f
}

// take waits until the stream is open, or cannot be; who takes it has it alone, and closes v.read. false: it is not to be read by this
// request, which was answered.
func (v *view) take(w http.ResponseWriter, r *http.Request) bool {
	switch {
	case v.taken.CompareAndSwap(false, true):
	case v.ctx.Err() != nil:
		refuse(w, http.StatusNotFound, noView)
		return false
	default:
		refuse(w, http.StatusConflict, "somebody has this already")
		return false
	}
	select {
	case <-v.opened:
	case <-r.Context().Done():
		v.cancel()
	case <-v.ctx.Done():
	}
	<-v.opened // the stream's context has ended, or it is open
	return true
}
