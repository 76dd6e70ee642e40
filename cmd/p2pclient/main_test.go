package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// A program of the assignment that is running.
type running struct {
	cmd   *exec.Cmd
	lines *bufio.Scanner
}

// start starts one in dir, to be ended with the test.
func start(t *testing.T, dir string, args ...string) *running {
	t.Helper()
	p := &running{cmd: exec.Command(args[0], args[1:]...)}
	p.cmd.Dir = dir
	talk, err := p.cmd.StderrPipe()
	if err == nil {
		p.lines = bufio.NewScanner(talk)
		err = p.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.stop(t, talk) })
	return p
}

// stop interrupts it, which is no failure.
func (p *running) stop(t *testing.T, talk io.Reader) {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Errorf("%v has ended: %v", p.cmd.Args, err)
	}
	_, _ = io.Copy(io.Discard, talk)
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("%v: %v", p.cmd.Args, err)
	}
}

// says returns when it has said something with that in it.
func (p *running) says(t *testing.T, want string) {
	t.Helper()
	var all []string
	for p.lines.Scan() {
		if all = append(all, p.lines.Text()); strings.Contains(p.lines.Text(), want) {
			return
		}
	}
	t.Fatalf("%v does not say %q, but %q", p.cmd.Args, want, all)
}

// build makes the two programs.
func build(t *testing.T) (client, tracker string) {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.Command("go", "build", "-o", dir+string(filepath.Separator), "spate/cmd/p2pclient", "spate/cmd/p2ptracker").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return filepath.Join(dir, "p2pclient"), filepath.Join(dir, "p2ptracker")
}

// deal splits content into chunks, and gives each to one of the folders.
func deal(t *testing.T, content []byte, chunks int, rnd *rand.Rand, folders ...string) {
	t.Helper()
	lists := make([]string, len(folders))
	each := (len(content) + chunks - 1) / chunks
	for i := range chunks {
		to := rnd.IntN(len(folders))
		lists[to] += fmt.Sprintf("%d,part-%d\n", i+1, i+1)
		write(t, filepath.Join(folders[to], fmt.Sprintf("part-%d", i+1)), content[i*each:min((i+1)*each, len(content))])
	}
	for i, list := range lists {
		write(t, filepath.Join(folders[i], "local_chunks.txt"), fmt.Appendf(nil, "%s%d,LASTCHUNK", list, chunks))
	}
}

func write(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o666); err != nil {
		t.Fatal(err)
	}
}

// joined is what the chunks of a folder make together.
func joined(t *testing.T, folder string, chunks int) []byte {
	t.Helper()
	list, err := os.ReadFile(filepath.Join(folder, "local_chunks.txt"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Fields(string(list))
	if want := fmt.Sprintf("%d,LASTCHUNK", chunks); len(lines) != chunks+1 || lines[chunks] != want {
		t.Fatalf("%s: the list is %q", folder, lines)
	}
	var all []byte
	for i, line := range lines[:chunks] {
		index, name, _ := strings.Cut(line, ",")
		if index != fmt.Sprint(i+1) {
			t.Fatalf("%s: line %d is %q", folder, i+1, line)
		}
		chunk, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, chunk...)
	}
	return all
}

// The tracker and three clients, as they are started by who grades them, with the well-known port, on a file that was split by
// chance: the third of them by its folder alone.
func TestPrograms(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	content := make([]byte, 300_000)
	for i := range content {
		content[i] = byte(rnd.Uint32())
	}
	dir := t.TempDir()
	folders := []string{filepath.Join(dir, "a"), filepath.Join(dir, "b"), filepath.Join(dir, "c")}
	const chunks = 17
	deal(t, content, chunks, rnd, folders...)

	client, tracker := build(t)
	start(t, dir, tracker)
	clients := []*running{
		start(t, dir, client, "-folder", folders[0], "-transfer_port", "0", "-name", "client_1"),
		start(t, dir, client, "-folder", folders[1], "-name", "client_2"),
		start(t, dir, client, folders[2]),
	}
	for i, c := range clients {
		c.says(t, "all chunks are here")
		if !bytes.Equal(joined(t, folders[i], chunks), content) {
			t.Errorf("%s is not what was split", folders[i])
		}
	}
	checkLog(t, filepath.Join(dir, "logs.log"), chunks)
}

// checkLog holds the log against what must have been said: each client has told of every chunk, and asked for those that it
// had not.
func checkLog(t *testing.T, path string, chunks int) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	for _, name := range []string{"client_1", "client_2", "c"} {
		for chunk := range chunks {
			told := fmt.Sprintf("%s,LOCAL_CHUNKS,%d,localhost,", name, chunk+1)
			if !slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, told) }) {
				t.Errorf("no line %s…", told)
			}
		}
		asked := name + ",WHERE_CHUNK,"
		got := name + ",REQUEST_CHUNK,"
		for _, want := range []string{asked, got} {
			if !slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, want) }) {
				t.Errorf("no line %s…", want)
			}
		}
	}
	for _, l := range lines {
		if strings.ContainsAny(l, " \t") || strings.Contains(l, "127.0.0.1") {
			t.Errorf("a line %q", l)
		}
	}
}
