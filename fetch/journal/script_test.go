package journal

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spate/format/span"
)

// A download is a process that writes a part file and its journal, in the order that it has to. After each step it takes
// down what the journal says, and how long it is.
type download struct {
	t    *testing.T
	rnd  *rand.Rand
	file []byte // as it ought to be; what is forgotten was wrong, and is to be something else
	part fakeFile
	j    *Journal

	steps []step

	adding, forgetting span.Span // what is under way
}

type step struct {
	len   int64 // of the journal
	state *State
}

func newDownload(t *testing.T, d *fakeDisk, rnd *rand.Rand) *download {
	dl := &download{t: t, rnd: rnd, file: bytes.Clone(content(int(testHeader.Size) / 8)), part: fakeFile{disk: newDisk()}}
	j, err := create(d, name, &State{Header: testHeader})
	if err == nil {
		dl.j = j
		dl.took()
	}
	return dl
}

func (d *download) took() { d.steps = append(d.steps, step{d.j.end.off, d.j.State()}) }

// step does something; the error is of the journal.
func (d *download) step() (err error) {
	switch d.rnd.IntN(12) {
	case 0:
		err = d.sync()
	case 1:
		err = d.forget(d.some())
	case 2:
		err = d.j.Note(Place{At: d.some().Off, URL: "http://a.example/2", Validator: "\xff\"x\n"})
	default:
		err = d.write(d.some())
	}
	if err == nil {
		d.took()
	}
	return err
}

func (d *download) some() span.Span {
	off := d.rnd.Int64N(testHeader.Size / 16)
	return sp(off, off+1+d.rnd.Int64N(2*testHeader.PieceSize))
}

// write writes what of x is not there.
func (d *download) write(x span.Span) error {
	for gap := range d.j.State().Covered().Gaps(x) {
		d.part.WriteAt(d.file[gap.Off:gap.End], gap.Off)
		d.adding = gap
		if err := d.j.Add(gap, Checksum(d.file[gap.Off:gap.End])); err != nil {
			return err
		}
		d.adding = span.Span{}
		d.took()
	}
	return nil
}

func (d *download) forget(x span.Span) error {
	d.forgetting = d.j.ledger.touched(x).Bounds()
	gone, err := d.j.Forget(x)
	if err != nil {
		return err
	}
	d.forgetting = span.Span{}
	for x := range gone.All() {
		for i := x.Off; i < x.End; i++ {
			d.file[i]++
		}
	}
	return nil
}

// sync is [Journal.Sync], with what it does between its records.
func (d *download) sync() error {
	return d.j.sync(func() error {
		d.took()
		if err := d.part.Sync(); err != nil {
			return err
		}
		return d.write(d.some()) // after it, but before the record of it
	})
}

func same(a, b *State) bool {
	x, y := *a, *b
	x.Torn, y.Torn = false, false
	return cmp.Equal(x.Ranges, y.Ranges) && len(x.Places) == len(y.Places) && cmp.Equal(x.Header, y.Header)
}

func record(t *testing.T, n int) (*download, []byte) {
	t.Helper()
	disk := newDisk()
	d := newDownload(t, disk, seeded(t))
	for range n {
		must(t, d.step())
	}
	return d, disk.text()
}

func TestReadsWhatWasWritten(t *testing.T) {
	d, text := record(t, 500)
	got, err := decode(bytes.NewReader(text))
	must(t, err)
	if diff := cmp.Diff(d.j.State(), got); diff != "" {
		t.Error(diff)
	}
}

// Cut after any byte, a journal says what it said when it was that long: never more, and no less.
func TestCutAfterEveryByte(t *testing.T) {
	d, text := record(t, 120)
	steps := d.steps
	for n := range len(text) + 1 {
		got, err := decode(bytes.NewReader(text[:n]))
		if int64(n) < steps[0].len {
			if !errors.Is(err, ErrCorrupt) || got != nil {
				t.Fatalf("%d bytes, less than a header: %+v, %v", n, got, err)
			}
			continue
		}
		must(t, err)
		want := steps[0]
		for _, s := range steps {
			if s.len <= int64(n) {
				want = s
			}
		}
		if !same(got, want.state) {
			t.Fatalf("%d bytes:\n%s", n, cmp.Diff(want.state, got))
		}
		if lines := n > 0 && text[n-1] == '\n'; got.Torn == lines {
			t.Fatalf("%d bytes: Torn = %v", n, got.Torn)
		}
	}
}

