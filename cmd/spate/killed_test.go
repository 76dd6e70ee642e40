package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"spate/internal/farm"
)

// TestManifestKilled kills the program in the middle of each part, and lets another one go on. Of what was there no more than
// the piece that was not recorded yet is fetched again, and in the end the bytes are right.
func TestManifestKilled(t *testing.T) {
	origin := farm.New()
	defer origin.Close()
	seed := rand.Uint64()
	rnd := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	const parts, piece = 5, 1 << 20
	whole := []byte("begun")
	list := "begun\n"
	most := map[string]int64{} // bytes of each part that may be sent
	origin.Serve("/begun", farm.Resource{Body: whole})
	for i := range parts {
		part := bytes.Repeat(fmt.Appendf(nil, "part %d, ", i), piece/8+rnd.IntN(piece/8))
		at := 1 + rnd.Int64N(int64(len(part)))
		path := fmt.Sprint("/", i)
		origin.Serve(path, farm.Then(farm.Resource{Body: part, StallAt: at}, farm.Resource{Body: part}))
		whole, list, most[path] = append(whole, part...), list+"--\n"+path+"\n", int64(len(part))+at+piece
	}
	origin.Serve("/m.parts", farm.Resource{Body: []byte(list)})
	dir := t.TempDir()
	get := []string{"get", "--json", "--ahead", "1", origin.URL("/m.parts"), "FILE"}
	program(t, dir, append(get, "--max-bytes", "1")...).Run() // so that there is a journal, though a second has not passed
	for i := range parts {
		killAt(t, program(t, dir, get...), fmt.Sprintf(`"part":%d,`, i+2))
	}
	out, err := program(t, dir, get...).CombinedOutput()
	sum := sha256.Sum256(whole)
	if err != nil || !strings.Contains(string(out), hex.EncodeToString(sum[:])) {
		t.Errorf("%v: %s", err, out)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "FILE")); !bytes.Equal(got, whole) {
		t.Errorf("other bytes: %d of %d, %v", len(got), len(whole), err)
	}
	sent := map[string]int64{}
	for _, r := range origin.Log() {
		sent[r.Path] += r.Bytes
	}
	for path, bound := range most {
		if n := origin.Requests(path); n > 3 || sent[path] > bound {
			t.Errorf("%d requests for %s, %d bytes, want 3 and %d at most", n, path, sent[path], bound)
		}
	}
}

// killAt kills the program once it has told that.
func killAt(t *testing.T, cmd *exec.Cmd, told string) {
	t.Helper()
	stderr, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stderr)
	var all []string
	for lines.Scan() && !strings.Contains(lines.Text(), told) {
		all = append(all, lines.Text())
	}
	if !strings.Contains(lines.Text(), told) {
		t.Errorf("no %s in %q", told, all)
	}
	cmd.Process.Kill()
	cmd.Wait()
}

// program is the one under test, which the test binary stands in for.
func program(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, args...)
	cmd.Args[0], cmd.Dir = "spate", dir
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
	return cmd
}
