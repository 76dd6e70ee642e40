//go:build unix

package fetch

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestInUse(t *testing.T) {
	f, path := begin(t, nil)
	write(t, f, "half")
	_, err := Create(path, nil)
	if !errors.Is(err, ErrInUse) {
		t.Fatalf("second Create: %v, want ErrInUse", err)
	}
	wantPathError(t, err)
	wantContent(t, path+Ext, "half")
	must(t, f.Keep())
	again := mustCreate(t, path, nil)
	wantContent(t, path+Ext, "")
	must(t, again.Discard())
}

// startChild starts a process that writes the file at path, and returns what it tells, line by line.
func startChild(t *testing.T, path string) (*exec.Cmd, *bufio.Reader) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+path)
	out, err := cmd.StdoutPipe()
	must(t, err)
	t.Cleanup(func() {
		if cmd.Process != nil && cmd.ProcessState == nil {
			cmd.Process.Kill()
			cmd.Wait()
		}
	})
	return cmd, bufio.NewReader(out)
}

func TestInUseByAnotherProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "FILE")
	cmd, out := startChild(t, path)
	stdin, err := cmd.StdinPipe() // it waits for the end of that
	must(t, err)
	defer stdin.Close()
	must(t, cmd.Start())
	for _, want := range []string{"create\n", "write\n"} {
		if line, err := out.ReadString('\n'); line != want {
			t.Fatalf("the child says %q, %v", line, err)
		}
	}
	if _, err := Create(path, nil); !errors.Is(err, ErrInUse) {
		t.Errorf("Create while the other lives: %v, want ErrInUse", err)
	}
	must(t, cmd.Process.Kill())
	cmd.Wait()
	f := mustCreate(t, path, nil) // the lock has died with it
	write(t, f, "whole")
	must(t, f.Commit())
	wantContent(t, path, "whole")
}

// Whenever a process is killed, there is a whole file or none, and the next one can write it.
func TestKilledAtAnyInstant(t *testing.T) {
	const lines = 1 + childPieces + 2
	want := strings.Repeat(childPiece, childPieces)
	for n := range lines {
		path := filepath.Join(t.TempDir(), "FILE")
		cmd, out := startChild(t, path)
		must(t, cmd.Start())
		for range n {
			if line, err := out.ReadString('\n'); err != nil {
				t.Fatalf("the child says %q, %v", line, err)
			}
		}
		must(t, cmd.Process.Kill())
		cmd.Wait()
		if _, err := os.Lstat(path); err == nil {
			wantContent(t, path, want)
		}
		f := mustCreate(t, path, &Options{Overwrite: true})
		write(t, f, "another")
		must(t, f.Commit())
		wantContent(t, path, "another")
		wantNames(t, path, "FILE")
	}
}

func TestPartThatIsNoPlainFile(t *testing.T) {
	tests := map[string]func(part string) error{
		"a link to a file":  func(part string) error { return os.Symlink("precious", part) },
		"a link to nothing": func(part string) error { return os.Symlink("nothing", part) },
		"a folder":          func(part string) error { return os.Mkdir(part, 0o755) },
		"a FIFO":            func(part string) error { return syscall.Mkfifo(part, 0o600) },
	}
	for name, create := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "FILE")
			precious := filepath.Join(filepath.Dir(path), "precious")
			put(t, precious, "kept")
			must(t, create(path+Ext))
			if _, err := Create(path, nil); !errors.Is(err, errNotRegular) {
				t.Errorf("Create: %v, want %v", err, errNotRegular)
			}
			wantContent(t, precious, "kept")
			wantNames(t, path, "FILE.part", "precious")
		})
	}
}

// The mask is of the whole process: no test here runs in parallel.
func TestPermissions(t *testing.T) {
	for _, mask := range []int{0, 0o022, 0o077} {
		for _, stale := range []bool{false, true} {
			path := filepath.Join(t.TempDir(), "FILE")
			if stale {
				put(t, path+Ext, "of another mode")
			}
			old := syscall.Umask(mask)
			f, err := Create(path, nil)
			syscall.Umask(old)
			must(t, err)
			must(t, f.Commit())
			info, err := os.Stat(path)
			must(t, err)
			if want := fs.FileMode(0o666 &^ mask); info.Mode() != want {
				t.Errorf("mask %03o, stale %v: mode %v, want %v", mask, stale, info.Mode(), want)
			}
		}
	}
}

// Whoever begins a file that is finished elsewhere takes it for left behind, and gets it alone.
func TestFinishedFileTakenByAnother(t *testing.T) {
	for name, end := range map[string]func(*File) error{"Commit": (*File).Commit, "Discard": (*File).Discard} {
		t.Run(name, func(t *testing.T) {
			f, path := finished(t, "mine", nil)
			other := mustCreate(t, path, nil)
			write(t, other, "this")
			if err := end(f); errors.Is(err, ErrInUse) != (name == "Commit") || (err != nil) != (name == "Commit") {
				t.Errorf("%s: %v", name, err)
			}
			must(t, other.Commit())
			wantContent(t, path, "this")
			wantNames(t, path, "FILE")
		})
	}
}
