package sequence_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"spate/format/sequence"
)

// A vector is a stream and what it holds. viewer/static/sequence.js is tested with the same.
type vector struct {
	Name   string     `json:"name"`
	Stream hexBytes   `json:"stream"`
	Files  []hexBytes `json:"files"`
	Cut    *struct {
		Index   int   `json:"index"`
		Missing int64 `json:"missing"`
	} `json:"cut"`
}

// hexBytes are written in hexadecimal.
type hexBytes []byte

func (b *hexBytes) UnmarshalText(text []byte) (err error) {
	*b, err = hex.DecodeString(string(text))
	return err
}

func vectors(t *testing.T) (all []vector) {
	t.Helper()
	text, err := os.ReadFile("../../testdata/sequence/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&all); err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatal("no vectors")
	}
	return all
}

func TestVectors(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	for _, v := range vectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			for name, r := range pieces(v.Stream) {
				v.check(t, name, r)
			}
			for range 20 {
				v.check(t, "in random pieces", &choppy{v.Stream, random})
			}
			if t.Failed() {
				t.Logf("seed %d", seed)
			}
		})
	}
}

// check reads what comes, to the end or the cut.
func (v vector) check(t *testing.T, name string, r io.Reader) {
	t.Helper()
	var want []string
	for _, f := range v.Files {
		want = append(want, string(f))
	}
	files, err := all(r)
	if diff := cmp.Diff(want, files); diff != "" {
		t.Errorf("%s:\n%s", name, diff)
	}
	switch cut, ok := errors.AsType[*sequence.CutError](err); {
	case v.Cut == nil && err != nil:
		t.Errorf("%s: %v", name, err)
	case v.Cut != nil && (!ok || cut.Index != v.Cut.Index || cut.Missing != v.Cut.Missing):
		t.Errorf("%s: %v, want %+v", name, err, *v.Cut)
	}
}

// choppy reads as pieces of random length, some of them empty.
type choppy struct {
	left   []byte
	random *rand.Rand
}

func (c *choppy) Read(p []byte) (int, error) {
	if len(c.left) == 0 {
		return 0, io.EOF
	}
	n := copy(p, c.left[:c.random.IntN(min(len(c.left), 9)+1)])
	c.left = c.left[n:]
	return n, nil
}
