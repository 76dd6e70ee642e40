//go:build unix

package main

import (
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"spate/internal/farm"
)

const nobody = 65534

// TestFolderThatMustNotBeWritten: that is exit 3, as --dry-run says beforehand, and what is there stays. Root may write anywhere, so the
// program runs as nobody then.
func TestFolderThatMustNotBeWritten(t *testing.T) {
	origin := farm.New()
	defer origin.Close()
	origin.Serve("/x", farm.Resource{Body: []byte("hello")})
	origin.Serve("/x.parts", farm.Resource{Body: []byte("x")})
	origin.Serve("/x-seq", farm.Resource{Body: []byte("\x00\x00\x00\x01x")})
	for name, test := range map[string]struct {
		args []string
		mode os.FileMode // of the folder
		part os.FileMode // of FILE.part
	}{
		"a file":               {[]string{origin.URL("/x"), "new"}, 0o555, 0o644},
		"by its name":          {[]string{origin.URL("/x")}, 0o555, 0o644},
		"a stream":             {[]string{origin.URL("/x.parts"), "new"}, 0o555, 0o644},
		"a sequence":           {[]string{origin.URL("/x-seq"), "new"}, 0o555, 0o644},
		"overwritten":          {[]string{"--if-exists=overwrite", origin.URL("/x"), "old"}, 0o555, 0o644},
		"a folder in it":       {[]string{"-d", "sub", origin.URL("/x")}, 0o555, 0o644},
		"a part of another's":  {[]string{origin.URL("/x"), "begun"}, 0o777, 0o600},
		"a part, to overwrite": {[]string{"--if-exists=overwrite", origin.URL("/x"), "begun"}, 0o777, 0o600},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			must(t, os.Chmod(filepath.Dir(dir), 0o755))
			must(t, os.WriteFile(filepath.Join(dir, "old"), []byte("old"), 0o644))
			must(t, os.WriteFile(filepath.Join(dir, "begun.part"), []byte("be"), test.part))
			if os.Geteuid() != 0 && test.mode == 0o777 {
				must(t, os.Chmod(filepath.Join(dir, "begun.part"), 0))
			}
			must(t, os.Chmod(dir, test.mode))
			t.Cleanup(func() { os.Chmod(dir, 0o755) })
			for _, flags := range [][]string{{"get", "--dry-run"}, {"get"}} {
				out, err := asNobody(t, dir, append(flags, test.args...)).CombinedOutput()
				if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != exitLocal || !strings.Contains(string(out), "permission denied") {
					t.Errorf("%q: %v: %s", flags, err, out)
				}
			}
			must(t, os.Chmod(dir, 0o755))
			must(t, os.Chmod(filepath.Join(dir, "begun.part"), 0o644))
			got := map[string]string{}
			entries, err := os.ReadDir(dir)
			must(t, err)
			for _, e := range entries {
				b, err := os.ReadFile(filepath.Join(dir, e.Name()))
				must(t, err)
				got[e.Name()] = string(b)
			}
			if want := map[string]string{"old": "old", "begun.part": "be"}; !maps.Equal(got, want) {
				t.Errorf("there is %q, want %q", got, want)
			}
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// asNobody is program for a user who may do nothing, if the one of the test may do everything.
func asNobody(t *testing.T, dir string, args []string) *exec.Cmd {
	t.Helper()
	cmd := program(t, dir, args...)
	if os.Geteuid() != 0 {
		return cmd
	}
	cmd.Path = forAll(t, cmd.Path)
	cmd.Env = append(cmd.Env, "HOME="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	return cmd
}

// forAll is a copy of the program in a folder where anybody may run it, which that of go test is not.
func forAll(t *testing.T, exe string) string {
	t.Helper()
	dir := t.TempDir()
	must(t, os.Chmod(filepath.Dir(dir), 0o755))
	path := filepath.Join(dir, "spate")
	if os.Link(exe, path) == nil {
		return path
	}
	from, err := os.Open(exe)
	must(t, err)
	defer from.Close()
	to, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	must(t, err)
	_, err = io.Copy(to, from)
	must(t, errors.Join(err, to.Close()))
	return path
}
