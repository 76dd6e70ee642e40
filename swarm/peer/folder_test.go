package peer

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// folder makes a folder of these files: names and texts in turn.
func folder(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < len(files); i += 2 {
		write(t, filepath.Join(dir, files[i]), files[i+1])
	}
	return dir
}

func write(t *testing.T, path, text string) {
	t.Helper()
	must(t, os.WriteFile(path, []byte(text), 0o666))
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	must(t, err)
	return string(b)
}

func open(t *testing.T, dir string) *Folder {
	t.Helper()
	f, err := OpenFolder(dir)
	must(t, err)
	t.Cleanup(func() { f.Close() })
	return f
}

func put(t *testing.T, s Store, chunk int, text string) {
	t.Helper()
	d, err := s.Create(chunk)
	must(t, err)
	_, err = io.WriteString(d, text)
	must(t, err)
	must(t, d.Commit())
}

func get(t *testing.T, s Store, chunk int) string {
	t.Helper()
	sec, err := s.Open(chunk)
	must(t, err)
	defer sec.Close()
	b, err := io.ReadAll(sec.Reader())
	must(t, err)
	return string(b)
}

func listNames(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestListsThatAreTaken(t *testing.T) {
	for name, c := range map[string]struct {
		list string
		have []int
		last int
	}{
		"as the sheet has it":    {"1,a\n3,b\n4,LASTCHUNK\n", []int{1, 3}, 4},
		"CRLF":                   {"1,a\r\n3,b\r\n4,LASTCHUNK\r\n", []int{1, 3}, 4},
		"no final newline":       {"1,a\n4,LASTCHUNK", []int{1}, 4},
		"CRLF, no final newline": {"1,a\r\n4,LASTCHUNK", []int{1}, 4},
		"nothing there":          {"4,LASTCHUNK\n", nil, 4},
		"out of order":           {"3,b\n1,a\n3,LASTCHUNK\n", []int{1, 3}, 3},
		"appended to":            {"1,a\n3,LASTCHUNK\n3,b\n", []int{1, 3}, 3},
		"said twice":             {"3,LASTCHUNK\n1,a\n3,LASTCHUNK\n", []int{1}, 3},
		"blanks and blank lines": {"\n 1 , a \n\n4,LASTCHUNK \n\n", []int{1}, 4},
		"byte order mark":        {"\uFEFF1,a\n4,LASTCHUNK\n", []int{1}, 4},
		"comma in a name":        {"1,a,b\n4,LASTCHUNK\n", []int{1}, 4},
		"in a folder inside":     {"1,sub/c\n1,LASTCHUNK\n", []int{1}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			dir := folder(t, "a", "A", "b", "B", "a,b", "AB", ListName, c.list)
			must(t, os.Mkdir(filepath.Join(dir, "sub"), 0o777))
			write(t, filepath.Join(dir, "sub", "c"), "C")
			f := open(t, dir)
			if !slices.Equal(f.Have(), c.have) || f.Last() != c.last {
				t.Errorf("%v of %d", f.Have(), f.Last())
			}
			if got := read(t, filepath.Join(dir, ListName)); got != c.list {
				t.Errorf("opening has changed the list to %q", got)
			}
		})
	}
}

func TestListsThatAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		list string
		line int
		says string
	}{
		"no index":            {"1,a\nb\n4,LASTCHUNK\n", 2, `"b"`},
		"no name":             {"1,\n4,LASTCHUNK\n", 1, "INDEX,FILE"},
		"words":               {"one,a\n4,LASTCHUNK\n", 1, `"one,a"`},
		"index 0":             {"1,a\n0,b\n4,LASTCHUNK\n", 2, "an index is 1 to"},
		"negative":            {"-1,a\n4,LASTCHUNK\n", 1, "an index is 1 to"},
		"no chunks at all":    {"0,LASTCHUNK\n", 1, "an index is 1 to"},
		"too many":            {"1048577,LASTCHUNK\n", 1, "1048576"},
		"two lines":           {"1,a\n2,b\n1,b\n4,LASTCHUNK\n", 3, "chunk 1 stands in line 1 already"},
		"beyond the last":     {"1,a\n5,b\n4,LASTCHUNK\n", 2, "chunk 5 is beyond LASTCHUNK, which is 4"},
		"no end":              {"1,a\n2,b\n", 0, "has no line N,LASTCHUNK"},
		"empty":               {"", 0, "has no line N,LASTCHUNK"},
		"two ends":            {"1,a\n4,LASTCHUNK\n5,LASTCHUNK\n", 3, "LASTCHUNK is 5 here, and 4 in line 2"},
		"out of the folder":   {"1,a\n2,../b\n4,LASTCHUNK\n", 2, `"../b": leads out of the folder`},
		"by a detour":         {"2,x/../../b\n4,LASTCHUNK\n", 1, "leads out of the folder"},
		"absolute":            {"2,/etc/passwd\n4,LASTCHUNK\n", 1, "leads out of the folder"},
		"the folder":          {"2,.\n4,LASTCHUNK\n", 1, "leads out of the folder"},
		"the list itself":     {"1,./local_chunks.txt\n4,LASTCHUNK\n", 1, "is the list itself"},
		"what is removed":     {"1,c.spate-part\n4,LASTCHUNK\n", 1, "ends as what is still being written does"},
		"a file that is none": {"1,a\n2,nothing\n4,LASTCHUNK\n", 2, "chunk 2: nothing: no such file"},
		"a folder":            {"1,sub\n4,LASTCHUNK\n", 1, "chunk 1: sub: not a regular file"},
		"a link out":          {"1,link\n4,LASTCHUNK\n", 1, "chunk 1: link: path escapes"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := folder(t, "a", "A", "b", "B", ListName, c.list)
			must(t, os.Mkdir(filepath.Join(dir, "sub"), 0o777))
			must(t, os.Symlink("/etc/passwd", filepath.Join(dir, "link")))
			_, err := OpenFolder(dir)
			e, ok := errors.AsType[*ListError](err)
			if !ok || e.Line != c.line || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("%v, want line %d and %q", err, c.line, c.says)
			}
			want := filepath.Join(dir, ListName)
			if c.line > 0 {
				want += fmt.Sprintf(" line %d", c.line)
			}
			if !strings.HasPrefix(err.Error(), want+": ") {
				t.Errorf("%v does not begin with %s", err, want)
			}
			if got := read(t, want[:len(dir)+1+len(ListName)]); got != c.list {
				t.Errorf("the list has become %q", got)
			}
		})
	}
}

func TestFoldersThatAreRefused(t *testing.T) {
	empty := t.TempDir()
	file := filepath.Join(folder(t, "file", ""), "file")
	for path, says := range map[string]string{
		filepath.Join(empty, "none"): "none: no such file or directory",
		empty:                        ListName + ": no such file or directory",
		file:                         "file: not a directory",
	} {
		if _, err := OpenFolder(path); err == nil || !strings.HasSuffix(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
	}
}

func TestFolderInUse(t *testing.T) {
	dir := folder(t, ListName, "2,LASTCHUNK\n")
	f := open(t, dir)
	if _, err := OpenFolder(dir); !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), dir) {
		t.Errorf("%v", err)
	}
	must(t, f.Close())
	open(t, dir)
}

// All chunks are here, so nobody has locked the folder; but one is damaged, and both that serve it fetch it.
func TestFolderInUseWhenOneIsToBeFetched(t *testing.T) {
	dir := folder(t, "a", "A", "chunk_1.1"+tempExt, "left", ListName, "1,a\n1,LASTCHUNK\n")
	one, other := open(t, dir), open(t, dir)
	d, err := one.Create(1)
	must(t, err)
	if _, err := other.Create(1); !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), dir) {
		t.Errorf("%v", err)
	}
	_, err = io.WriteString(d, "whole")
	must(t, err)
	must(t, d.Commit())
	if got := get(t, one, 1); got != "whole" {
		t.Errorf("%q", got)
	}
}

// Who only reads a folder neither locks it nor writes into it.
func TestFolderThatIsOnlyRead(t *testing.T) {
	dir := folder(t, "a", "A", "chunk_2.1"+tempExt, "left", ListName, "1,a\n2,LASTCHUNK\n")
	f, err := ReadFolder(dir)
	must(t, err)
	defer f.Close()
	if want := []string{"a", "chunk_2.1" + tempExt, ListName}; !slices.Equal(listNames(t, dir), want) {
		t.Errorf("%v", listNames(t, dir))
	}
	open(t, dir) // to fetch into
	again, err := ReadFolder(dir)
	must(t, err)
	defer again.Close()
	if got := get(t, again, 1); got != "A" || again.Last() != 2 {
		t.Errorf("%q of %d", got, again.Last())
	}
}

