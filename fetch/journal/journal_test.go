package journal

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spate/format/span"
)

// A life: begun, killed, resumed, ended.
func TestLife(t *testing.T) {
	path, file := onDisk(t), content(10000)
	part, err := os.Create(strings.TrimSuffix(path, Ext) + ".part")
	must(t, err)
	defer part.Close()
	write := func(j *Journal, x span.Span) {
		t.Helper()
		_, err := part.WriteAt(file[x.Off:x.End], x.Off)
		must(t, err)
		must(t, j.Add(x, Checksum(file[x.Off:x.End])))
	}

	_, err = Read(path)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("before there is one: %v", err)
	}
	j, err := Create(path, &State{Header: testHeader})
	must(t, err)
	write(j, sp(0, 1000))
	must(t, j.Sync(part))
	write(j, sp(5000, 6000))
	write(j, sp(1000, 1024))
	must(t, j.Close()) // for the file, as good as killed

	s, err := Read(path)
	must(t, err)
	crc := func(off, end int64) uint32 { return Checksum(file[off:end]) }
	want := &State{Header: testHeader, Ranges: []Range{
		{sp(0, 1000), crc(0, 1000), true}, {sp(1000, 1024), crc(1000, 1024), false}, {sp(5000, 6000), crc(5000, 6000), false}}}
	if diff := cmp.Diff(want, s); diff != "" {
		t.Fatal(diff)
	}
	_, err = part.WriteAt([]byte{^file[5500]}, 5500) // this is not as it was
	must(t, err)
	s, err = Verify(t.Context(), part, s, nil)
	must(t, err)
	j, err = Create(path, s)
	must(t, err)
	write(j, sp(5000, 6000))
	must(t, j.Sync(part))
	s, err = Read(path)
	must(t, err)
	want.Ranges = []Range{{sp(0, 1024), crc(0, 1024), true}, {sp(5000, 6000), crc(5000, 6000), true}}
	if diff := cmp.Diff(want, s); diff != "" {
		t.Error(diff)
	}
	must(t, j.Remove())
	wantFiles(t, filepath.Dir(path), "FILE.part")
}

func wantFiles(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Create replaces what there is, and what an earlier one has left half done.
func TestCreateReplaces(t *testing.T) {
	path := onDisk(t)
	must(t, os.WriteFile(path, []byte("of somebody else"), 0o666))
	elsewhere := filepath.Join(t.TempDir(), "elsewhere")
	must(t, os.WriteFile(elsewhere, []byte("text"), 0o666))
	if err := os.Symlink(elsewhere, path+tempExt); err != nil {
		must(t, os.WriteFile(path+tempExt, []byte("half a journal"), 0o666))
	}
	j, err := Create(path, &State{Header: testHeader})
	must(t, err)
	defer j.Close()
	s, err := Read(path)
	must(t, err)
	if diff := cmp.Diff(&State{Header: testHeader, Ranges: []Range{}}, s); diff != "" {
		t.Error(diff)
	}
	wantFiles(t, filepath.Dir(path), name)
	if got, _ := os.ReadFile(elsewhere); string(got) != "text" {
		t.Errorf("a symbolic link was followed: %q", got)
	}
	info, err := os.Stat(path)
	must(t, err)
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v: URLs are not for everybody", info.Mode())
	}
}

func TestCreateRefuses(t *testing.T) {
	tests := []struct {
		name string
		s    State
		want error
	}{
		{"a piece size below 0", State{Header: Header{PieceSize: -1}}, errHeader},
		{"a piece size beyond all bounds", State{Header: Header{PieceSize: maxPieceSize + 1}}, errHeader},
		{"URLs without end", State{Header: Header{Origins: []Origin{{URL: strings.Repeat("x", maxLine)}}}}, errLong},
		{"ranges that overlap", State{Header: testHeader, Ranges: []Range{{Span: sp(0, 10)}, {Span: sp(9, 11)}}}, ErrOverlap},
		{"overlap, of two kinds", State{Header: testHeader, Ranges: []Range{{Span: sp(0, 10)}, {sp(9, 11), 0, true}}}, ErrOverlap},
		{"a range beyond the size", State{Header: testHeader, Ranges: []Range{{sp(0, testHeader.Size+1), 0, true}}}, errRange},
		{"a place before the file", State{Header: testHeader, Places: []Place{{At: -1}}}, errRange},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := onDisk(t)
			_, err := Create(path, &tt.s)
			if !errors.Is(err, tt.want) {
				t.Errorf("%v, want %v", err, tt.want)
			}
			wantPathError(t, err)
			wantFiles(t, filepath.Dir(path))
		})
	}
	_, err := Create(filepath.Join(t.TempDir(), "none", name), &State{})
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("in a folder that there is not: %v", err)
	}
}

