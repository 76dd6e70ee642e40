package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"spate/event"
	"spate/fetch"
	"spate/fetch/journal"
	"spate/internal/farm"
)

// A mill makes content, no faster than 2.7 MB a second for each who asks and without bursts, so that little is under way
// at any instant, and calls stop when it has made so many bytes.
type mill struct {
	mu   sync.Mutex
	left int64
	stop func()
}

// stamp fills p with what is at off: each 8 bytes tell where they are.
func stamp(p []byte, off int64) {
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
	stamp(p[:n], off)
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
// name before, each call goes on with all that the journal of the one before says, and that is nearly all that was written.
func TestKilled(t *testing.T) {
	const size, kills = 48 << 20, 50
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	origin := farm.New()
	defer origin.Close()
	var m mill
	origin.Serve("/x", farm.Resource{Size: size, ETag: `"1"`,
		Gen: func(off int64, p []byte) int { return m.grind(off, size, p) }})
	file := filepath.Join(t.TempDir(), "x")
	var there, lost int64
	for range kills {
		var events bytes.Buffer
		cmd := exec.Command("spate", "get", "--json", "-s", "4", "-o", file, origin.URL("/x"))
		cmd.Stderr = &events
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
		wantBegun(t, events.String(), there)
		if err == nil {
			break // so little was left
		}
		if _, err := os.Lstat(file); !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("there is a file that is not whole: %v", err)
		}
		state := journalled(t, file)
		there = state.Covered().Bytes()
		lost += wipe(t, file, state)
	}
	m.after(1<<62, nil)
	out, err := exec.Command("spate", "get", "--json", "-s", "4", "--if-exists=skip", "-o", file, origin.URL("/x")).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	wantBegun(t, string(out), there)
	wantMilled(t, file, size)
	if t.Logf("%d bytes were lost", lost); lost > size/50 {
		t.Errorf("%d bytes that were written are in no journal, of %d", lost, size)
	}
}

// wantBegun: if these events tell that the download has begun, with so many bytes.
func wantBegun(t *testing.T, events string, there int64) {
	t.Helper()
	for line := range strings.Lines(events) {
		var e event.Event
		if err := json.Unmarshal([]byte(line), &e); err == nil && e.Type == event.Begin && e.Bytes != there { // the last line may be torn
			t.Fatalf("it goes on with %d bytes, of %d", e.Bytes, there)
		}
	}
}

// journalled is what the journal says is there, nothing if there is none.
func journalled(t *testing.T, file string) *journal.State {
	t.Helper()
	s, err := journal.Read(file + journal.Ext)
	if errors.Is(err, fs.ErrNotExist) {
		return &journal.State{}
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// wipe makes zero what of FILE.part is in no journal, as nobody may rely on it, and tells how much had been written there.
func wipe(t *testing.T, file string, s *journal.State) (lost int64) {
	t.Helper()
	f, err := os.OpenFile(file+fetch.Ext, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return 0
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	zero, got := make([]byte, 4096), make([]byte, 4096)
	covered := s.Covered()
	all := covered.Bounds()
	all.Off, all.End = 0, info.Size()
	for gap := range covered.Gaps(all) {
		for off := gap.Off; off < gap.End; off += int64(len(zero)) {
			n := min(gap.End-off, int64(len(zero)))
			if _, err := f.ReadAt(got[:n], off); err != nil {
				t.Fatal(err)
			}
			if bytes.Equal(got[:n], zero[:n]) {
				continue
			}
			lost += n
			if _, err := f.WriteAt(zero[:n], off); err != nil {
				t.Fatal(err)
			}
		}
	}
	return lost
}

func wantMilled(t *testing.T, file string, size int64) {
	t.Helper()
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := make([]byte, size)
	stamp(want, 0)
	if sha256.Sum256(got) != sha256.Sum256(want) {
		t.Errorf("%d bytes, which are not the %d wanted", len(got), len(want))
	}
}
