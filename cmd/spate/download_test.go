package main

import (
	"errors"
	"sync/atomic"
	"testing"

	"spate/event"
)

// follow is what becomes of the files that events tell of, and then of what is left.
func follow(events ...event.Event) (files []outcome, left outcome) {
	d := newDownload(outcome{path: "given", url: "u", size: -1}, new(atomic.Int64))
	for _, e := range events {
		d.connects.Add(1)
		if d.observe(e) {
			files = append(files, *d.end())
		}
	}
	return files, *d.end()
}

func TestDownload(t *testing.T) {
	files, _ := follow(
		event.Event{Type: event.Begin, Path: "x", Size: 10, Bytes: 4},
		event.Event{Type: event.Progress, Bytes: 7, Size: 10},
		event.Event{Type: event.File, Path: "x", Bytes: 10, SHA256: "ab"})
	o := files[0]
	if o.path != "x" || o.url != "u" || o.size != 10 || o.fetched != 6 || o.sha256 != "ab" || o.connects != 3 || o.took < 0 {
		t.Errorf("%+v", o)
	}
}

func TestDownloadWithoutBegin(t *testing.T) {
	files, _ := follow(event.Event{Type: event.File, Path: "x", Bytes: 10})
	if o := files[0]; o.size != 10 || o.fetched != 10 {
		t.Errorf("%+v", o)
	}
}

func TestDownloadThatFails(t *testing.T) {
	_, o := follow(
		event.Event{Type: event.Begin, Path: "x", Size: -1, Bytes: 4},
		event.Event{Type: event.Progress, Bytes: 7, Size: 10})
	if o.path != "x" || o.size != 10 || o.fetched != 3 {
		t.Errorf("%+v", o)
	}
	if _, o := follow(); o.path != "given" || o.size != -1 || o.fetched != 0 || o.connects != 0 {
		t.Errorf("at once: %+v", o)
	}
}

// TestDownloadOfASequence: progress is that of the stream, with the lengths in it.
func TestDownloadOfASequence(t *testing.T) {
	files, left := follow(
		event.Event{Type: event.Progress, Bytes: 14, Size: -1},
		event.Event{Type: event.File, Path: "x1", Bytes: 10},
		event.Event{Type: event.File, Path: "x2", Bytes: 0},
		event.Event{Type: event.Progress, Bytes: 30, Size: -1})
	if o := files[0]; o.size != 10 || o.fetched != 10 || o.connects != 2 {
		t.Errorf("%+v", o)
	}
	if o := files[1]; o.size != 0 || o.fetched != 0 || o.path != "x2" || o.connects != 1 {
		t.Errorf("%+v", o)
	}
	if left.path != "" || left.size != -1 || left.fetched != 16 {
		t.Errorf("%+v", left)
	}
}

func TestDownloadErrors(t *testing.T) {
	one, two, cause := errors.New("one"), errors.New("two"), errors.New("cause")
	for _, tt := range []struct {
		failed []error
		err    error
		want   string
		is     error
	}{
		{[]error{nil}, nil, "<nil>", nil},
		{nil, cause, "cause", cause},
		{[]error{nil, one}, nil, "one", one},
		{[]error{one, two, two}, nil, "one; and 2 more", one},
		{[]error{one}, cause, "cause; one", cause},
		{[]error{one, two}, cause, "cause; one; and 1 more", cause},
	} {
		var d download
		for _, err := range tt.failed {
			d.failed(err)
		}
		err := d.error(tt.err)
		if got := errorText(err); got != tt.want || !errors.Is(err, tt.is) {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}

func errorText(err error) string {
	if err == nil {
		return "<nil>"
	}
	return err.Error()
}
