package fetch

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"spate/fetch/journal"
	"spate/internal/farm"
	"spate/source"
)

// TestChaos, of SPATE_SEED where that is set: whatever origins do, together, what becomes the file is one of the objects that they have, and what is left
// after an error is of one, and becomes that file where an origin that behaves has it.
func TestChaos(t *testing.T) { inWorlds(t, 100, chaos) }

// inWorlds runs do in so many worlds, in 50 times as many where SPATE_SOAK is set.
func inWorlds(t *testing.T, worlds int, do func(t *testing.T, r *rand.Rand)) {
	if os.Getenv("SPATE_SOAK") != "" {
		worlds *= 50
	}
	first := rand.Uint64()
	if s := os.Getenv("SPATE_SEED"); s != "" {
		worlds, first = 1, parseSeed(t, s)
	}
	const shards = 4
	for shard := range min(worlds, shards) {
		t.Run(fmt.Sprint("shard", shard), func(t *testing.T) {
			t.Parallel()
			for i := shard; i < worlds; i += shards { // one by one: what has run in parallel is kept until all is over
				seed := first + uint64(i)
				t.Run(fmt.Sprint(seed), func(t *testing.T) { do(t, rand.New(rand.NewPCG(seed, 0))) })
			}
		})
	}
}

// chaos is one world.
func chaos(t *testing.T, r *rand.Rand) {
	right := whole[:1+r.IntN(3*MiB)]
	wrong := other(len(right))
	if r.IntN(3) == 0 {
		wrong = other(1 + r.IntN(3*MiB))
	}
	var has []farm.Resource
	for range 1 + r.IntN(3) {
		has = append(has, chaotic(r, right, wrong))
	}
	s := newScene(t, right, has...)
	o := s.get(r.IntN(9))
	for _, b := range [][]byte{wrong, login.Body} {
		if o.err == nil && bytes.Equal(read(o.path), b) || o.err != nil && o.leftOf(b) {
			right = b
		}
	}
	if o.err == nil {
		o.wantFile(t, right)
		return
	}
	o.wantLeft(t, right)
	settled := s.origin(farm.Resource{Body: right})
	s.into(t.Context(), o, []Mirror{{URL: settled.URL("/x")}}, &ObjectOptions{Hashes: sha256Only, Connections: r.IntN(5)})
	if errors.Is(o.err, source.ErrChanged) { // the first origin lied about the size
		o.wantLeft(t, right)
	} else {
		o.wantFile(t, right)
	}
}

// leftOf says whether what is left is of the object.
func (o *outcome) leftOf(object []byte) bool {
	left, err := journal.Read(o.path + journal.Ext)
	if err != nil {
		return false
	}
	_, ok := o.wrong(object, left.Ranges)
	return ok
}

func parseSeed(t *testing.T, s string) uint64 {
	t.Helper()
	seed, err := strconv.ParseUint(s, 10, 64)
	must(t, err)
	return seed
}

// chaotic is an origin that has the right object, or sometimes another, in changing moods. Whatever breaks does so a few
// times only.
func chaotic(r *rand.Rand, right, wrong []byte) farm.Resource {
	bare, lies := r.IntN(4) == 0, r.IntN(6) == 0
	moods := make([]farm.Resource, 1+r.IntN(6))
	for i := range moods {
		m := &moods[i]
		m.Body, m.Rate = right, int64(4+r.IntN(40))*MiB
		if lies || r.IntN(30) == 0 {
			m.Body = wrong
		}
		if bare {
			m.ETag = farm.NoETag
		}
		misbehave(r, m)
	}
	usual := moods[len(moods)-1]
	moods = append(moods, farm.Resource{Body: usual.Body, ETag: usual.ETag, Rate: usual.Rate}) // and then it settles
	return farm.Then(moods...)
}

func misbehave(r *rand.Rand, m *farm.Resource) {
	where := int64(r.IntN(len(m.Body) + 1))
	switch r.IntN(24) {
	case 0, 1, 2:
		m.BreakAt, m.Reset = where, r.IntN(2) == 0
	case 3, 4, 5:
		m.BreakAfter, m.Reset = where/4, r.IntN(2) == 0
	case 6:
		m.RangeMax = 1 + where/2
	case 7:
		m.RangeMax, m.BreakAfter = 1+where, where/2
	case 8:
		m.NoRange = true
	case 9:
		m.NoRange, m.NoLength, m.BreakAfter = true, true, where
	case 10:
		m.NoLength = true
	case 11:
		m.RangeShift = where - int64(len(m.Body)/2)
	case 12:
		m.RangeOpen = true
	case 13:
		m.NoTotal = true
	case 14:
		m.TotalOff = where
	case 15:
		m.Coding = "gzip"
	case 16:
		m.Status = []int{403, 404, 429, 500, 502, 503}[r.IntN(6)]
	case 17:
		m.Most, m.Status = 1+r.IntN(3), []int{0, 403, 503}[r.IntN(3)]
	case 18:
		m.Garbage = true
	case 19:
		m.LengthOff = 1 + where // too short a length can be taken for the object
	case 20:
		*m = login
	case 21:
		m.NoTotal, m.NoLength, m.BreakAfter = true, true, where
	}
}
