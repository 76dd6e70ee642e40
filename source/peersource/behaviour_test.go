package peersource

import (
	"cmp"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"spate/source"
	"spate/source/sourcetest"
)

const ten = "0123456789"

// TestWire: bare messages, one write each, nothing else; one connection to the tracker, and one for each chunk.
func TestWire(t *testing.T) {
	tr := newTracker(t)
	p := newPeer(t, func(c net.Conn, chunk int) bool {
		return sending(strings.Repeat(string(rune('a'+chunk-1)), 4))(c, chunk)
	})
	for chunk := range 3 {
		tr.register(chunk+1, at(p.addr()))
	}
	s := fresh(t, nil)
	for range 2 {
		if res, body, err := sourcetest.Read(t, s, tr.url("1-3?chunk=4&size=12"), source.Range{Off: 2, Len: 5}); err != nil || body != "aabbb" || res.Conn.Addr != p.addr() {
			t.Fatalf("%q, %+v, %v", body, res, err)
		}
	}
	if said, conns := p.messages(); !slices.Equal(said, []string{"REQUEST_CHUNK,1", "REQUEST_CHUNK,2", "REQUEST_CHUNK,1", "REQUEST_CHUNK,2"}) || conns != 4 {
		t.Errorf("a peer was asked %q over %d connections", said, conns)
	}
	said, conns := tr.messages()
	if !slices.Equal(said, []string{"WHERE_CHUNK,1", "WHERE_CHUNK,2", "WHERE_CHUNK,1", "WHERE_CHUNK,2"}) || conns != 1 {
		t.Errorf("the tracker was asked %q over %d connections", said, conns)
	}
	s.CloseIdleConnections()
	if _, body, err := sourcetest.Read(t, s, tr.url("3?chunk=4&size=12"), source.From(0)); err != nil || body != "cccc" {
		t.Errorf("%q, %v", body, err)
	}
	if _, conns := tr.messages(); conns != 2 {
		t.Errorf("%d connections to the tracker, want one more behind CloseIdleConnections", conns)
	}
}

// A try is what becomes of a chunk that some peers have; their order is by chance.
type try struct {
	name  string
	peers func() []gift
	dead  int // addresses more where nobody listens
	query string
	opts  *Options // nil: short
	want  string
	kind  source.Kind // of the error, where want is not all
	text  string      // in it
}

// run does it some times, as chance says who is asked first.
func (tt *try) run(t *testing.T) {
	for range 4 {
		tr := newTracker(t)
		var all []string
		for _, p := range tt.peers() {
			all = append(all, at(newPeer(t, p).addr()))
		}
		for range tt.dead {
			all = append(all, at(dead(t)))
		}
		tr.register(1, all...)
		_, body, err := sourcetest.Read(t, fresh(t, cmp.Or(tt.opts, short)), tr.url("1%s", tt.query), source.From(0))
		tt.check(t, body, err)
	}
}

func (tt *try) check(t *testing.T, body string, err error) {
	t.Helper()
	e, _ := errors.AsType[*source.Error](err)
	switch {
	case tt.text == "" && (err != nil || body != tt.want):
		t.Fatalf("%q, %v, want %q", body, err, tt.want)
	case tt.text == "":
	case e == nil || e.Kind != tt.kind || !strings.Contains(err.Error(), tt.text) || tt.want != anything && !strings.HasPrefix(tt.want, body):
		t.Fatalf("%q, %v, want at most %q and an error of kind %v, %q", body, err, tt.want, tt.kind, tt.text)
	case errors.Is(err, io.EOF) || strings.Contains(err.Error(), "\n"):
		t.Fatalf("%v", err)
	case len(body) > 0 && !errors.Is(err, io.ErrUnexpectedEOF):
		t.Fatalf("%v is not io.ErrUnexpectedEOF", err)
	}
}

const anything = "?"

// A gift is how a peer answers.
type gift = func(net.Conn, int) bool

