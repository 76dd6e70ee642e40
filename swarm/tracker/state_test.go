package tracker

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spate/swarm/wire"
)

// stateExample is that of docs/spec/tracker.md.
const stateExample = `spate-tracker 1
LOCAL_CHUNKS,1,localhost,7001 e944f5f7
LOCAL_CHUNKS,2,` + sha1a + `,10.0.0.2,80 4c56ed8a
`

func message(t *testing.T, text string) wire.Message {
	t.Helper()
	d := wire.NewDecoder(wire.LocalChunks)
	d.Write([]byte(text + "\n"))
	m, err := d.Next()
	must(t, err)
	return m
}

// register does what a connection does with its registrations.
func register(t *testing.T, s *state, texts ...string) error {
	t.Helper()
	var b []byte
	for _, text := range texts {
		m := message(t, text)
		if v := s.reg.add(m); v == added || v == replaced {
			b = appendLine(b, m)
		}
	}
	return s.write(b)
}

// kept is what the state at path has.
func kept(t *testing.T, path string) (list []string, damaged int) {
	t.Helper()
	reg := newRegistry(1 << 30)
	s, damaged, err := openState(path, reg)
	must(t, err)
	for _, m := range reg.from(0, 1<<20) {
		list = append(list, string(m.Append(nil)))
	}
	must(t, s.close())
	return list, damaged
}

func newState(t *testing.T, path string) *state {
	t.Helper()
	s, damaged, err := openState(path, newRegistry(1<<30))
	must(t, err)
	if damaged != 0 {
		t.Errorf("%d damaged lines", damaged)
	}
	return s
}

func TestState(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	first := []string{"LOCAL_CHUNKS,1,localhost,7001", "LOCAL_CHUNKS,2," + sha1a + ",10.0.0.2,80"}
	s := newState(t, path)
	must(t, register(t, s, first...))
	must(t, s.close())
	spec, err := os.ReadFile("../../docs/spec/tracker.md")
	must(t, err)
	text, err := os.ReadFile(path)
	must(t, err)
	if diff := cmp.Diff(stateExample, string(text)); diff != "" || !strings.Contains(string(spec), stateExample) {
		t.Errorf("docs/spec/tracker.md has another example than\n%s\n%s", text, diff)
	}
	s = newState(t, path)
	must(t, register(t, s, first[0], "LOCAL_CHUNKS,1,localhost,7002", "LOCAL_CHUNKS,1,"+sha1b+",localhost,7001"))
	must(t, s.close())
	got, _ := kept(t, path)
	want := []string{"LOCAL_CHUNKS,1," + sha1b + ",localhost,7001", first[1], "LOCAL_CHUNKS,1,localhost,7002"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A state that was cut anywhere has what was whole, and goes on from there.
func TestStateCutAnywhere(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "whole")
	var all []string
	for i := range 5 {
		all = append(all, local(i+1, 7000+i))
	}
	s := newState(t, path)
	must(t, register(t, s, all...))
	must(t, s.close())
	text, err := os.ReadFile(path)
	must(t, err)
	for n := range len(text) + 1 {
		path := filepath.Join(dir, fmt.Sprint(n))
		must(t, os.WriteFile(path, text[:n], 0o600))
		want := all[:max(bytes.Count(text[:n], []byte("\n"))-1, 0)]
		if n < len(text) && text[n] == '\n' && n > len(stateHeader) {
			want = all[:len(want)+1] // nothing but its end is missing
		}
		s, damaged, err := openState(path, newRegistry(1<<30))
		must(t, err)
		isWhole := n <= len(stateHeader) || text[n-1] == '\n' || n < len(text) && text[n] == '\n'
		if (damaged == 0) != isWhole {
			t.Errorf("cut at %d: %d damaged lines", n, damaged)
		}
		must(t, register(t, s, "LOCAL_CHUNKS,9,localhost,9"))
		must(t, s.close())
		got, damaged := kept(t, path)
		if diff := cmp.Diff(append(want[:len(want):len(want)], "LOCAL_CHUNKS,9,localhost,9"), got); diff != "" || damaged != 0 {
			t.Errorf("cut at %d: %d damaged\n%s", n, damaged, diff)
		}
	}
}

// A line that is damaged takes no other with it, and is gone the next time.
func TestStateDamaged(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "whole")
	s := newState(t, path)
	all := []string{local(1, 7001), local(2, 7002), local(3, 7003)}
	must(t, register(t, s, all...))
	must(t, s.close())
	text, err := os.ReadFile(path)
	must(t, err)
	start := bytes.Index(text, []byte(all[1]))
	end := start + bytes.IndexByte(text[start:], '\n')
	for i := start; i < end; i++ {
		path := filepath.Join(dir, fmt.Sprint(i))
		bad := bytes.Clone(text)
		bad[i] ^= 1 << 6
		must(t, os.WriteFile(path, bad, 0o600))
		got, damaged := kept(t, path)
		if !cmp.Equal(got, []string{all[0], all[2]}) || damaged != 1 {
			t.Errorf("byte %d: %q, %d damaged", i, got, damaged)
		}
		if _, damaged := kept(t, path); damaged != 0 {
			t.Errorf("byte %d: still %d damaged", i, damaged)
		}
	}
	must(t, os.WriteFile(path, append(text, make([]byte, 100_000)...), 0o600))
	if got, damaged := kept(t, path); !cmp.Equal(got, all) || damaged != 1 {
		t.Errorf("zeros of a power cut: %q, %d damaged", got, damaged)
	}
}

