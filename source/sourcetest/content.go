package sourcetest

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"spate/source"
)

func testContent(t *testing.T, h Harness) {
	for _, n := range []int{0, 1, 4095, 4096, 4097, 1 << 20} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			content := Content(n, 1)
			url := h.Put(t, name(t), content)
			if err := readAndCheck(t.Context(), h.Source, url, source.From(0), content); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("reader", func(t *testing.T) {
		content := Content(10_000, 2)
		res := open(t, h.Source, h.Put(t, name(t), content), source.From(0))
		if err := iotest.TestReader(res.Body, content); err != nil {
			t.Error(err)
		}
	})
}

func testRanges(t *testing.T, h Harness) {
	const n = 1000
	content := Content(n, 3)
	url := h.Put(t, name(t), content)
	for _, off := range []int64{0, 1, 499, n - 1, n, n + 1, 1 << 40} {
		for _, length := range []int64{-1, 0, 1, n - 1, n, n + 1, math.MaxInt64} {
			rng := source.Range{Off: off, Len: length}
			t.Run(fmt.Sprintf("%d+%d", off, length), func(t *testing.T) { testRange(t, h, url, rng, content) })
		}
	}
	t.Run("of nothing", func(t *testing.T) {
		url := h.Put(t, name(t), nil)
		for _, rng := range []source.Range{{Off: 0, Len: 0}, {Off: 0, Len: 1}, {Off: 1, Len: -1}} {
			testRange(t, h, url, rng, nil)
		}
	})
}

func testRange(t *testing.T, h Harness, url string, rng source.Range, content []byte) {
	t.Helper()
	res, err := h.Source.Open(t.Context(), url, rng)
	if err != nil {
		if e := sourceError(t, err); rng.Off < int64(len(content)) || e.Kind != source.KindProtocol {
			t.Errorf("%+v: %v", rng, err)
		}
		return
	}
	if h.Seekable && res.Off != rng.Off && len(content) > 0 {
		t.Errorf("%+v is answered from %d", rng, res.Off)
	}
	if rng.Off > 0 && rng.Off >= int64(len(content)) && res.Off == rng.Off && (res.Len != 0 || res.Size != int64(len(content))) {
		t.Errorf("%+v: Len %d, Size %d, want 0 and %d", rng, res.Len, res.Size, len(content))
	}
	if err := check(res, rng, content); err != nil {
		t.Errorf("%+v: %v", rng, err)
	}
}

func testFragment(t *testing.T, h Harness) {
	content := Content(100, 4)
	url := h.Put(t, name(t), content)
	res := open(t, h.Source, url+"#sha256=00ff&size=100", source.From(0))
	if strings.Contains(res.URL, "#") {
		t.Errorf("URL = %q, with a fragment", res.URL)
	}
	if err := check(res, source.From(0), content); err != nil {
		t.Error(err)
	}
}

// testValidator: the same bytes have the same validator, whatever range is asked for.
func testValidator(t *testing.T, h Harness) {
	url := h.Put(t, name(t), Content(100, 5))
	var validators []string
	for _, rng := range []source.Range{source.From(0), source.From(0), source.From(50), {Off: 0, Len: 1}} {
		res := open(t, h.Source, url, rng)
		_ = res.Body.Close()
		validators = append(validators, res.Validator)
	}
	if len(slices.Compact(slices.Clone(validators))) > 1 {
		t.Errorf("validators differ: %q", validators)
	}
}

func testDialer(t *testing.T, h Harness) {
	d, ok := h.Source.(source.Dialer)
	if !ok {
		t.Fatalf("%T has no Dial", h.Source)
	}
	content := Content(50_000, 6)
	url := h.Put(t, name(t), content)
	s, err := d.Dial(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	for _, rng := range []source.Range{source.From(0), {Off: 100, Len: 200}, source.From(49_999)} {
		if err := readAndCheck(t.Context(), s, url, rng, content); err != nil {
			t.Errorf("%+v: %v", rng, err)
		}
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
}

// testClose: a body can be left early, closed twice, and is not read afterwards.
func testClose(t *testing.T, h Harness) {
	for _, n := range []int{100, 1 << 20} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			content := Content(n, 7)
			res := open(t, h.Source, h.Put(t, name(t), content), source.From(0))
			first := make([]byte, 10)
			got, err := res.Body.Read(first)
			if err != nil || !bytes.HasPrefix(content, first[:got]) {
				t.Errorf("Read = %d, %v", got, err)
			}
			if err := res.Body.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
			_ = res.Body.Close()
			if n, err := res.Body.Read(first); n > 0 || err == nil || err == io.EOF {
				t.Errorf("Read after Close = %d, %v", n, err)
			}
		})
	}
}
