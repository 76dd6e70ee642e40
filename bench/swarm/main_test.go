package main

import (
	"context"
	"crypto/sha1"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"spate/event"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The sizes are of so many bytes that the headers around them come to whole seconds.
const second = 1448 * 1000 // bytes of content in what 12,112,000 bits carry
const rate = 1514 * 1000 * 8

func TestBound(t *testing.T) {
	for _, c := range []struct {
		name        string
		peers       int
		late        bool
		uplinks     []int64
		joins, want time.Duration
	}{
		{name: "one peer: the seed has to send all", peers: 1, want: 10 * time.Second},
		{name: "as many uplinks as copies, and the seed's", peers: 8, want: 10 * time.Second},
		{name: "peers that give nothing", peers: 4, uplinks: []int64{rate, 0, 0, 0, 0}, want: 40 * time.Second},
		{name: "a fast seed", peers: 4, uplinks: []int64{4 * rate, rate, rate, rate, rate}, want: 5 * time.Second},
		{name: "one of two is late, and the seed has to send all", peers: 2, late: true, want: 10 * time.Second},
		{name: "very late: it gets its copy from all", peers: 2, joins: 100 * time.Second, want: 100*time.Second + 10*time.Second/3},
	} {
		s := newScene(c.peers, 64, 10*second, rate, false, c.late)
		if c.uplinks != nil {
			s.uplinks = c.uplinks
		}
		if c.joins > 0 {
			s.joins[1] = c.joins
		}
		if got := s.bound(); (got - c.want).Abs() > time.Microsecond {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestBoundOfLatePeers(t *testing.T) {
	s := newScene(8, 64, 10*second, rate, false, true)
	// 80 s' worth of copies, 5 uplinks, and 4 more from when half of the file could have been sent, without its headers.
	at := s.joins[1].Seconds()
	want := (80 + 4*at) / 9
	if got := s.bound().Seconds(); got < want-1e-6 || got > want+1e-6 || at < 4.7 || at > 5 {
		t.Errorf("%v, want %v; they join at %v", got, want, at)
	}
}

func TestFairness(t *testing.T) {
	for _, c := range []struct {
		sent []int64
		want float64
	}{
		{[]int64{5, 5, 5, 5}, 1},
		{[]int64{7, 0, 0, 0}, 0.25},
		{[]int64{1, 3}, 0.8},
		{[]int64{0, 0}, 1},
		{nil, 1},
	} {
		if got := fairness(c.sent); got != c.want {
			t.Errorf("%v: %v, want %v", c.sent, got, c.want)
		}
	}
}

func TestScene(t *testing.T) {
	s := newScene(4, 64, 32<<20, 20e6, true, true)
	if want := "N=4 M=64, 32 MiB, mixed uplinks, half of them join late"; s.String() != want {
		t.Errorf("%q, want %q", s, want)
	}
	for i, want := range []int64{20e6, 10e6, 20e6, 40e6, 10e6} {
		if s.uplinks[i] != want {
			t.Errorf("uplink %d: %d, want %d", i, s.uplinks[i], want)
		}
	}
	for i, join := range s.joins {
		if isLate := i%2 == 1; isLate != (join > 0) {
			t.Errorf("peer %d joins at %v", i+1, join)
		}
	}
	o := options{all: true, size: 1 << 20, rate: 1e6}
	seen := map[string]bool{}
	for _, s := range o.scenes() {
		seen[s.String()] = true
	}
	if len(seen) != 8 || !seen["N=32 M=256, 1 MiB, half of them join late"] {
		t.Errorf("%v", seen)
	}
}

func TestTorrent(t *testing.T) {
	meta, hash := torrent("http://t/announce", "/some/where/whole", []byte("abcdefgh"), 5)
	one, two := sha1.Sum([]byte("abcde")), sha1.Sum([]byte("fgh"))
	info := "d6:lengthi8e4:name5:whole12:piece lengthi5e6:pieces40:" + string(one[:]) + string(two[:]) + "e"
	if want := "d8:announce17:http://t/announce4:info" + info + "e"; string(meta) != want {
		t.Errorf("%q, want %q", meta, want)
	}
	if want := sha1.Sum([]byte(info)); hash != want {
		t.Errorf("%x, want %x", hash, want)
	}
}

func TestAbandoned(t *testing.T) {
	list := "spate-swarm-12-3 (id: 4)\nspate-swarm-12\nspate-swarm-13-0\nother\nspate-swarm-x\nspate-swarm-\n"
	got := abandoned(list, func(pid int) bool { return pid == 13 })
	if want := "spate-swarm-12-3 spate-swarm-12"; strings.Join(got, " ") != want {
		t.Errorf("%q, want %q", got, want)
	}
	if !isAlive(os.Getpid()) {
		t.Error("this process is not alive")
	}
}

func TestBusy(t *testing.T) {
	if got, err := parseBusy("cpu  100 20 3 999 0 7 8 0 0 0\ncpu0 1 2 3\n"); err != nil || got != 1230*time.Millisecond {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := parseBusy("intr 1"); err == nil {
		t.Error("no error")
	}
}

func TestLine(t *testing.T) {
	f := &field{scene: newScene(2, 8, 10*second, rate, false, false)}
	o := outcome{
		ends: []time.Duration{20 * time.Second, 12500 * time.Millisecond}, sent: []int64{15 * 1514 * 1000, 5, 5},
		given: []tally{{chunks: 12, broken: 1}}, messages: 345, cpu: time.Second,
	}
	got := strings.Join(strings.Fields(o.line("spate", f)), " ")
	if want := "spate 20.00 s 0.50 1.50 12 1 345 1.00 1.0 s 0.0 s"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	o.given = nil
	if got := o.line("aria2", f); !strings.Contains(got, "-    -        -") {
		t.Errorf("what was not counted is a figure: %q", got)
	}
}

// events is what a peer tells.
type events struct {
	*strings.Reader
	closed chan struct{}
}

func (e events) Close() error {
	close(e.closed)
	return nil
}

func TestFollow(t *testing.T) {
	told := events{strings.NewReader(`{"type":"listening"}
a line in words
{"type":"served","chunk":1,"bytes":10}
{"type":"served","chunk":2,"bytes":4,"error":"reset"}
{"type":"served","chunk":2,"error":"gone while it waited"}
{"type":"done"}
{"type":"served","chunk":3,"bytes":10}
{"type":"done"}
`), make(chan struct{})}
	p := follow(told)
	if err := p.awaitComplete(context.Background()); err != nil {
		t.Error(err)
	}
	if got, want := p.awaitEnd(), (tally{chunks: 2, broken: 1, bytes: 24}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	<-told.closed
	short := follow(events{strings.NewReader(`{"type":"` + string(event.Listening) + "\"}\n"), make(chan struct{})})
	if err := short.awaitComplete(context.Background()); !errors.Is(err, errEnded) {
		t.Errorf("%v, want %v", err, errEnded)
	}
}

func TestAwait(t *testing.T) {
	f := &field{scene: newScene(3, 8, 1, rate, false, false)}
	broken := errors.New("broken")
	_, err := f.await(context.Background(), func(ctx context.Context, peer int) error {
		if peer == 2 {
			return broken
		}
		<-ctx.Done() // as one does that waits for the others
		return context.Cause(ctx)
	})
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "peer 2") {
		t.Errorf("%v, want the error of peer 2", err)
	}
	ends, err := f.await(context.Background(), func(context.Context, int) error { return nil })
	if err != nil || len(ends) != 3 {
		t.Errorf("%v, %v", ends, err)
	}
}

func TestField(t *testing.T) {
	f, err := newField(newScene(2, 3, 10, rate, false, false), filepath.Join(t.TempDir(), "run"))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.check(f.file); err != nil {
		t.Error(err)
	}
	dir, err := f.folder("spate", 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.split(dir, true); err != nil {
		t.Fatal(err)
	}
	var whole []byte
	for _, name := range []string{"chunk_1", "chunk_2", "chunk_3"} {
		part, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		whole = append(whole, part...)
	}
	list, err := os.ReadFile(filepath.Join(dir, "local_chunks.txt"))
	if err != nil || string(list) != "1,chunk_1\n2,chunk_2\n3,chunk_3\n3,LASTCHUNK\n" || string(whole) != string(f.content) {
		t.Errorf("%q, %v; the chunks are the whole: %v", list, err, string(whole) == string(f.content))
	}
	if err := os.WriteFile(f.file, whole[1:], 0o666); err != nil {
		t.Fatal(err)
	}
	if f.check(f.file) == nil {
		t.Error("a file that is cut short is taken for the whole")
	}
}
