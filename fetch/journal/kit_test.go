package journal

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"spate/format/checksum"
	"spate/format/span"
	"spate/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// seeded is a source of chance whose seed is told if the test fails.
func seeded(t *testing.T) *rand.Rand {
	t.Helper()
	seed := rand.Uint64()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	})
	return rand.New(rand.NewPCG(seed, 0))
}

func sp(off, end int64) span.Span { return span.Span{Off: off, End: end} }

var errDead = errors.New("the process is dead")

// A fakeDisk keeps what is synced apart from what is not, and ends the process at any call.
type fakeDisk struct {
	names, durable map[string]*fakeFile // before, and after the folder was synced
	left           int                  // calls until the end; below 0: never
	torn           func(n int) int      // how much of the last write is done
	fail           func(call string) error
}

func newDisk() *fakeDisk {
	return &fakeDisk{names: map[string]*fakeFile{}, durable: map[string]*fakeFile{}, left: -1,
		torn: func(n int) int { return n / 2 }, fail: func(string) error { return nil }}
}

// call counts one, and reports whether the process lives on behind it, or that it fails.
func (d *fakeDisk) call(name string) (last bool, err error) {
	if d.left == 0 {
		return true, errDead
	}
	d.left--
	return d.left == 0, d.fail(name)
}

func (d *fakeDisk) create(name string) (file, error) {
	if _, err := d.call("create"); err != nil {
		return nil, err
	}
	f := &fakeFile{disk: d}
	d.names[name] = f
	return f, nil
}

func (d *fakeDisk) replace(from, to string) error {
	if _, err := d.call("rename"); err != nil {
		return err
	}
	d.names[to] = d.names[from]
	delete(d.names, from)
	if _, err := d.call("sync folder"); err != nil {
		return err
	}
	clear(d.durable)
	for name, f := range d.names {
		d.durable[name] = f
	}
	return nil
}

func (d *fakeDisk) remove(name string) error {
	if _, err := d.call("remove"); err != nil {
		return err
	}
	delete(d.names, name)
	return nil
}

// A fakeFile is its bytes as a process sees them, and what of that a power cut leaves.
type fakeFile struct {
	disk   *fakeDisk
	data   []byte
	synced []byte
	later  []write // since
}

type write struct {
	p   string
	off int64
}

func (f *fakeFile) WriteAt(p []byte, off int64) (int, error) {
	last, err := f.disk.call("write")
	if err != nil && errors.Is(err, errDead) {
		return 0, err
	}
	if last || err != nil {
		p = p[:f.disk.torn(len(p))]
	}
	f.later = append(f.later, write{string(p), off})
	f.data = patch(f.data, string(p), off)
	if err == nil && last {
		err = errDead
	}
	return len(p), err
}

func patch(data []byte, p string, off int64) []byte {
	if need := int(off) + len(p) - len(data); need > 0 {
		data = append(data, make([]byte, need)...)
	}
	copy(data[off:], p)
	return data
}

func (f *fakeFile) Sync() error {
	if _, err := f.disk.call("sync"); err != nil {
		return err
	}
	f.synced, f.later = append([]byte(nil), f.data...), nil
	return nil
}

func (f *fakeFile) Close() error { return nil }

// afterPowerCut is the file as it may be found: any of the later writes may be lost, or be there in part.
func (f *fakeFile) afterPowerCut(rnd *rand.Rand) []byte {
	data := append([]byte(nil), f.synced...)
	for _, w := range f.later {
		switch rnd.IntN(3) {
		case 0:
			data = patch(data, w.p, w.off)
		case 1:
			data = patch(data, w.p[:rnd.IntN(len(w.p)+1)], w.off)
		}
	}
	return data
}

const name = "FILE.spate"

// text is the journal that a process would find; nil for none.
func (d *fakeDisk) text() []byte {
	if f := d.names[name]; f != nil {
		return f.data
	}
	return nil
}

func (d *fakeDisk) textAfterPowerCut(rnd *rand.Rand) []byte {
	f := d.durable[name]
	if rnd.IntN(2) == 0 && d.names[name] != nil {
		f = d.names[name] // a rename may be there although nobody has synced it
	}
	if f == nil {
		return nil
	}
	return f.afterPowerCut(rnd)
}

var testHeader = Header{
	Origins:   []Origin{{"http://a.example/file", `"abc"`}, {"ftp://b.example/file", ""}},
	Size:      1 << 20,
	PieceSize: 1 << 10,
	Digests:   []checksum.Sum{{Algorithm: checksum.SHA256, Value: []byte{0x00, 0xff}}},
}

// begin creates the journal of a new file on d.
func begin(t *testing.T, d disk) *Journal {
	t.Helper()
	j, err := create(d, name, &State{Header: testHeader})
	must(t, err)
	return j
}

func onDisk(t *testing.T) string { return filepath.Join(t.TempDir(), name) }

func wantPathError(t *testing.T, err error) {
	t.Helper()
	if _, ok := errors.AsType[*fs.PathError](err); !ok {
		t.Errorf("%v is a %T", err, err)
	}
}
