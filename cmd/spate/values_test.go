package main

import (
	"testing"
	"time"

	"github.com/spf13/pflag"
)

func TestSize(t *testing.T) {
	for _, tt := range []struct {
		text string
		want int64
	}{
		{"0", 0}, {"1", 1}, {"1023", 1023}, {"512B", 512}, {"512b", 512},
		{"10K", 10 << 10}, {"10k", 10 << 10}, {"10KiB", 10 << 10}, {"10kib", 10 << 10}, {"10KB", 10_000},
		{"10M", 10 << 20}, {"10MiB", 10 << 20}, {"10MB", 10_000_000}, {"10 MiB", 10 << 20}, {" 10M ", 10 << 20},
		{"3G", 3 << 30}, {"3GB", 3_000_000_000}, {"2T", 2 << 40}, {"2TB", 2e12}, {"1P", 1 << 50}, {"1PB", 1e15},
		{"1.5M", 3 << 19}, {"0.5K", 512}, {".5K", 512}, {"0.0001K", 0},
		{"9223372036854775807", 1<<63 - 1}, {"8191P", 8191 << 50},
	} {
		got, err := parseSize(tt.text)
		if err != nil || got != tt.want {
			t.Errorf("parseSize(%q) = %d, %v, want %d", tt.text, got, err, tt.want)
		}
	}
	for _, text := range []string{"", " ", "M", "MiB", "-1", "-1M", "+1", "1e5", "1.2.3", ".", "10X", "10Mi", "10 M B", "0x10",
		"1/2", "9223372036854775808", "8192P", "1_000", "１０", "1234567890123456789012345678901234567890"} {
		if got, err := parseSize(text); err == nil {
			t.Errorf("parseSize(%q) = %d, want an error", text, got)
		}
	}
}

func TestSizeString(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 1: "1", 1023: "1023", 1024: "1KiB", 1025: "1025", 64 << 20: "64MiB",
		3 << 30: "3GiB", 1 << 40: "1TiB", 10_000_000: "10000000"} {
		got := size{bytes: &n}.String()
		if got != want {
			t.Errorf("size %d prints as %q, want %q", n, got, want)
		}
		if back, err := parseSize(got); err != nil || back != n {
			t.Errorf("%q reads back as %d, %v", got, back, err)
		}
	}
}

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
	for _, v := range []pflag.Value{size{}, span{}, count{}, choice{}} {
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
