package fetch

import (
	"errors"
	"os"
	"syscall"
	"testing"
)

// Writing to /dev/full fails as writing to a full disk does.
func TestNoSpace(t *testing.T) {
	f, _ := begin(t, &Options{SHA256: true})
	full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	must(t, err)
	part := f.part
	defer part.Close()
	f.part = full
	n, err := f.Write([]byte("text"))
	if n != 0 || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Write = %d, %v, want ENOSPC", n, err)
	}
	wantPathError(t, err)
	if f.Size() != 0 {
		t.Errorf("Size = %d after a failed write", f.Size())
	}
}
