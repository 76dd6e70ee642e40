package peer

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// asNobody calls do with the rights that a user who owns nothing has on files, also where the tests run as root.
func asNobody(t *testing.T, dir string, do func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		do()
		return
	}
	for d := dir; d != os.TempDir(); d = filepath.Dir(d) {
		if info, err := os.Stat(d); err != nil || info.Mode()&0o005 != 0o005 {
			must(t, err)
			must(t, os.Chmod(d, 0o755))
		}
	}
	const nobody = 65534
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	must(t, syscall.Setfsuid(nobody))
	defer func() { must(t, syscall.Setfsuid(0)) }()
	do()
}

func TestFolderThatNothingCanBeWrittenTo(t *testing.T) {
	dir := folder(t, "a", "A", ListName, "1,a\n2,LASTCHUNK\n")
	must(t, os.Chmod(dir, 0o555))
	t.Cleanup(func() { os.Chmod(dir, 0o777) })
	asNobody(t, dir, func() {
		if _, err := OpenFolder(dir); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), dir) {
			t.Errorf("%v", err)
		}
	})
	must(t, os.Chmod(dir, 0o777))
	write(t, filepath.Join(dir, ListName), "1,a\n1,LASTCHUNK\n")
	must(t, os.Chmod(dir, 0o555))
	asNobody(t, dir, func() {
		f, err := OpenFolder(dir) // all there: it only gives
		must(t, err)
		must(t, f.Close())
	})
}

// Opening a pipe waits for who writes into it, and no signal ends that.
func TestListThatIsAPipe(t *testing.T) {
	for _, name := range []string{ListName, SumsName} {
		dir := folder(t, "a", "A", ListName, "1,a\n1,LASTCHUNK\n")
		os.Remove(filepath.Join(dir, name))
		must(t, syscall.Mkfifo(filepath.Join(dir, name), 0o666))
		_, err := OpenFolder(dir)
		if want := filepath.Join(dir, name) + ": not a regular file"; err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
