package journal

import (
	"bytes"
	"errors"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// However much is added, a journal stays within a bound: here what would be a terabyte in ranges of 64 KiB, on a smaller
// scale.
func TestStaysSmall(t *testing.T) {
	const (
		limit, step = 256, 64
		adds        = 16 * slack
	)
	disk := newDisk()
	j, err := create(disk, name, &State{Header: Header{Size: adds * step, PieceSize: 4 * step}})
	must(t, err)
	j.ledger.limit = limit
	largest := 0
	for i := range int64(adds) {
		at := i * step
		if i%8 == 3 { // not quite in order
			at += step
		} else if i%8 == 4 {
			at -= step
		}
		must(t, j.Add(sp(at, at+step), 0))
		if i%1000 == 999 {
			must(t, j.sync(func() error { return nil }))
		}
		largest = max(largest, len(disk.text()))
	}
	must(t, j.sync(func() error { return nil }))
	if bound := 50 * (3*slack + 2*limit); largest > bound {
		t.Errorf("%d bytes, more than %d", largest, bound)
	}
	got, err := decode(bytes.NewReader(disk.text()))
	must(t, err)
	if !got.Covered().Covers(sp(0, adds*step)) || len(j.State().Ranges) > limit {
		t.Errorf("%d ranges, and of those read: %v", len(j.State().Ranges), got.Covered().NextGap(sp(0, adds*step)))
	}
}

// grown is a journal that the next Sync writes anew, where it can.
func grown(t *testing.T, disk *fakeDisk) *Journal {
	t.Helper()
	j := begin(t, disk)
	must(t, j.Note(Place{At: 3, Part: 1, URL: "http://a.example/1", Validator: `"x"`}))
	must(t, j.Add(sp(0, 10), 1))
	j.lines += slack
	return j
}

func TestCompactionFails(t *testing.T) {
	tests := []struct {
		call   string
		breaks bool // nobody knows which of the two files has the name
	}{{"create", false}, {"rename", true}, {"sync folder", true}}
	for _, tt := range tests {
		t.Run(tt.call, func(t *testing.T) {
			disk := newDisk()
			j := grown(t, disk)
			disk.fail = func(call string) error {
				if call == tt.call {
					return syscall.EIO
				}
				return nil
			}
			err := j.sync(func() error { return nil })
			disk.fail = func(string) error { return nil }
			for name, err := range map[string]error{"Sync": err, "Add": j.Add(sp(10, 20), 2)} {
				if tt.breaks != errors.Is(err, syscall.EIO) || !tt.breaks && err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
			got, err := decode(bytes.NewReader(disk.text()))
			must(t, err)
			if !same(got, j.State()) {
				t.Error(cmp.Diff(j.State(), got))
			}
			if disk.names[name+tempExt] != nil {
				t.Error("the new one was left behind")
			}
		})
	}
}

func TestCompaction(t *testing.T) {
	disk := newDisk()
	j := grown(t, disk)
	before := disk.names[name]
	must(t, j.sync(func() error { return nil }))
	if disk.names[name] == before || disk.names[name+tempExt] != nil {
		t.Fatal("it was not written anew")
	}
	must(t, j.Add(sp(100, 110), 2))
	got, err := decode(bytes.NewReader(disk.text()))
	must(t, err)
	if diff := cmp.Diff(j.State(), got); diff != "" {
		t.Error(diff)
	}
}
