package demo

import (
	"fmt"
	"io"
	"time"
)

// layout is a line of the table: what, parts, origins, failures survived, bytes, time, digest.
const layout = "%-10s %6v %8v %9v %7v %7v  %s\n"

// table writes the rows as one table.
func table(w io.Writer, rows []Row) {
	fmt.Fprintf(w, layout, "what", "parts", "origins", "survived", "bytes", "time", "digest")
	for _, r := range rows {
		fmt.Fprintf(w, layout, r.Exhibit.Name, r.Parts, r.Origins, r.Failures, r.Bytes,
			r.Time.Round(time.Millisecond), r.digest())
	}
}

// digest is the last column.
func (r *Row) digest() string {
	if r.Err != nil {
		return "WRONG"
	}
	return "ok"
}

// failed is the first error of rows, with how many there are; nil if all is well.
func failed(rows []Row) error {
	var first error
	n := 0
	for _, r := range rows {
		if r.Err == nil {
			continue
		}
		if n++; first == nil {
			first = r.Err
		}
	}
	if first == nil {
		return nil
	}
	return fmt.Errorf("demo: %d of %d downloads went wrong: %w", n, len(rows), first)
}

// commands are what to try on a site whose first origin is at base, a URL without a path.
func (s *Site) commands(base string) []string {
	var lines []string
	for _, e := range s.toured() {
		lines = append(lines, e.command(base+e.Path))
	}
	return append(lines, "spate inspect "+base+s.Exhibits[0].Path)
}

// command is the one that suits e.
func (e *Exhibit) command(url string) string {
	switch {
	case e.Mode == Frames && e.Endless:
		return fmt.Sprintf("spate get -d frames --max-files %d %s", e.Files, url)
	case e.Mode == Frames:
		return "spate get -d frames " + url
	case e.Mode == File:
		return "spate get " + url
	case e.Endless:
		return "spate cat --max-bytes 2K " + url
	}
	return "spate cat " + url
}
