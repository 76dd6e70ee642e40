package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"spate/event"
	"spate/internal/farm"
)

// fullDisk downloads $2 to a disk of its own at $1, which is full once a line has come, and goes on when there is room again.
const fullDisk = `mount -t tmpfs -o size=24m none "$1" && cd "$1" && echo mounted || exit
spate get --json -s 4 -o x "$2" 2>&1 & pid=$!
read line
head -c 100m /dev/zero >filler 2>/dev/null
echo filled
wait $pid
echo ended $? with *
rm filler
spate get -s 4 -o x "$2" 2>told
echo ended $? with *
grep -c ' resumed at ' told`

// A dam lets so much of each half of an object through, until it is opened.
type dam struct {
	size   int64
	mu     sync.Mutex
	passed [2]int64
	opened chan struct{}
}

const behindDam = 3 << 20

func (d *dam) pass(off int64, p []byte) int {
	n := int(min(int64(len(p)), d.size-off))
	stamp(p[:n], off)
	if d.holds(off, int64(n)) {
		<-d.opened
	}
	return n
}

func (d *dam) holds(off, n int64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	half := off * 2 / d.size
	d.passed[half] += n
	return d.passed[half] > behindDam
}

// untilBothHalves reads events until more is written than one half has let through: so some of both is, and the journal says so.
func untilBothHalves(t *testing.T, lines *bufio.Reader) {
	t.Helper()
	var told strings.Builder
	for {
		line, err := lines.ReadString('\n')
		if told.WriteString(line); err != nil {
			t.Fatalf("the download does not get on: %v, after %s", err, told.String())
		}
		var e event.Event
		if json.Unmarshal([]byte(line), &e) == nil && e.Type == event.Progress && e.Bytes > behindDam {
			return
		}
	}
}

// withoutEvents is what else than events is told.
func withoutEvents(told string) string {
	var b strings.Builder
	for line := range strings.Lines(told) {
		if !strings.HasPrefix(line, "{") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// TestFullDisk: a disk that becomes full in the middle of a download is exit 12, and the same command goes on from there.
func TestFullDisk(t *testing.T) {
	d := &dam{size: 20 << 20, opened: make(chan struct{})}
	origin := farm.New()
	defer origin.Close()
	open := sync.OnceFunc(func() { close(d.opened) })
	defer open()
	origin.Serve("/x", farm.Resource{Size: d.size, ETag: `"1"`, Gen: d.pass})
	cmd := exec.Command("unshare", "-rm", "sh", "-c", fullDisk, "sh", t.TempDir(), origin.URL("/x"))
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Skip(err)
	}
	lines := bufio.NewReader(out)
	if line, err := lines.ReadString('\n'); line != "mounted\n" {
		t.Skip("no disk of one's own can be had: ", line, err, cmd.Wait())
	}
	late := time.AfterFunc(patience, func() {
		open()
		in.Close()
	})
	untilBothHalves(t, lines)
	late.Stop()
	io.WriteString(in, "\n")
	told := ""
	for told != "filled\n" && err == nil {
		told, err = lines.ReadString('\n')
	}
	open()
	rest, _ := io.ReadAll(lines)
	told = withoutEvents(told + string(rest))
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	whole := make([]byte, d.size)
	stamp(whole, 0)
	want := fmt.Sprintf("filled\nended 12 with filler x.part x.spate\n%x  x\nended 0 with told x\n1\n", sha256.Sum256(whole))
	if told != want {
		t.Errorf("told %s, want %s", strings.TrimSpace(told), want)
	}
}
