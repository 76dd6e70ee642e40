package gateway_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"spate/gateway"
	"spate/gateway/fill"
	"spate/internal/farm"
)

// onDisk calls f for each file below dir. Files may go meanwhile.
func onDisk(t *testing.T, dir string, f func(path string, info fs.FileInfo)) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return ignoreGone(err)
		}
		info, err := e.Info()
		if err == nil {
			f(path, info)
		}
		return ignoreGone(err)
	})
	if err != nil {
		t.Error(err)
	}
}

func ignoreGone(err error) error {
	if os.IsNotExist(err) {
		return nil
	}
	return err
}

// TestNothingPlainOnDisk: no 32 bytes in a row of what is cached are on disk (each such has 16 in it that begin at a multiple of 16),
// nor is a name of it.
func TestNothingPlainOnDisk(t *testing.T) {
	s := stage(t, nil)
	seed := rand.Uint64()
	film := make([]byte, 3_000_000)
	rnd := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	if _, err := rnd.Read(film); err != nil {
		t.Fatal(err)
	}
	s.put("/secretly-named", film)
	if status, got := s.get(t, s.of("/secretly-named")); status != http.StatusOK || !bytes.Equal(got, film) {
		t.Fatalf("got %d, %d bytes", status, len(got))
	}
	stretches := map[[16]byte]bool{}
	for at := 0; at+16 <= len(film); at += 16 {
		stretches[[16]byte(film[at:])] = true
	}
	total := 0
	onDisk(t, s.dir, func(path string, _ fs.FileInfo) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Error(err)
		}
		total += len(data)
		if bytes.Contains(data, []byte("secretly")) || strings.Contains(path, "secretly") || bytes.Contains(data, []byte(s.Addr())) {
			t.Errorf("%s tells the name", path)
		}
		for at := 0; at+16 <= len(data); at++ {
			if stretches[[16]byte(data[at:])] {
				t.Fatalf("%s has plain bytes at %d", path, at)
			}
		}
	})
	if total < len(film) {
		t.Errorf("only %d bytes are on disk", total)
	}
}

// TestDamageOnDisk: whatever becomes of the cache's files, answers are right.
func TestDamageOnDisk(t *testing.T) {
	s := stage(t, func(_ *gateway.Options, f *fill.Options) { f.Memory, f.BlockSize = 1, 64<<10 })
	const size = 2_000_000
	film := made(1, size)
	s.Serve("/film", film)
	damages := map[string]func(path string, info fs.FileInfo) error{
		"nothing": func(string, fs.FileInfo) error { return nil },
		"flipped": func(path string, info fs.FileInfo) error {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for at := 100; at < len(data); at += 4096 {
				data[at] ^= 1
			}
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			defer f.Close()
			_, err = f.Write(data)
			return err
		},
		"cut":     func(path string, info fs.FileInfo) error { return os.Truncate(path, info.Size()/2) },
		"emptied": func(path string, _ fs.FileInfo) error { return os.Truncate(path, 0) },
		"removed": func(path string, _ fs.FileInfo) error { return os.Remove(path) },
	}
	for _, what := range []string{"nothing", "flipped", "cut", "emptied", "removed", "nothing"} {
		onDisk(t, s.dir, func(path string, info fs.FileInfo) {
			if info.Name() == "lock" {
				return
			}
			if err := damages[what](path, info); err != nil {
				t.Error(err)
			}
		})
		for range 2 {
			if status, got := s.get(t, s.of("/film")); status != http.StatusOK || !bytes.Equal(got, some(film, 0, size)) {
				t.Errorf("%s: got %d, %d bytes, or others", what, status, len(got))
			}
		}
	}
	if s.cache.Stats().Corrupt == 0 {
		t.Error("nothing was found out")
	}
}

// TestBound: two hundred clients read four times as much as the cache may have, which never has more on disk.
func TestBound(t *testing.T) {
	const most, size = 4 << 20, 4 * 4 << 20
	s := stageWith(t, most, func(_ *gateway.Options, f *fill.Options) { f.Memory, f.BlockSize = 1, 64<<10 })
	film := made(1, size)
	s.Serve("/film", film)
	seed := rand.Uint64()
	var clients sync.WaitGroup
	var mu sync.Mutex
	highest := int64(0)
	look := func() {
		mu.Lock()
		defer mu.Unlock()
		highest = max(highest, taken(t, s.dir))
	}
	for i := range uint64(200) {
		clients.Go(func() {
			defer look()
			off := int64(i)*(size/200) + rand.New(rand.NewPCG(seed, i)).Int64N(10_000)
			n := min(int64(size/200), size-off)
			status, got := s.get(t, s.of("/film"), "Range", fmt.Sprintf("bytes=%d-%d", off, off+n-1))
			if status != http.StatusPartialContent || !bytes.Equal(got, some(film, off, n)) {
				t.Errorf("seed %d: %d from %d: got %d, %d bytes", seed, n, off, status, len(got))
			}
		})
	}
	clients.Wait()
	st := s.cache.Stats()
	if highest > most || st.Bytes > most || st.Evicted == 0 || st.Bytes < most/2 {
		t.Errorf("%d bytes on disk at most; %+v", highest, st)
	}
}

// TestWithoutACache: what is read is kept in memory alone.
func TestWithoutACache(t *testing.T) {
	s := stage(t, func(g *gateway.Options, f *fill.Options) { g.Cache, f.Cache = nil, nil })
	film := made(1, 3_000_000)
	s.Serve("/film", film)
	for range 2 {
		if status, got := s.get(t, s.of("/film")); status != http.StatusOK || !bytes.Equal(got, some(film, 0, 3_000_000)) {
			t.Errorf("got %d, %d bytes", status, len(got))
		}
	}
	if n := s.Count(farm.Arrived, "/film"); n > 1 {
		t.Errorf("%d requests", n)
	}
}