// What is no state stays as it is.
func TestNoState(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "other")
	for _, text := range []string{"x", "spate-tracker 2\n", strings.Repeat("spate", 100), "spate-tracker\n"} {
		must(t, os.WriteFile(path, []byte(text), 0o600))
		if _, _, err := openState(path, newRegistry(1<<30)); !errors.Is(err, ErrState) {
			t.Errorf("%q: %v", text, err)
		}
		if got, _ := os.ReadFile(path); string(got) != text {
			t.Errorf("%q has become %q", text, got)
		}
	}
	if _, _, err := openState(os.DevNull, newRegistry(1<<30)); !errors.Is(err, ErrState) {
		t.Errorf("%s: %v", os.DevNull, err)
	}
	if _, _, err := openState(dir, newRegistry(1<<30)); err == nil {
		t.Error("a folder")
	}
	if _, _, err := openState(filepath.Join(dir, "none", "state"), newRegistry(1<<30)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
}

func TestStateInUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	s := newState(t, path)
	for range 2 {
		if _, _, err := openState(path, newRegistry(1<<30)); !errors.Is(err, ErrStateInUse) {
			t.Errorf("in use: %v", err)
		}
		must(t, s.rewrite()) // which keeps the lock
	}
	must(t, s.close())
	must(t, newState(t, path).close())
}

// A state that is a link stays one.
func TestStateLink(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(dir, "link")
	must(t, os.WriteFile(filepath.Join(dir, "state"), nil, 0o600))
	must(t, os.Symlink("state", link))
	s := newState(t, link)
	must(t, register(t, s, local(1, 7001)))
	must(t, s.close())
	if fi, err := os.Lstat(link); err != nil || fi.Mode()&os.ModeSymlink == 0 {
		t.Errorf("%v, %v", fi, err)
	}
	if got, _ := kept(t, filepath.Join(dir, "state")); len(got) != 1 {
		t.Errorf("%q", got)
	}
}

