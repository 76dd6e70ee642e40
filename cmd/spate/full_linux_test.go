package main

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"spate/internal/farm"
)

// fullDisk downloads $2 to a disk of its own at $1, which is full once a line has come, and goes on when there is room again.
const fullDisk = `mount -t tmpfs -o size=24m none "$1" && cd "$1" && echo mounted || exit
spate get -q -s 4 -o x "$2" & pid=$!
read line
head -c 100m /dev/zero >filler 2>/dev/null
echo filled
wait $pid
echo ended $? with *
rm filler
spate get -s 4 -o x "$2" 2>told
echo ended $? with *
grep -c ' resumed at ' told`

// A dam lets 2 MiB of each half of an object through, until it is opened.
type dam struct {
	size   int64
	mu     sync.Mutex
	passed [2]int64
	full   chan struct{} // closed when both halves are held back
	opened chan struct{}
}

func (d *dam) pass(off int64, p []byte) int {
	n := int(min(int64(len(p)), d.size-off))
	stamp(p[:n], off)
	if d.holds(off, int64(n)) {
		<-d.opened
	}
	return n
}

func (d *dam) holds(off, n int64) bool {
	const most = 2 << 20
	d.mu.Lock()
	defer d.mu.Unlock()
	half := off * 2 / d.size
	before := d.passed[half]
	d.passed[half] += n
	if before <= most && d.passed[half] > most && d.passed[1-half] > most {
		close(d.full)
	}
	return d.passed[half] > most
}

// TestFullDisk: a disk that becomes full in the middle of a download is exit 12, and the same command goes on from there.
func TestFullDisk(t *testing.T) {
	d := &dam{size: 20 << 20, full: make(chan struct{}), opened: make(chan struct{})}
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
	select {
	case <-d.full:
	case <-time.After(patience):
		t.Error("the download does not get on")
	}
	io.WriteString(in, "\n")
	line, _ := lines.ReadString('\n')
	open()
	rest, _ := io.ReadAll(lines)
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	whole := make([]byte, d.size)
	stamp(whole, 0)
	want := fmt.Sprintf("filled\nended 12 with filler x.part x.spate\n%x  x\nended 0 with told x\n1\n", sha256.Sum256(whole))
	if told := line + string(rest); told != want {
		t.Errorf("told %s, want %s", strings.TrimSpace(told), want)
	}
}