func TestReadRefuses(t *testing.T) {
	dir := t.TempDir()
	file := func(text string) string {
		path := filepath.Join(dir, "file")
		must(t, os.WriteFile(path, []byte(text), 0o666))
		return path
	}
	var c chain
	otherKind := string(c.line(nil, []byte("journal"), []byte(version)))
	c = chain{}
	later := string(c.line(nil, []byte(kindHeader), []byte("2"), []byte("whatever it is")))
	c = chain{}
	noJSON := string(c.line(nil, []byte(kindHeader), []byte(version), []byte("0"), []byte("{")))
	c = chain{}
	badPiece := string(c.line(nil, []byte(kindHeader), []byte(version), []byte("0"), []byte(`{"size":1,"piece_size":-1}`)))
	tests := []struct {
		name, text string
		want       error
	}{
		{"nothing", "", ErrCorrupt},
		{"zeros", strings.Repeat("\x00", 4096), ErrCorrupt},
		{"text", "hello\nworld\n", ErrCorrupt},
		{"a line without end", strings.Repeat("x", 4*maxLine), ErrCorrupt},
		{"another format with the same checks", otherKind, ErrCorrupt},
		{"a later version", later, ErrVersion},
		{"a later version, damaged", strings.Replace(later, "what", "that", 1), ErrCorrupt},
		{"a header that is no JSON", noJSON, ErrCorrupt},
		{"a header that makes no sense", badPiece, ErrCorrupt},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Read(file(tt.text))
			if !errors.Is(err, tt.want) {
				t.Errorf("%v, want %v", err, tt.want)
			}
			wantPathError(t, err)
		})
	}
	if _, err := Read(dir); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a folder: %v", err)
	}
	link := filepath.Join(dir, "link")
	if os.Symlink(file("text"), link) == nil {
		if _, err := Read(link); !errors.Is(err, ErrCorrupt) {
			t.Errorf("a symbolic link: %v", err)
		}
	}
}

func TestAfterClose(t *testing.T) {
	for name, end := range map[string]func(*Journal) error{"Close": (*Journal).Close, "Remove": (*Journal).Remove} {
		t.Run(name, func(t *testing.T) {
			path := onDisk(t)
			j, err := Create(path, &State{Header: testHeader})
			must(t, err)
			must(t, j.Add(sp(0, 1), 0))
			must(t, end(j))
			for name, err := range calls(j) {
				if !errors.Is(err, fs.ErrClosed) {
					t.Errorf("%s: %v", name, err)
				}
			}
			must(t, j.Close())
			must(t, j.Remove())
			wantFiles(t, filepath.Dir(path))
		})
	}
}

// calls are the errors of all methods that have any.
func calls(j *Journal) map[string]error {
	_, forget := j.Forget(sp(0, 1))
	return map[string]error{
		"Add": j.Add(sp(10, 11), 0), "Note": j.Note(Place{}), "Forget": forget, "Sync": j.sync(func() error { return nil }),
	}
}

