package assemble_test

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"spate/assemble"
	"spate/internal/model"
	"spate/source/limit"
)

// TestWorldsAtLeisure: random worlds against the oracle, by a reader that wants few bytes or many, and that takes its
// time now and then; who reads the head, it or its fetcher, changes with that. In a bubble of synctest a deadlock is
// found at once.
func TestWorldsAtLeisure(t *testing.T) {
	_, seed := worlds(t)
	for i := range uint64(1000) {
		rnd := rand.New(rand.NewPCG(seed+i, 3))
		kind := model.Kind{Star: rnd.IntN(2) == 0}
		kind.Lying = !kind.Star && rnd.IntN(2) == 0
		w, root := model.Random(rand.New(rand.NewPCG(seed+i, 1)), kind)
		want := w.Read(root, worldLimit, worldDepth)
		opts := &assemble.Options{MaxDepth: worldDepth, MaxIdleOpens: 3000, Ahead: 1 + rnd.IntN(6), CacheMemory: 40}
		if !kind.Lying {
			opts.Budget, opts.Hosts = budgetOf(1+rnd.Int64N(20_000)), &limit.Hosts{PerHost: 1 + rnd.IntN(3)}
		}
		synctest.Test(t, func(t *testing.T) {
			var got []byte
			var err error
			within(t, "reading", func() { got, err = readAtLeisure(w, root, opts, rnd) })
			if problem := compare(got, err, want); problem != "" {
				t.Errorf("SPATE_SEED=%d: %s\nroot %s, %+v\n%s", seed+i, problem, root, opts, describe(w))
			}
		})
	}
}

func readAtLeisure(w model.World, root string, opts *assemble.Options, rnd *rand.Rand) ([]byte, error) {
	r, err := assemble.Open(context.Background(), w, root, opts)
	if err != nil {
		return nil, err
	}
	var got []byte
	buf := make([]byte, 40)
	for err == nil && len(got) < worldLimit {
		var n int
		n, err = r.Read(buf[:min(1+rnd.IntN(len(buf)), worldLimit-len(got))])
		got = append(got, buf[:n]...)
		if rnd.IntN(3) == 0 {
			<-time.After(time.Duration(rnd.IntN(400)) * time.Microsecond)
		}
	}
	if err == io.EOF {
		err = nil
	}
	return got, errors.Join(err, r.Close())
}
