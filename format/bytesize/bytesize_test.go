package bytesize

import "testing"

func TestParse(t *testing.T) {
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
		got, err := Parse(tt.text)
		if err != nil || got != tt.want {
			t.Errorf("Parse(%q) = %d, %v, want %d", tt.text, got, err, tt.want)
		}
	}
	for _, text := range []string{"", " ", "M", "MiB", "-1", "-1M", "+1", "1e5", "1.2.3", ".", "10X", "10Mi", "10 M B", "0x10",
		"1/2", "1_000", "１０", "1234567890123456789012345678901234567890"} {
		if got, err := Parse(text); err != ErrSyntax {
			t.Errorf("Parse(%q) = %d, %v, want %v", text, got, err, ErrSyntax)
		}
	}
	for _, text := range []string{"9223372036854775808", "8192P"} {
		if got, err := Parse(text); err != ErrRange {
			t.Errorf("Parse(%q) = %d, %v, want %v", text, got, err, ErrRange)
		}
	}
}

func TestFormat(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 1: "1", 1023: "1023", 1024: "1KiB", 1025: "1025", 64 << 20: "64MiB",
		3 << 30: "3GiB", 1 << 40: "1TiB", 10_000_000: "10000000"} {
		got := Format(n)
		if got != want {
			t.Errorf("Format(%d) = %q, want %q", n, got, want)
		}
		if back, err := Parse(got); err != nil || back != n {
			t.Errorf("%q reads back as %d, %v", got, back, err)
		}
	}
}
