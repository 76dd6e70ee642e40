package assemble_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"testing"
	"testing/synctest"

	"spate/assemble"
	"spate/source"
	"spate/source/limit"
)

// steps reads plan while the gates are opened, one after the other, each once nothing more happens by itself.
func steps(t *testing.T, src source.Source, opts *assemble.Options, gates ...chan struct{}) *outcome {
	go func() {
		for _, gate := range gates {
			synctest.Wait()
			close(gate)
		}
	}()
	return read(t, src, plan, opts)
}

// emptyBody breaks before its first byte, once gate is open.
type emptyBody struct {
	io.Closer
	gate <-chan struct{}
	over <-chan struct{}
	url  string
}

func (b *emptyBody) Read([]byte) (int, error) {
	select {
	case <-b.gate:
	case <-b.over:
	}
	return 0, &source.Error{Op: "read", URL: b.url, Kind: source.KindNetwork, Err: io.ErrUnexpectedEOF}
}

// breaksEmpty is src with answers of url that break before their first byte.
func breaksEmpty(src source.Source, url string, gate <-chan struct{}) source.Source {
	return source.Func(func(ctx context.Context, u string, rng source.Range) (*source.Resource, error) {
		res, err := src.Open(ctx, u, rng)
		if err == nil && u == url {
			res.Body = &emptyBody{Closer: res.Body, gate: gate, over: ctx.Done(), url: u}
		}
		return res, err
	})
}

// TestFailoverToWhatIsBeingAsked: the first part goes on with B while a later part waits for B's answer.
func TestFailoverToWhatIsBeingAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		data := text("b", 3000)
		broken, answered := make(chan struct{}), make(chan struct{})
		m := library(map[string]*thing{
			memA: {data: data}, memB: {data: data, answer: answered},
			plan: {data: lines("(*)", memA, memB, "--", "(*)", memB)},
		})
		out := steps(t, breaksEmpty(m, memA, broken), &assemble.Options{Ahead: 16}, broken, answered)
		out.want(t, append(data[:len(data):len(data)], data...))
		m.wantAsked(t, map[string]int{memB: 1})
		m.wantNothingOpen(t)
	})
}

// TestFailoverToWhatIsRefused: what a later part has asked for in vain, while the first waited too, is not asked again.
func TestFailoverToWhatIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		data := text("c", 3000)
		broken, answered := make(chan struct{}), make(chan struct{})
		m := library(map[string]*thing{
			memA: {data: data}, memB: {gone: true, answer: answered}, memC: {data: data},
			plan: {data: lines("(*)", memA, memB, memC, "--", "(*)", memB, memC)},
		})
		out := steps(t, breaksEmpty(m, memA, broken), &assemble.Options{Ahead: 16}, broken, answered)
		out.want(t, append(data[:len(data):len(data)], data...))
		m.wantAsked(t, map[string]int{memB: 1, memC: 1})
		m.wantNothingOpen(t)
	})
}

// asDocument is src with url answering as a manifest that its name does not tell.
func asDocument(src source.Source, url string) source.Source {
	return source.Func(func(ctx context.Context, u string, rng source.Range) (*source.Resource, error) {
		res, err := src.Open(ctx, u, rng)
		if err == nil && u == url {
			res.MediaType = "text/parts-manifest"
		}
		return res, err
	})
}

// TestBehindAManifestThatWasNone: what was being asked for, for a part that then had to wait, is not asked for again.
func TestBehindAManifestThatWasNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		data := text("b", 3000)
		known, answered := make(chan struct{}), make(chan struct{})
		m := library(map[string]*thing{
			memA: {data: lines(memC), answer: known}, memB: {data: data, answer: answered}, memC: {data: text("c", 10)},
			plan: {data: lines(memA, "--", "(*)", memB, "--", "(*)", memB)},
		})
		out := steps(t, asDocument(m, memA), &assemble.Options{Ahead: 16}, known, answered)
		want := append(text("c", 10), data...)
		out.want(t, append(want, data...))
		m.wantAsked(t, map[string]int{memB: 1})
		m.wantNothingOpen(t)
	})
}

// TestAbandonedBeforeTheAnswer: nobody waits any more for what turns out to be a manifest, or not to be there.
func TestAbandonedBeforeTheAnswer(t *testing.T) {
	for _, b := range []*thing{{data: lines(memC)}, {gone: true}} {
		synctest.Test(t, func(t *testing.T) {
			known, answered, held := make(chan struct{}), make(chan struct{}), make(chan struct{})
			b.answer = answered
			m := library(map[string]*thing{
				memA: {data: lines(memC), answer: known}, memB: b, memC: {data: text("c", 10), hold: held, holdAt: 5},
				plan: {data: lines(memA, "--", "(*)", memB, memC)},
			})
			src := asDocument(asDocument(m, memA), memB)
			out := steps(t, src, &assemble.Options{Ahead: 16}, known, answered, held)
			out.want(t, append(text("c", 10), text("c", 10)...))
			m.wantNothingOpen(t)
		})
	}
}