// A full disk, mostly: what could not be recorded is not, and the next record takes its place.
func TestWriteFails(t *testing.T) {
	for _, torn := range []int{0, 1, 10, 1000} {
		disk := newDisk()
		disk.torn = func(n int) int { return min(n, torn) }
		j := begin(t, disk)
		must(t, j.Add(sp(0, 10), 1))
		must(t, j.sync(func() error { return nil }))
		was := j.State()

		disk.fail = func(string) error { return syscall.ENOSPC }
		_, forget := j.Forget(sp(0, 1))
		for name, err := range map[string]error{"Add": j.Add(sp(10, 20), 2), "Note": j.Note(Place{At: 1, URL: "http://a.example/"}), "Forget": forget} {
			if !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("%s: %v", name, err)
			}
			wantPathError(t, err)
		}
		if diff := cmp.Diff(was, j.State()); diff != "" {
			t.Error(diff)
		}
		disk.fail = func(string) error { return nil }
		must(t, j.Add(sp(100000, 100010), 3))
		got, err := decode(bytes.NewReader(disk.text()))
		must(t, err)
		if !same(got, j.State()) {
			t.Errorf("%d bytes torn: %s", torn, cmp.Diff(j.State(), got))
		}
	}
}

// What a sync that failed may have lost is never taken for durable.
func TestSyncFails(t *testing.T) {
	tests := []struct {
		name  string
		flush error  // of FILE.part
		call  string // of the journal
	}{
		{"the part file's", syscall.EIO, ""},
		{"the journal's", nil, "sync"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			disk := newDisk()
			j := begin(t, disk)
			must(t, j.Add(sp(0, 10), 1))
			disk.fail = func(call string) error {
				if call == tt.call {
					return syscall.EIO
				}
				return nil
			}
			if err := j.sync(func() error { return tt.flush }); !errors.Is(err, syscall.EIO) {
				t.Errorf("Sync: %v", err)
			}
			disk.fail = func(string) error { return nil }
			for name, err := range calls(j) {
				if !errors.Is(err, syscall.EIO) {
					t.Errorf("%s afterwards: %v", name, err)
				}
			}
			got, err := decode(bytes.NewReader(disk.text()))
			must(t, err)
			if tt.flush != nil && (len(got.Ranges) != 1 || got.Ranges[0].Durable) {
				t.Errorf("%+v", got.Ranges)
			}
			must(t, j.Close())
		})
	}
}

// The end of a sync that could not be recorded is made up for by the next.
func TestConfirmFails(t *testing.T) {
	disk := newDisk()
	j := begin(t, disk)
	must(t, j.Add(sp(0, 10), 1))
	err := j.sync(func() error {
		disk.fail = func(string) error { return syscall.ENOSPC }
		return nil
	})
	if !errors.Is(err, syscall.ENOSPC) || j.State().Ranges[0].Durable {
		t.Errorf("%v, %+v", err, j.State().Ranges)
	}
	disk.fail = func(string) error { return nil }
	must(t, j.sync(func() error { return nil }))
	got, err := decode(bytes.NewReader(disk.text()))
	must(t, err)
	if !j.State().Ranges[0].Durable || !same(got, j.State()) {
		t.Errorf("%+v, read %+v", j.State(), got)
	}
}

func TestSyncOfNothing(t *testing.T) {
	disk := newDisk()
	j := begin(t, disk)
	before := len(disk.text())
	must(t, j.sync(func() error { t.Error("flushed"); return nil }))
	must(t, j.Add(sp(0, 1), 0))
	must(t, j.sync(func() error { return nil }))
	must(t, j.sync(func() error { t.Error("flushed again"); return nil }))
	if len(disk.text()) == before {
		t.Error("nothing was written")
	}
}

func TestForget(t *testing.T) {
	j := begin(t, newDisk())
	must(t, j.Add(sp(0, 1000), 1))
	must(t, j.sync(func() error { return nil }))
	must(t, j.Add(sp(2000, 3000), 2))
	must(t, j.Add(sp(1000, 2000), 3))
	for _, tt := range []struct {
		x    span.Span
		want *span.Set
	}{
		{sp(3000, 4000), new(span.Set)},
		{sp(1500, 1500), new(span.Set)},
		{sp(999, 1001), span.Of(sp(0, 2000))},
		{sp(0, 2000), new(span.Set)},
	} {
		got, err := j.Forget(tt.x)
		must(t, err)
		if !covers(got, tt.want) || !covers(tt.want, got) {
			t.Errorf("Forget(%v) = %v", tt.x, got)
		}
	}
	if got := j.State().Covered(); got.Bytes() != 1000 || !got.Covers(sp(2000, 3000)) {
		t.Errorf("%+v", j.State().Ranges)
	}
	must(t, j.Add(sp(500, 1500), 4))
}
