package assemble_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"spate/assemble"
	"spate/internal/model"
	"spate/source"
)

// left is what a reader has had of a stream, and where from.
type left struct {
	got    []byte
	places []assemble.Place
}

// read opens the stream behind what is left of it, if that is anything, and reads up to limit bytes of it in all.
func (a *left) read(w source.Source, root string, opts assemble.Options, limit int) error {
	opts.Begin = func(source.Info, bool) (*assemble.Prior, error) {
		return &assemble.Prior{Size: int64(len(a.got)), Bytes: bytes.NewReader(a.got), Places: a.places}, nil
	}
	opts.Place = func(p assemble.Place) error {
		a.places = append(a.places, p)
		return nil
	}
	opts.Rewind = func(off int64) error {
		a.got = a.got[:off:off]
		return nil
	}
	r, err := assemble.Open(context.Background(), w, root, &opts)
	if err != nil {
		return err
	}
	_, err = io.Copy((*sink)(a), io.LimitReader(r, int64(limit-len(a.got))))
	return errors.Join(err, r.Close())
}

type sink left

func (s *sink) Write(p []byte) (int, error) {
	s.got = append(s.got, p...)
	return len(p), nil
}

// thin drops some of the places, but none near the end, as a journal does.
func (a *left) thin(rnd *rand.Rand) {
	var kept []assemble.Place
	for i, p := range a.places {
		if i >= len(a.places)-2 || rnd.IntN(2) == 0 {
			kept = append(kept, p)
		}
	}
	a.places = kept
}

// TestResumedWorlds cuts streams at random and goes on with them: the whole is that of the oracle.
func TestResumedWorlds(t *testing.T) {
	n, seed := worlds(t)
	for i := range n {
		if !checkResumed(t, seed+uint64(i)) {
			return
		}
	}
}

func checkResumed(t *testing.T, seed uint64) bool {
	rnd := rand.New(rand.NewPCG(seed, 2))
	w, root := model.Random(rnd, model.Kind{Same: true, Star: rnd.IntN(2) == 0})
	want := w.Read(root, worldLimit, worldDepth)
	if want.Err == model.ErrSteps || want.Err == model.ErrDepth {
		return true
	}
	for _, mode := range worldModes {
		opts := mode.opts()
		opts.MaxDepth, opts.MaxIdleOpens = worldDepth, 3000
		var a left
		var err error
		cuts := ""
		for len(a.got) < min(len(want.Out), worldLimit) && len(cuts) < 20 {
			cut := len(a.got) + 1 + rnd.IntN(min(len(want.Out), worldLimit)-len(a.got))
			cuts += fmt.Sprintf(" %d", cut)
			if err = a.read(w, root, opts, cut); err != nil || len(a.got) < cut {
				break
			}
			if rnd.IntN(3) == 0 {
				a.thin(rnd)
			}
		}
		if err == nil {
			err = a.read(w, root, opts, worldLimit)
		}
		if problem := compare(a.got, err, want); problem != "" {
			t.Errorf("SPATE_SEED=%d, %s, cut at%s: %s\nroot %s\n%splaces %+v", seed, mode.name, cuts, problem, root, describe(w), a.places)
			return false
		}
	}
	return true
}

// TestResumedChangedWorlds goes on with streams of which all data have changed meanwhile, to capitals: each part is of the one
// or of the other, if there is no error.
func TestResumedChangedWorlds(t *testing.T) {
	n, seed := worlds(t)
	for i := range n {
		if !checkChanged(t, seed+uint64(i)) {
			return
		}
	}
}

func checkChanged(t *testing.T, seed uint64) bool {
	rnd := rand.New(rand.NewPCG(seed, 3))
	w, root := model.Random(rnd, model.Kind{Same: true, Star: rnd.IntN(2) == 0})
	want := w.Read(root, worldLimit, worldDepth)
	if want.Err == model.ErrSteps || want.Err == model.ErrDepth || len(want.Out) == 0 {
		return true
	}
	mode := worldModes[rnd.IntN(len(worldModes))]
	opts := mode.opts()
	opts.MaxDepth, opts.MaxIdleOpens = worldDepth, 3000
	validators := rnd.IntN(2) == 0
	for _, n := range w {
		n.NoValid = !validators
	}
	var a left
	cut := 1 + rnd.IntN(min(len(want.Out), worldLimit))
	if err := a.read(w, root, opts, cut); err != nil {
		return true // without validators some cannot be gone on with
	}
	for _, n := range w {
		if !n.Manifest {
			n.Data, n.Version = bytes.ToUpper(n.Data), "2"
		}
	}
	err := a.read(w, root, opts, worldLimit)
	if problem := a.mixed(); problem != "" {
		t.Errorf("SPATE_SEED=%d, %s, cut at %d: %s\n%q, %v\nroot %s\n%splaces %+v", seed, mode.name, cut, problem, a.got, err, root, describe(w), a.places)
		return false
	}
	return true
}

// mixed says which part has bytes of both; "" for none.
func (a *left) mixed() string {
	for i, p := range a.places {
		begin, end := p.At-p.Off, int64(len(a.got))
		for _, next := range a.places[i+1:] {
			if next.At-next.Off != begin {
				end = next.At - next.Off
				break
			}
		}
		if begin > end {
			continue // it was begun anew
		}
		if part := a.got[begin:end]; !bytes.Equal(part, bytes.ToLower(part)) && !bytes.Equal(part, bytes.ToUpper(part)) {
			return fmt.Sprintf("part %d is a mixture: %q", p.Part, part)
		}
	}
	return ""
}