func TestChunkIsSaved(t *testing.T) {
	dir := folder(t, "mine.bin", "A", ListName, "2,mine.bin\r\n3,LASTCHUNK")
	f := open(t, dir)
	put(t, f, 3, "C")
	put(t, f, 1, "")
	if got := read(t, filepath.Join(dir, ListName)); got != "1,chunk_1\n2,mine.bin\n3,chunk_3\n3,LASTCHUNK\n" {
		t.Errorf("%q", got)
	}
	if want := []string{"chunk_1", "chunk_3", ListName, "mine.bin"}; !slices.Equal(listNames(t, dir), want) {
		t.Errorf("%v", listNames(t, dir))
	}
	for chunk, want := range map[int]string{1: "", 2: "A", 3: "C"} {
		if got := get(t, f, chunk); got != want {
			t.Errorf("chunk %d is %q", chunk, got)
		}
	}
	if !slices.Equal(f.Have(), []int{1, 2, 3}) {
		t.Errorf("%v", f.Have())
	}
	must(t, f.Close())
	if got := open(t, dir).Have(); !slices.Equal(got, []int{1, 2, 3}) {
		t.Errorf("opened again: %v", got)
	}
}

// Splitters count from 0: chunk 1 is in chunk_0, chunk 2 in chunk_1, which what arrives as chunk 1 must not replace.
func TestNameOfAnotherChunkIsLeftAlone(t *testing.T) {
	dir := folder(t, "chunk_1", "two", "chunk_1.1", "three", ListName, "2,chunk_1\n3,./chunk_1.1\n3,LASTCHUNK\n")
	f := open(t, dir)
	put(t, f, 1, "one")
	for chunk, want := range map[int]string{1: "one", 2: "two", 3: "three"} {
		if got := get(t, f, chunk); got != want {
			t.Errorf("chunk %d is %q", chunk, got)
		}
	}
	if got := read(t, filepath.Join(dir, ListName)); got != "1,chunk_1.2\n2,chunk_1\n3,./chunk_1.1\n3,LASTCHUNK\n" {
		t.Errorf("%q", got)
	}
}

func TestDraftIsDropped(t *testing.T) {
	dir := folder(t, "a", "A", ListName, "1,a\n2,LASTCHUNK\n")
	f := open(t, dir)
	one, err := f.Create(2)
	must(t, err)
	other, err := f.Create(2)
	must(t, err)
	_, err = io.WriteString(one, "half")
	must(t, err)
	_, err = io.WriteString(other, "whole")
	must(t, err)
	must(t, other.Commit())
	must(t, one.Discard())
	if got := get(t, f, 2); got != "whole" {
		t.Errorf("%q", got)
	}
	if want := []string{"a", "chunk_2", ListName}; !slices.Equal(listNames(t, dir), want) {
		t.Errorf("%v", listNames(t, dir))
	}
}

// What a peer was writing when it died goes when the next one opens the folder; other files stay.
func TestWhatADeadPeerLeft(t *testing.T) {
	dir := folder(t, "chunk_2.1"+tempExt, "ha", ListName+tempExt, "1,", "chunk_2", "unlisted", ListName, "2,LASTCHUNK\n")
	f := open(t, dir)
	if want := []string{"chunk_2", ListName}; !slices.Equal(listNames(t, dir), want) {
		t.Errorf("%v", listNames(t, dir))
	}
	put(t, f, 2, "two")
	if got := get(t, f, 2); got != "two" {
		t.Errorf("%q", got)
	}
}

// Writing to /dev/full fails as writing to a full disk does.
func TestNoSpaceForAChunk(t *testing.T) {
	dir := folder(t, "a", "A", ListName, "1,a\n2,LASTCHUNK\n")
	f := open(t, dir)
	d, err := f.Create(2)
	must(t, err)
	must(t, d.file.Close())
	d.file, err = os.OpenFile("/dev/full", os.O_RDWR, 0)
	must(t, err)
	if _, err := io.WriteString(d, "text"); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("%v", err)
	}
	must(t, d.Discard())
	if got := read(t, filepath.Join(dir, ListName)); got != "1,a\n2,LASTCHUNK\n" || !slices.Equal(f.Have(), []int{1}) {
		t.Errorf("%q, %v", got, f.Have())
	}
}

// A name that cannot be had leaves everything as it was.
func TestCommitFails(t *testing.T) {
	dir := folder(t, "a", "A", ListName, "1,a\n2,LASTCHUNK\n")
	must(t, os.MkdirAll(filepath.Join(dir, "chunk_2", "in the way"), 0o777))
	f := open(t, dir)
	d, err := f.Create(2)
	must(t, err)
	err = d.Commit()
	if err == nil || !strings.Contains(err.Error(), filepath.Join(dir, "chunk_2")) {
		t.Errorf("%v", err)
	}
	if want := []string{"a", "chunk_2", ListName}; !slices.Equal(listNames(t, dir), want) || !slices.Equal(f.Have(), []int{1}) {
		t.Errorf("%v, %v", listNames(t, dir), f.Have())
	}
}

