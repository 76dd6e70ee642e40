package fetch

import (
	"io"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"spate/fetch/journal"
	"spate/format/span"
	"spate/sched"
	"spate/source"
)

// That an idle connection is closed is nobody's fault, least of all that of a source which is still being waited for.
func TestIdleConnectionThatIsClosed(t *testing.T) {
	d := newDriver(t.Context(), nil, []Mirror{{URL: "mem:slow"}, {URL: "mem:x"}}, &ObjectOptions{})
	defer d.end()
	d.finish(errOver)
	d.origins[1].answered = true
	c := &conn{d: d, id: 1, work: make(chan sched.Action, 2), source: 1}
	d.conns[1] = c
	c.abort()
	c.run(nil)
	if err := d.origins[0].fault; err != nil || d.failures != 0 {
		t.Errorf("the other source is blamed: %v", err)
	}
}

// Connections of one mirror may be answered at the same time, where no mirror needs to be compared before it is used.
func TestAnswersOfOneMirrorAtOnce(t *testing.T) {
	left := &File{path: filepath.Join(t.TempDir(), "x"), left: &journal.State{
		Header: journal.Header{Size: 8, Pieces: true},
		Ranges: []journal.Range{{Span: span.Span{End: 4}}},
	}}
	pieces := &Pieces{Length: 4, Algorithm: "sha-256", Sums: [][]byte{make([]byte, 32), make([]byte, 32)}}
	d := newDriver(t.Context(), nil, []Mirror{{URL: "mem:x"}}, &ObjectOptions{Left: left, Pieces: pieces})
	defer d.end()
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			res := &source.Resource{Info: source.Info{URL: "mem:x", Size: 8}, Off: 4, Len: 4, Body: io.NopCloser(strings.NewReader(""))}
			if again, err := d.accept(&reading{a: sched.Action{Off: 4, End: 8}, from: 4, res: res}); again || err != nil {
				t.Errorf("again: %v, %v", again, err)
			}
		})
	}
	wg.Wait()
}