// One byte that is not what it was ends the journal where it stands.
func TestEveryByteFlipped(t *testing.T) {
	d, text := record(t, 60)
	for i := range text {
		for _, bit := range []byte{0x01, 0x20, 0x80, byte(1 << d.rnd.IntN(8))} {
			damaged := bytes.Clone(text)
			damaged[i] ^= bit
			got, err := decode(bytes.NewReader(damaged))
			if int64(i) < d.steps[0].len {
				if !errors.Is(err, ErrCorrupt) {
					t.Fatalf("byte %d of the header: %v", i, err)
				}
				continue
			}
			must(t, err)
			var want *State
			for _, s := range d.steps {
				if s.len <= int64(i) {
					want = s.state
				}
			}
			if !got.Torn || !same(got, want) {
				t.Fatalf("byte %d: torn %v\n%s", i, got.Torn, cmp.Diff(want, got))
			}
		}
	}
}

// A line that is lost, doubled, or of another journal is not in its place.
func TestLinesInOtherPlaces(t *testing.T) {
	_, text := record(t, 40)
	_, other := record(t, 40)
	lines, others := bytes.SplitAfter(text, []byte("\n")), bytes.SplitAfter(other, []byte("\n"))
	for i := 1; i+1 < len(lines); i++ {
		upTo := bytes.Join(lines[:i], nil)
		for name, next := range map[string][]byte{
			"lost": lines[i+1], "doubled": lines[i-1], "of another": others[min(i, len(others)-2)],
		} {
			if len(next) == 0 || bytes.Equal(next, lines[i]) {
				continue
			}
			got, err := decode(bytes.NewReader(append(bytes.Clone(upTo), next...)))
			must(t, err)
			was, err := decode(bytes.NewReader(upTo))
			must(t, err)
			if !got.Torn || !same(got, was) {
				t.Fatalf("line %d %s: %s", i, name, cmp.Diff(was, got))
			}
		}
	}
}

// Killed at any call, also in the middle of a write, a process leaves a journal of what it had recorded.
func TestKilledAtEveryCall(t *testing.T) {
	rnd := seeded(t)
	for _, torn := range []func(int) int{func(int) int { return 0 }, func(n int) int { return n / 2 }, func(n int) int { return n }} {
		for calls, ended := 0, false; !ended; calls++ {
			disk := newDisk()
			disk.left, disk.torn = calls, torn
			d := newDownload(t, disk, rnd)
			ended = d.j != nil && d.live(150)
			checkKilled(t, d, disk)
			if t.Failed() {
				t.Fatalf("after %d calls", calls)
			}
		}
	}
}

// live goes on until the end, or until it dies; true for the former. It has the journal written anew now and then.
func (d *download) live(steps int) bool {
	for i := range steps {
		if i%20 == 19 {
			d.j.lines += slack
			if err := d.sync(); err != nil {
				return false
			}
		}
		if err := d.step(); err != nil {
			return false
		}
	}
	return true
}

// checkKilled: what is read is what was recorded, but for the step that was under way, which nobody was told of.
func checkKilled(t *testing.T, d *download, disk *fakeDisk) {
	t.Helper()
	text := disk.text()
	if d.j == nil && text == nil {
		return
	}
	s, err := decode(bytes.NewReader(text))
	must(t, err)
	var last State
	if d.j != nil {
		last = *d.steps[len(d.steps)-1].state
	}
	least, most := last.Covered(), last.Covered()
	least.Remove(d.forgetting)
	most.Add(d.adding)
	if got := s.Covered(); !covers(got, least) || !covers(most, got) {
		t.Errorf("recorded %+v, read %+v; adding %v, forgetting %v", last.Ranges, s.Ranges, d.adding, d.forgetting)
	}
	for _, r := range s.Ranges {
		if !matches(d.part.data, r) {
			t.Errorf("%+v is not in the file", r)
		}
	}
}

