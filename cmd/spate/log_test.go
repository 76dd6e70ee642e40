package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"spate/event"
)

// records are what a log at level debug has of events and of the error of the command.
func records(t *testing.T, err error, events ...event.Event) (all []map[string]any) {
	t.Helper()
	flags := logFlags{file: filepath.Join(t.TempDir(), "log"), level: "debug"}
	l, openErr := flags.open(&process{stderr: new(bytes.Buffer), args: []string{"get", "h/x?token=s3cret"}})
	if openErr != nil {
		t.Fatal(openErr)
	}
	for _, e := range events {
		l.sink()(e)
	}
	l.close(t.Context(), err)
	text, readErr := os.ReadFile(flags.file)
	if readErr != nil {
		t.Fatal(readErr)
	}
	for line := range strings.Lines(string(text)) {
		var r map[string]any
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		all = append(all, r)
	}
	return all
}

func TestLogLevels(t *testing.T) {
	for _, tt := range []struct {
		e    event.Event
		want string
	}{
		{event.Event{Type: event.Ahead}, "DEBUG"},
		{event.Event{Type: event.Manifest}, "DEBUG"},
		{event.Event{Type: event.Part}, "DEBUG"},
		{event.Event{Type: event.Failed}, "WARN"},
		{event.Event{Type: event.Resumed}, "INFO"},
		{event.Event{Type: event.Unwound}, "INFO"},
		{event.Event{Type: event.Begin}, "INFO"},
		{event.Event{Type: event.Progress}, ""},
		{event.Event{Type: event.Aside}, "WARN"},
		{event.Event{Type: event.Waiting}, "WARN"},
		{event.Event{Type: event.File}, "INFO"},
		{event.Event{Type: event.Done}, "INFO"},
		{event.Event{Type: event.Ended}, "INFO"},
		{event.Event{Type: event.Ended, Error: "x"}, "WARN"},
	} {
		got := ""
		if all := records(t, nil, tt.e); len(all) == 1 && all[0]["msg"] == string(tt.e.Type) {
			got = all[0]["level"].(string)
		}
		if got != tt.want {
			t.Errorf("%+v: level %q, want %q", tt.e, got, tt.want)
		}
	}
}

// TestLogHasAllFields: what an event says is logged under its name in JSON.
func TestLogHasAllFields(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	e := event.Event{Time: at, Type: event.File}
	want := map[string]any{"time": "2026-01-02T03:04:05Z", "level": "INFO", "msg": "file"}
	v := reflect.ValueOf(&e).Elem()
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		if slices.Contains([]string{"time", "type", "conns", "map"}, name) { // of progress alone
			continue
		}
		switch f := v.Field(i); f.Kind() {
		case reflect.String:
			f.SetString("text")
			want[name] = "text"
		case reflect.Bool:
			f.SetBool(true)
			want[name] = true
		case reflect.Struct:
			f.Set(reflect.ValueOf(at))
			want[name] = "2026-01-02T03:04:05Z"
		default:
			f.SetInt(7)
			want[name] = 7.0
		}
	}
	if diff := cmp.Diff([]map[string]any{want}, records(t, nil, e)); diff != "" {
		t.Error(diff)
	}
}

func TestLogOfAnError(t *testing.T) {
	err := part(openError("http://u:s3cret@a/1", "refused"), openError("http://b/1", "no\nroute"))
	all := records(t, err)
	if len(all) != 1 {
		t.Fatalf("%v", all)
	}
	got := all[0]
	delete(got, "time")
	want := map[string]any{"level": "ERROR", "msg": "error", "exit": 4.0,
		"error":  "read http://h/x.parts: line 3: no alternative of this part works",
		"causes": []any{"open http://u:xxxxx@a/1: refused", "open http://b/1: no; route"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestLogIsRedacted(t *testing.T) {
	for _, e := range []event.Event{
		{Type: event.Failed, Error: "open http://u:s3cret@h/: refused"},
		{Type: event.Failed, Error: "h/x?token=s3cret is no URL"},
		{Type: event.Begin, Path: "h/x?token=s3cret", URL: "http://h/x?token=s3cret"},
	} {
		for _, r := range records(t, errors.New("h/x?token=s3cret is no URL"), e) {
			for _, value := range r {
				if text, ok := value.(string); ok && strings.Contains(text, "s3cret") {
					t.Errorf("%v", r)
				}
			}
		}
	}
}

// TestNoLog: without a file nothing is done, and nothing is in the way.
func TestNoLog(t *testing.T) {
	l, err := (&logFlags{level: "info"}).open(nil)
	if l != nil || err != nil || l.sink() != nil {
		t.Errorf("%v, %v", l, err)
	}
	l.close(t.Context(), errors.New("x"))
	if tee(nil, l.sink()) != nil {
		t.Error("a sink of none")
	}
}

func TestLogLevelNames(t *testing.T) {
	for _, name := range []string{"debug", "info", "warn", "error"} {
		var l slog.Level
		if err := l.UnmarshalText([]byte(name)); err != nil {
			t.Error(err)
		}
	}
}
