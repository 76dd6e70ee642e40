package assemble_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"spate/assemble"
	"spate/internal/model"
	"spate/source/budget"
	"spate/source/limit"
)

// worlds is how many random worlds each mode reads, a tenth of them with the race detector, which takes six times as long;
// SPATE_WORLDS sets another number, SPATE_SEED the first seed.
func worlds(t *testing.T) (n int, seed uint64) {
	t.Helper()
	n, seed = 10_000, rand.Uint64()
	if underRace() {
		n /= 10
	}
	if s := os.Getenv("SPATE_WORLDS"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	if s := os.Getenv("SPATE_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	return n, seed
}

const worldLimit, worldDepth = 600, 12

// worldModes are the ways in which each world is read. Where mirrors lie, who is asked first decides what is read, and
// with little room that changes with time.
var worldModes = []struct {
	name   string
	opts   func() assemble.Options
	honest bool // not where mirrors lie
}{
	{"in order", func() assemble.Options { return assemble.Options{Ahead: 1} }, false},
	{"ahead", func() assemble.Options { return assemble.Options{Ahead: 5} }, false},
	{"ahead, cached on disk", func() assemble.Options { return assemble.Options{Ahead: 5, CacheMemory: 40} }, false},
	{"ahead, little room", func() assemble.Options {
		return assemble.Options{Ahead: 7, Budget: &budget.Budget{Max: 5000}, Hosts: &limit.Hosts{PerHost: 1}}
	}, true},
}

// TestWorlds holds the assembly against the oracle: whatever the world, the same bytes, and an error where the oracle
// has one, in every mode.
func TestWorlds(t *testing.T) {
	n, seed := worlds(t)
	const shards = 4
	for shard := range shards {
		t.Run(fmt.Sprint("shard ", shard), func(t *testing.T) {
			t.Parallel()
			for i := shard; i < n; i += shards {
				if !checkWorld(t, seed+uint64(i)) {
					return
				}
			}
		})
	}
}

// checkWorld reads one world in every mode: one whose mirrors lie, or one with parts marked (*).
func checkWorld(t *testing.T, seed uint64) bool {
	kind := model.Kind{Lying: seed%2 == 0, Star: seed%2 == 1}
	w, root := model.Random(rand.New(rand.NewPCG(seed, 1)), kind)
	want := w.Read(root, worldLimit, worldDepth)
	for _, mode := range worldModes {
		if mode.honest && kind.Lying {
			continue
		}
		opts := mode.opts()
		opts.MaxDepth, opts.MaxIdleOpens = worldDepth, 3000
		got, err := readWorld(w, root, &opts)
		if problem := compare(got, err, want); problem != "" {
			t.Errorf("SPATE_SEED=%d, %s: %s\nroot %s\n%s", seed, mode.name, problem, root, describe(w))
			return false
		}
	}
	return true
}

func readWorld(w model.World, root string, opts *assemble.Options) ([]byte, error) {
	r, err := assemble.Open(context.Background(), w, root, opts)
	if err != nil {
		return nil, err
	}
	got, err := io.ReadAll(io.LimitReader(r, worldLimit))
	return got, errors.Join(err, r.Close())
}

// compare says how a result differs from the oracle's; "" if it does not.
func compare(got []byte, err error, want model.Result) string {
	out := want.Out[:min(len(want.Out), worldLimit)]
	switch {
	case want.Err == model.ErrSteps || errors.Is(err, io.ErrNoProgress):
		n := min(len(got), len(out))
		if !bytes.Equal(got[:n], out[:n]) {
			return fmt.Sprintf("got %q, want %q", got, out)
		}
	case !bytes.Equal(got, out):
		return fmt.Sprintf("got %q, %v\nwant %q, %v", got, err, out, want.Err)
	case errors.Is(err, assemble.ErrDepth) && want.Err != model.ErrDepth,
		want.Err == model.ErrDepth && !errors.Is(err, assemble.ErrDepth) && len(out) < worldLimit,
		want.Err == model.ErrFailed && err == nil && len(out) < worldLimit,
		want.Err == nil && err != nil:
		return fmt.Sprintf("after %q: got error %v, want %v", got, err, want.Err)
	}
	return ""
}

func describe(w model.World) string {
	var b bytes.Buffer
	for url, n := range w {
		fmt.Fprintf(&b, "%s: manifest=%v break=%d norange=%v nosize=%v\n%q\n", url, n.Manifest, n.Break, n.NoRange, n.NoSize, n.Data)
	}
	return b.String()
}