// TestClosedBeforeTheAnswer: closing the stream ends what is being asked for.
func TestClosedBeforeTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := library(map[string]*thing{
			memA: {data: text("a", 10)}, memB: {data: text("b", 10), answer: make(chan struct{})},
			plan: {data: lines(memA, "--", "(*)", memB)},
		})
		s := open(t, m, plan, &assemble.Options{Ahead: 16})
		s.want(text("a", 10))
		synctest.Wait()
		within(t, "closing", func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		m.wantNothingOpen(t)
	})
}

// TestHeadTakesNoMarkedSlot: the head needs a connection to the host that parts marked (*) are being asked of.
func TestHeadTakesNoMarkedSlot(t *testing.T) {
	for per := 1; per <= 3; per++ {
		synctest.Test(t, func(t *testing.T) {
			broken, answered := make(chan struct{}), make(chan struct{})
			one, two, three := text("1", 3000), text("2", 3000), text("3", 3000)
			m := library(map[string]*thing{
				memA: {data: one}, "mem://b/1": {data: one},
				"mem://b/2": {data: two, answer: answered}, "mem://b/3": {data: three, answer: answered},
				plan: {data: lines(memA, "mem://b/1", "--", "(*)", "mem://b/2", "--", "(*)", "mem://b/3")},
			})
			opts := &assemble.Options{Ahead: 16, Hosts: &limit.Hosts{PerHost: per}}
			out := steps(t, breaksEmpty(m, memA, broken), opts, broken, answered)
			out.want(t, append(append(one, two...), three...))
			m.wantAsked(t, map[string]int{"mem://b/1": 1, "mem://b/2": 1, "mem://b/3": 1})
			m.wantNothingOpen(t)
		})
	}
}

// TestFillThatFails: what is being fetched for parts ahead has not the digest that was promised of it for the first of
// them, or breaks once. The body waits until all is done that can be done ahead.
func TestFillThatFails(t *testing.T) {
	a, b := text("a", 3000), text("b", 3000)
	for _, c := range []struct {
		name     string
		manifest []byte
		a        thing
		want     []byte
		asked    map[string]int
	}{
		{"another digest", lines("(*)", verse, "--", "(*)", memA+"#sha256="+digest(b), memB, "--", "(*)"+memA, "--", "(*)"+memA, "--", "(*)"+memA),
			thing{data: a}, slices.Concat(b, a, a, a), map[string]int{memA: 2, memB: 1}},
		{"it breaks", lines("(*)", verse, "--", "(*)", memA, memB, "--", "(*)", memA, memB, "--", "(*)"+memA),
			thing{data: a, cutAt: 2500, cuts: 1}, slices.Concat(a, a, a), map[string]int{memA: 2, memB: 0}},
	} {
		for _, ahead := range []int{1, 2, 16} {
			t.Run(fmt.Sprint(c.name, ", ahead ", ahead), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					fetched, begun := make(chan struct{}), make(chan struct{})
					th := c.a
					th.hold, th.holdAt = fetched, 2000
					m := library(map[string]*thing{plan: {data: c.manifest}, verse: {data: []byte("v"), hold: begun}, memA: &th, memB: {data: b}})
					var got taken
					opts := &assemble.Options{Ahead: ahead, Rewind: got.rewind}
					go func() {
						for _, gate := range []chan struct{}{fetched, begun} {
							synctest.Wait()
							close(gate)
						}
					}()
					r := open(t, m, plan, opts)
					if _, err := io.Copy(&got, r); err != nil {
						t.Error(whole(err))
					}
					if want := append([]byte("v"), c.want...); !bytes.Equal(got.data, want) {
						t.Errorf("got %d bytes, want %d; they differ at %d", len(got.data), len(want), differAt(got.data, want))
					}
					m.wantAsked(t, c.asked)
				})
			})
		}
	}
}

// taken is what was read of a stream that takes back what proves wrong.
type taken struct{ data []byte }

func (k *taken) Write(p []byte) (int, error) {
	k.data = append(k.data, p...)
	return len(p), nil
}

func (k *taken) rewind(off int64) error {
	k.data = k.data[:off]
	return nil
}
