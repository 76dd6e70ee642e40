package main

import (
	"fmt"

	"spate/format/bytesize"
)

// size is a number of bytes on the command line, as package bytesize reads them: a [pflag.Value].
type size struct {
	bytes *int64
	min   int64
}

func (s size) Set(text string) error {
	n, err := bytesize.Parse(text)
	if err != nil {
		return err
	}
	if n < s.min {
		return fmt.Errorf("want at least %d", s.min)
	}
	*s.bytes = n
	return nil
}

func (s size) Type() string { return "SIZE" }

// String is the value in a form that Set reads back: 64MiB, or plain bytes where no unit divides it.
func (s size) String() string {
	if s.bytes == nil {
		return "0"
	}
	return bytesize.Format(*s.bytes)
}

// formatBytes is n for people: "512 B", "1.5 KiB", "64.0 MiB".
func formatBytes(n int64) string {
	if n < 1<<10 {
		return fmt.Sprintf("%d B", n)
	}
	f, unit := float64(n), ""
	for _, u := range []string{"KiB", "MiB", "GiB", "TiB", "PiB"} {
		f, unit = f/1024, u
		if f < 1024 {
			break
		}
	}
	return fmt.Sprintf("%.1f %s", f, unit)
}