func covers(a, b *span.Set) bool {
	for x := range b.All() {
		if !a.Covers(x) {
			return false
		}
	}
	return true
}

// Power is cut at any moment: of the journal and of the part file, anything that was not synced may be lost. Whatever
// Verify lets pass is in the file, and what a Sync had confirmed is let pass.
func TestPowerCut(t *testing.T) {
	rnd := seeded(t)
	for round := range 300 {
		disk := newDisk()
		disk.left = rnd.IntN(200)
		d := newDownload(t, disk, rnd)
		var confirmed *span.Set
		if d.j != nil {
			d.live(150)
			confirmed = d.confirmed()
		}
		text, part := disk.textAfterPowerCut(rnd), d.part.afterPowerCut(rnd)
		checkPowerCut(t, text, part, confirmed)
		if t.Failed() {
			t.Fatalf("round %d", round)
		}
	}
}

// confirmed is what was durable when the last sync had ended, less what was, or was being, forgotten since.
func (d *download) confirmed() *span.Set {
	var set span.Set
	for _, r := range d.steps[len(d.steps)-1].state.Ranges {
		if r.Durable {
			set.Add(r.Span)
		}
	}
	set.Remove(d.forgetting)
	return &set
}

// checkPowerCut looks at what was left; confirmed is nil if the process had no journal yet.
func checkPowerCut(t *testing.T, text, part []byte, confirmed *span.Set) {
	t.Helper()
	s, err := decode(bytes.NewReader(text))
	if err != nil {
		if confirmed != nil || !errors.Is(err, ErrCorrupt) {
			t.Errorf("the journal is lost: %v", err)
		}
		return
	}
	for _, r := range s.Ranges {
		if r.Durable && !matches(part, r) {
			t.Errorf("%+v is not durable", r)
		}
	}
	good, err := Verify(t.Context(), bytes.NewReader(part), s, nil)
	must(t, err)
	for _, r := range good.Ranges {
		if !matches(part, r) {
			t.Errorf("%+v passed", r)
		}
	}
	if confirmed != nil && !covers(good.Covered(), confirmed) {
		t.Errorf("confirmed %v, passed %+v", slices.Collect(confirmed.All()), good.Ranges)
	}
}

func matches(part []byte, r Range) bool {
	return r.End <= int64(len(part)) && Checksum(part[r.Off:r.End]) == r.CRC
}

func TestConcurrent(t *testing.T) {
	const workers, each = 8, 300
	disk := &lockedDisk{fakeDisk: newDisk()}
	j := begin(t, disk)
	var wg sync.WaitGroup
	done := make(chan struct{})
	for w := range int64(workers) {
		wg.Go(func() {
			for i := range int64(each) {
				off := (i*workers + w) * 64
				if err := j.Add(sp(off, off+64), uint32(off)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	syncer := make(chan struct{})
	go func() {
		defer close(syncer)
		for {
			if err := j.sync(func() error { return nil }); err != nil {
				t.Error(err)
			}
			j.State()
			select {
			case <-done:
				return
			default:
			}
		}
	}()
	wg.Wait()
	close(done)
	<-syncer
	must(t, j.sync(func() error { return nil }))
	got, err := decode(bytes.NewReader(disk.text()))
	must(t, err)
	if diff := cmp.Diff(j.State(), got); diff != "" {
		t.Error(diff)
	}
	if want := sp(0, workers*each*64); !got.Covered().Covers(want) {
		t.Errorf("%v", got.Ranges)
	}
	for _, r := range got.Ranges {
		if !r.Durable {
			t.Errorf("%+v is not durable", r)
		}
	}
	must(t, j.Close())
}

// A lockedDisk is for several goroutines: a file may be synced while it is written.
type lockedDisk struct {
	mu sync.Mutex
	*fakeDisk
}

type lockedFile struct {
	mu *sync.Mutex
	file
}

func (d *lockedDisk) create(name string) (file, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f, err := d.fakeDisk.create(name)
	return lockedFile{&d.mu, f}, err
}

func (f lockedFile) WriteAt(p []byte, off int64) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.file.WriteAt(p, off)
}

func (f lockedFile) Sync() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.file.Sync()
}