// What is replaced again and again does not fill the disk.
func TestStateStaysSmall(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	s := newState(t, path)
	hashes := []string{sha1a, sha1b}
	var largest int64
	for i := range 3 * slack / 100 {
		var batch []string
		for j := range 100 {
			batch = append(batch, fmt.Sprintf("LOCAL_CHUNKS,1,%s,localhost,7001", hashes[(i+j)%2]))
		}
		must(t, register(t, s, batch...))
		fi, err := s.file.Stat()
		must(t, err)
		largest = max(largest, fi.Size())
	}
	must(t, s.close())
	if bound := int64(slack+200) * int64(len("LOCAL_CHUNKS,1,,localhost,7001 e944f5f7\n")+40); largest > bound {
		t.Errorf("%d bytes, more than %d", largest, bound)
	}
	if got, _ := kept(t, path); len(got) != 1 {
		t.Errorf("%q", got)
	}
}

// What could not be written is written with the next that can be.
func TestStateDiskFails(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "state")
	s := newState(t, path)
	must(t, register(t, s, local(1, 7001)))
	must(t, s.file.Close()) // as a disk that fails
	must(t, os.Mkdir(path+".new", 0o700))
	for i := range 2 {
		if err := register(t, s, local(2+i, 7001)); err == nil {
			t.Fatal("written to a closed file")
		}
	}
	must(t, os.Remove(path+".new"))
	if err := register(t, s, local(4, 7001)); err != nil && !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
	must(t, s.close())
	if got, damaged := kept(t, path); len(got) != 4 || damaged != 0 {
		t.Errorf("%q, %d damaged", got, damaged)
	}
}

func FuzzState(f *testing.F) {
	f.Add([]byte(stateExample))
	f.Add([]byte(stateHeader + "LOCAL_CHUNKS,1,localhost,7001 e944f5f7"))
	f.Add([]byte(stateHeader + "WHERE_CHUNK,1 e944f5f7\nGET"))
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "state")
		must(t, os.WriteFile(path, text, 0o600))
		reg := newRegistry(1 << 20)
		s, _, err := openState(path, reg)
		if err != nil {
			if !errors.Is(err, ErrState) && !errors.Is(err, errFull) {
				t.Fatal(err)
			}
			return
		}
		want := reg.from(0, 1000)
		must(t, s.close())
		reg = newRegistry(1 << 20)
		s, damaged, err := openState(path, reg)
		must(t, err)
		if got := reg.from(0, 1000); !cmp.Equal(want, got) || damaged != 0 {
			t.Errorf("%v, then %v, %d damaged", want, got, damaged)
		}
		must(t, s.close())
	})
}

// Where a file that is open can be neither renamed nor replaced, as on Windows, nothing is open while that is done.
func TestStateWhereOpenFilesStay(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	reg := newRegistry(1 << 20)
	s, _, err := openState(path, reg)
	if err != nil {
		t.Fatal(err)
	}
	s.replacesOpen = false
	var text []byte
	add := func(chunk int) {
		m := wire.Message{Command: wire.LocalChunks, Chunk: chunk, Addrs: []wire.Addr{{Host: "localhost", Port: 7001}}}
		reg.add(m)
		text = appendLine(nil, m)
	}
	for chunk := 1; chunk <= 3; chunk++ {
		add(chunk)
		old := s.file
		s.isOld = chunk != 3 // the third is appended
		if err := s.write(text); err != nil {
			t.Fatal(err)
		}
		if _, err := old.Stat(); (chunk != 3) != errors.Is(err, os.ErrClosed) {
			t.Errorf("chunk %d: what was open before: %v", chunk, err)
		}
	}
	// what could not take its place leaves the file as it was, and is tried again
	if err := os.Mkdir(path+".new", 0o700); err != nil {
		t.Fatal(err)
	}
	s.isOld = true
	if err := s.write(nil); err == nil || !s.isOld {
		t.Errorf("it was written anew over a folder: %v", err)
	}
	if err := os.Remove(path + ".new"); err != nil {
		t.Fatal(err)
	}
	if err := s.close(); err != nil {
		t.Error(err)
	}
	again := newRegistry(1 << 20)
	s, damaged, err := openState(path, again)
	if err != nil || damaged != 0 {
		t.Fatal(damaged, err)
	}
	defer s.close()
	if n, _, _ := again.extent(); n != 3 {
		t.Errorf("%d are kept of 3", n)
	}
}