func TestManyChunksAtOnce(t *testing.T) {
	const last = 64
	dir := folder(t, ListName, fmt.Sprintf("%d,LASTCHUNK\n", last))
	f := open(t, dir)
	var all sync.WaitGroup
	for chunk := 1; chunk <= last; chunk++ {
		all.Go(func() {
			d, err := f.Create(chunk)
			if err == nil {
				_, err = fmt.Fprint(d, chunk)
			}
			if err == nil {
				err = d.Commit()
			}
			if err != nil {
				t.Error(err)
			}
			if list := read(t, filepath.Join(dir, ListName)); !strings.Contains("\n"+list, fmt.Sprintf("\n%d,chunk_%[1]d\n", chunk)) {
				t.Errorf("chunk %d was committed, and is not in the list", chunk)
			}
		})
	}
	all.Wait()
	must(t, f.Close())
	f = open(t, dir)
	for chunk := 1; chunk <= last; chunk++ {
		if got := get(t, f, chunk); got != fmt.Sprint(chunk) {
			t.Errorf("chunk %d is %q", chunk, got)
		}
	}
}

func TestSums(t *testing.T) {
	line := func(text, name string) string { return fmt.Sprintf("%x  %s\n", sha256.Sum256([]byte(text)), name) }
	dir := folder(t, "mine.bin", "A", ListName, "1,mine.bin\n3,LASTCHUNK\n", SumsName, line("A", "mine.bin")+line("B", "chunk_2"))
	f := open(t, dir)
	for chunk, text := range map[int]string{1: "A", 2: "B"} {
		sum, ok, err := f.Sum(chunk)
		want := sha256.Sum256([]byte(text))
		if err != nil || !ok || !bytes.Equal(sum.Value, want[:]) {
			t.Errorf("chunk %d: %v, %v, %v", chunk, sum, ok, err)
		}
	}
	if _, ok, err := f.Sum(3); ok || err != nil {
		t.Errorf("chunk 3: %v, %v", ok, err)
	}
	must(t, os.Remove(filepath.Join(dir, SumsName)))
	must(t, f.Close())
	if _, ok, err := open(t, dir).Sum(1); ok || err != nil {
		t.Errorf("without a list: %v, %v", ok, err)
	}
}

func TestWhole(t *testing.T) {
	for name, c := range map[string]struct {
		text   string
		chunks int
		want   []string
	}{
		"even":              {"aabbcc", 3, []string{"aa", "bb", "cc"}},
		"shorter last":      {"aabbc", 3, []string{"aa", "bb", "c"}},
		"one":               {"aabbc", 1, []string{"aabbc"}},
		"as many as bytes":  {"abc", 3, []string{"a", "b", "c"}},
		"more than bytes":   {"ab", 3, []string{"a", "b", ""}},
		"empty ones at end": {"aabb", 3, []string{"aa", "bb", ""}},
		"nothing":           {"", 2, []string{"", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			w, err := OpenWhole(filepath.Join(folder(t, "file", c.text), "file"), c.chunks)
			must(t, err)
			if len(w.Have()) != len(c.want) || w.Last() != len(c.want) {
				t.Fatalf("%v", w.Have())
			}
			for i, chunk := range w.Have() {
				if got := get(t, w, chunk); got != c.want[i] {
					t.Errorf("chunk %d is %q", chunk, got)
				}
			}
		})
	}
}

func TestWholeRefuses(t *testing.T) {
	dir := folder(t, "file", "text")
	path := filepath.Join(dir, "file")
	w, err := OpenWhole(path, 2)
	must(t, err)
	for _, chunk := range []int{-1, 0, 3} {
		if _, err := w.Open(chunk); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("chunk %d: %v", chunk, err)
		}
	}
	if _, err := w.Create(1); !errors.Is(err, ErrReadOnly) {
		t.Errorf("%v", err)
	}
	must(t, os.Rename(path, path+".old"))
	write(t, path, "else")
	if _, err := w.Open(1); !errors.Is(err, errChanged) {
		t.Errorf("another file: %v", err)
	}
	for _, chunks := range []int{0, -1, MaxChunks + 1} {
		if _, err := OpenWhole(path, chunks); err == nil {
			t.Errorf("%d chunks", chunks)
		}
	}
	if _, err := OpenWhole(dir, 1); !errors.Is(err, errNotRegular) {
		t.Errorf("a folder: %v", err)
	}
}
