package main

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"spate/internal/farm"
)

// A mill makes content, no faster than 2.7 MB a second for each who asks and without bursts, so that little is under way
// at any instant, and calls stop when it has made so many bytes.
type mill struct {
	made atomic.Int64

	mu   sync.Mutex
	left int64
	stop func()
}

// fill fills p with what is at off: each 8 bytes tell where they are.
func fill(p []byte, off int64) {
	var word [8]byte
	for i := 0; i < len(p); {
		at := off + int64(i)
		binary.BigEndian.PutUint64(word[:], uint64(at/8)*0x9E3779B97F4A7C15)
		i += copy(p[i:], word[at%8:])
	}
}

func (m *mill) grind(off, size int64, p []byte) int {
	<-time.After(3 * time.Millisecond)
	n := int(min(int64(len(p)), size-off, 8<<10))
	fill(p[:n], off)
	m.made.Add(int64(n))
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.left -= int64(n); m.left <= 0 && m.stop != nil {
		m.stop()
		m.stop = nil
	}
	return n
}

// after has stop called when n more bytes were made.
func (m *mill) after(n int64, stop func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.left, m.stop = n, stop
}

// TestKilled kills a download at 50 random instants, and resumes it each time. Nothing is wrong in the end, nothing has its
// name before, and little was fetched twice.
func TestKilled(t *testing.T) {
	const size, kills = 96 << 20, 50
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	origin := farm.New()
	defer origin.Close()
	var m mill
	origin.Serve("/x", farm.Resource{Size: size, ETag: `"1"`,
		Gen: func(off int64, p []byte) int { return m.grind(off, size, p) }})
	file := filepath.Join(t.TempDir(), "x")
	for range kills {
		cmd := exec.Command("spate", "get", "-q", "-s", "4", "-o", file, origin.URL("/x"))
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		gone := make(chan struct{})
		m.after(rnd.Int64N(size/40), func() {
			cmd.Process.Kill()
			<-gone // nothing is made for a process that is dead, however long its end takes
		})
		err := cmd.Wait()
		close(gone)
		if err == nil {
			break // so little was left
		}
		if _, err := os.Lstat(file); !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("there is a file that is not whole: %v", err)
		}
	}
	m.after(1<<62, nil)
	if out, err := exec.Command("spate", "get", "-s", "4", "--if-exists=skip", "-o", file, origin.URL("/x")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	wantMilled(t, file, size)
	if made := m.made.Load(); made > size*11/10 {
		t.Errorf("%d bytes were asked for, of %d", made, size)
	}
}

func wantMilled(t *testing.T, file string, size int64) {
	t.Helper()
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := make([]byte, size)
	fill(want, 0)
	if sha256.Sum256(got) != sha256.Sum256(want) {
		t.Errorf("%d bytes, which are not the %d wanted", len(got), len(want))
	}
}
