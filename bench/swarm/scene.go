package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"
)

// A scene is what is to be done: a seed that has all of a file, and peers that have nothing, each with its uplink.
type scene struct {
	peers, chunks int
	size          int
	uplinks       []int64         // of the seed, and then of the peers, in bits a second
	joins         []time.Duration // when each peer begins
	late, mixed   bool
}

func (s *scene) String() string {
	text := fmt.Sprintf("N=%d M=%d, %d MiB", s.peers, s.chunks, s.size>>20)
	if s.mixed {
		text += ", mixed uplinks"
	}
	if s.late {
		text += ", half of them join late"
	}
	return text
}

// newScene gives everybody the rate; where they are mixed, peers have half of it, all of it, or twice as much. Where some are late,
// every second peer begins when half of the file could have been sent.
func newScene(peers, chunks, size int, rate int64, mixed, late bool) *scene {
	s := &scene{peers: peers, chunks: chunks, size: size, mixed: mixed, late: late, uplinks: []int64{rate}, joins: make([]time.Duration, peers)}
	for i := range peers {
		uplink := rate
		if mixed {
			uplink = rate * []int64{1, 2, 4}[i%3] / 2
		}
		s.uplinks = append(s.uplinks, uplink)
		if late && i%2 == 1 {
			s.joins[i] = time.Duration(float64(size*8) / float64(rate) * float64(time.Second) / 2)
		}
	}
	return s
}

// payload is what of a packet is content: 1448 of 1514 bytes, with Ethernet's, IP's and TCP's headers and a time stamp.
const payload = 1448.0 / 1514

// bound is how long it takes at least: the seed has to send every byte once, and all uplinks together have to carry every byte
// to every peer (J. Mundinger, R. Weber, G. Weiss, "Optimal scheduling of peer-to-peer file dissemination", 2008). A peer that is
// late can help only from then on, and its own copy has to come over all uplinks at most.
func (s *scene) bound() time.Duration {
	bits, rate := float64(s.size)*8/payload, 0.0
	for _, r := range s.uplinks {
		rate += float64(r)
	}
	all := bits * float64(s.peers)
	for i, at := range s.joins {
		all += float64(s.uplinks[i+1]) * at.Seconds() // what an uplink could have carried before it was there
	}
	seconds := max(bits/float64(s.uplinks[0]), all/rate)
	for _, at := range s.joins {
		seconds = max(seconds, at.Seconds()+bits/rate)
	}
	return time.Duration(seconds * float64(time.Second))
}

// A field is the folders of one run.
type field struct {
	*scene
	dir     string
	file    string // the whole
	content []byte
	digest  [sha256.Size]byte
}

// newField writes the file into a folder that may be there already.
func newField(s *scene, dir string) (*field, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o777); err != nil { // opentracker becomes nobody
		return nil, err
	}
	f := &field{scene: s, dir: dir, file: filepath.Join(dir, "whole"), content: make([]byte, s.size)}
	seed := rand.NewChaCha8([32]byte{1})
	_, _ = seed.Read(f.content) // never fails
	f.digest = sha256.Sum256(f.content)
	return f, os.WriteFile(f.file, f.content, 0o666)
}

// folder is that of a node, which is made anew: 0 is the seed.
func (f *field) folder(program string, i int) (string, error) {
	dir := filepath.Join(f.dir, fmt.Sprintf("%s-%d", program, i))
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	return dir, os.MkdirAll(dir, 0o777)
}

// check compares a file with the whole.
func (f *field) check(path string) error {
	got, err := os.ReadFile(path)
	if err == nil && !bytes.Equal(got, f.content) {
		err = fmt.Errorf("%s is not what the seed has", path)
	}
	return err
}

// await runs fn for each peer at its time and returns when each has come to an end, from the beginning of all.
func (f *field) await(ctx context.Context, fn func(ctx context.Context, peer int) error) ([]time.Duration, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	begin, ends, over := time.Now(), make([]time.Duration, f.peers), make(chan struct{}, f.peers)
	for i := range f.peers {
		go func() {
			defer func() { over <- struct{}{} }()
			select {
			case <-time.After(f.joins[i]):
			case <-ctx.Done():
				return
			}
			if err := fn(ctx, i+1); err != nil {
				cancel(fmt.Errorf("peer %d: %w", i+1, err))
			}
			ends[i] = time.Since(begin)
		}()
	}
	for range f.peers {
		<-over
	}
	return ends, context.Cause(ctx)
}