func many(p ...gift) func() []gift { return func() []gift { return p } }

const sized = "?chunk=10&size=10"

// TestFailures: with sizes, each failure of a peer leads to the next one.
func TestFailures(t *testing.T) {
	right := sending(ten)
	for _, tt := range []try{
		{name: "dead", peers: many(right), dead: 2, want: ten},
		{name: "all dead", peers: many(), dead: 2, kind: source.KindNetwork, text: "connection refused; "},
		{name: "short", peers: many(right, sending(ten[:4])), want: ten},
		{name: "short, and nobody else", peers: many(sending(ten[:4])), want: ten[:4], kind: source.KindNetwork, text: "unexpected EOF: chunk 1: 127.0.0.1:"},
		{name: "breaks", peers: many(right, breaking(ten[:4])), want: ten},
		{name: "silent", peers: many(right, silentAfter("")), want: ten},
		{name: "silent, all of them", peers: many(silentAfter(""), silentAfter("")), kind: source.KindTimeout, text: "no answer within 100ms"},
		{name: "silent in the middle", peers: many(right, silentAfter(ten[:4])), want: ten},
		{name: "does not close", peers: many(silentAfter(ten)), want: ten},
		{name: "has it not", peers: many(right, sending(""), sending("CHUNK_NOT_FOUND")), want: ten},
		{name: "all have it not", peers: many(sending(""), sending("CHUNK_NOT_FOUND")), kind: source.KindStatus, text: "has no such chunk"},
		{name: "has it not, or is dead", peers: many(sending("")), dead: 1, kind: source.KindNetwork, text: "has no such chunk"},
		{name: "other bytes, and short", peers: many(sending("x123"), sending("0123")), want: anything, kind: source.KindCorrupt, text: "other bytes"},
		{name: "too long", peers: many(right, sending(ten+"x")), want: ten},
		{name: "all too long", peers: many(sending(ten + "x")), want: ten, kind: source.KindChanged, text: "longer than its size"},
	} {
		tt.query = sized
		t.Run(tt.name, tt.run)
	}
}

// TestEndWithoutSizes: a chunk ends where two deliveries do.
func TestEndWithoutSizes(t *testing.T) {
	right := sending(ten)
	for _, tt := range []try{
		{name: "two that have it", peers: many(right, right), want: ten},
		{name: "one, who is asked twice", peers: many(right), want: ten},
		{name: "one, and another is dead", peers: many(right), dead: 1, want: ten},
		{name: "cut by one of two", peers: many(right, sending(ten[:4])), want: ten},
		{name: "cut by two of three", peers: many(right, sending(ten[:4]), sending(ten[:7])), want: ten},
		{name: "cut once", peers: atFirst(sending(ten[:4]), right), want: ten},
		{name: "cut, and then gone", peers: atFirst(sending(ten[:4]), breaking("")), want: ten, kind: source.KindNetwork, text: "no second copy"},
		{name: "two that differ", peers: many(right, sending("x123456789")), kind: source.KindCorrupt, text: "other bytes", want: anything},
		{name: "breaks", peers: many(right, breaking(ten[:4])), want: ten},
		{name: "always breaks", peers: many(breaking(ten[:4])), want: ten[:4], kind: source.KindNetwork, text: "unexpected EOF"},
		{name: "does not close", peers: many(silentAfter(ten)), want: ten, kind: source.KindTimeout, text: "silent for 100ms"},
		{name: "empty, which is none", peers: many(sending("")), kind: source.KindStatus, text: "has no such chunk"},
	} {
		t.Run(tt.name, tt.run)
	}
}

// atFirst behaves in one way at the first request, and then in the other.
func atFirst(first, then gift) func() []gift {
	return func() []gift {
		var n atomic.Int32
		return []gift{func(c net.Conn, chunk int) bool {
			if n.Add(1) == 1 {
				return first(c, chunk)
			}
			return then(c, chunk)
		}}
	}
}
