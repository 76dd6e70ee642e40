package main

import (
	"testing"
	"time"

	"github.com/spf13/pflag"

	"spate/source/limit"
)

func TestSpan(t *testing.T) {
	for _, tt := range []struct {
		text string
		want time.Duration
	}{
		{"0", 0}, {"20", 20 * time.Second}, {"0.5", time.Second / 2}, {"20s", 20 * time.Second}, {"2m", 2 * time.Minute},
		{"1h30m", 90 * time.Minute}, {"500ms", time.Second / 2}, {" 3 ", 3 * time.Second}, {"1.5m", 90 * time.Second},
	} {
		got, err := parseSpanOf(tt.text)
		if err != nil || got != tt.want {
			t.Errorf("%q = %v, %v, want %v", tt.text, got, err, tt.want)
		}
	}
	for _, text := range []string{"", "s", ".", "-1", "-0", "-2s", "2x", "2 m", "1e3", "292471208678"} {
		if got, err := parseSpanOf(text); err == nil {
			t.Errorf("%q = %v, want an error", text, got)
		}
	}
}

// rclone has KiB where there is no unit.
func TestKibRate(t *testing.T) {
	for text, want := range map[string]string{"512": "512KiB", "10M": "10MiB", "512B": "512", "0": "off", "off": "off", "1.5": "1536",
		"08:00,512 12:00,10M 23:00,off": "08:00,512KiB 12:00,10MiB 23:00,off"} {
		var table limit.Timetable
		own := &pflag.Flag{Value: rate{&table}}
		if err := (kibRate{another{own}}).Set(text); err != nil || table.String() != want || !own.Changed {
			t.Errorf("%q: %v, %v, want %s", text, table, err, want)
		}
	}
	for _, text := range []string{"", " ", "08:00", "10M:1M", "-1"} {
		var table limit.Timetable
		if err := (kibRate{another{&pflag.Flag{Value: rate{&table}}}}).Set(text); err == nil {
			t.Errorf("%q: %v", text, table)
		}
	}
}

func parseSpanOf(text string) (time.Duration, error) {
	var d time.Duration
	err := span{&d}.Set(text)
	return d, err
}

// TestValues checks bounds, and that every value survives the way through its text.
func TestValues(t *testing.T) {
	var n int64
	var d time.Duration
	var w string
	var table limit.Timetable
	for _, tt := range []struct {
		name  string
		value pflag.Value
		good  []string
		bad   []string
	}{
		{"size from 1", size{&n, 1}, []string{"1", "2KiB"}, []string{"0", "0.1", "x"}},
		{"size from 0", size{&n, 0}, []string{"0", "1"}, []string{"-1"}},
		{"count from 1", count{&n, 1}, []string{"1", "2", "2147483647"}, []string{"0", "-1", "1.5", "2147483648", "", "1K"}},
		{"count from 0", count{&n, 0}, []string{"0", "1"}, []string{"-1"}},
		{"rate", rate{&table}, []string{"off", "1MiB", "08:00,1MiB 23:00,off"}, []string{"", "fast", "0.5", "08:00"}},
		{"span", span{&d}, []string{"0", "20s", "1m30s", "2m0s"}, []string{"-1s"}},
		{"choice", choice{&w, []string{"on", "off"}}, []string{"on", "off"}, []string{"", "ON", "of"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, text := range tt.good {
				if err := tt.value.Set(text); err != nil || tt.value.String() != text {
					t.Errorf("Set(%q): %v, then String %q", text, err, tt.value)
				}
			}
			before := tt.value.String()
			for _, text := range tt.bad {
				if err := tt.value.Set(text); err == nil || tt.value.String() != before {
					t.Errorf("Set(%q): %v, value %q, want an error and %q", text, err, tt.value, before)
				}
			}
		})
	}
}

// pflag asks zero values for their text.
func TestZeroValues(t *testing.T) {
	for _, v := range []pflag.Value{size{}, rate{}, span{}, count{}, choice{}} {
		if got := v.String(); got != "0" && got != "" {
			t.Errorf("zero %T prints as %q", v, got)
		}
	}
}

func TestFormatBytes(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1536: "1.5 KiB", 64 << 20: "64.0 MiB",
		1<<63 - 1: "8192.0 PiB"} {
		if got := formatBytes(n); got != want {
			t.Errorf("formatBytes(%d) = %q, want %q", n, got, want)
		}
	}
}
