package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/mattn/go-runewidth"

	"spate/event"
)

const (
	barCells = 20 // of a bar
	minCells = 10 // of a map, which takes what room there is
	besides  = 70 // columns for what stands beside a map, so that it does not change its width with that
	maxName  = 24 // columns of a name
	maxRows  = 8  // of downloads of a batch
)

// A canvas is where progress is drawn.
type canvas struct {
	width int  // columns of the terminal
	rows  int  // lines that there is room for, beside the last
	utf8  bool // else ASCII
}

// lines draw one download, or the first ones of a batch and a line for all of it.
func (c canvas) lines(running []status, all total, batch bool) []string {
	if !batch {
		return []string{c.line(single(running), "")}
	}
	var lines []string
	for _, s := range running[:min(len(running), maxRows, c.rows)] {
		lines = append(lines, c.line(s, c.label(s.name)))
	}
	return append(lines, c.fit(all.String()+", "+formatRate(all.rate)))
}

// line is "[=====>    ] 5 B of 10 B (50%), 1 B/s, ETA 0:05" behind a label, with a map in place of the bar where there
// is one.
func (c canvas) line(s status, label string) string {
	text := s.String()
	if s.cells == "" {
		return c.fit(label + drawBar(s) + text)
	}
	room := c.width - besides - runewidth.StringWidth(label)
	return c.fit(label + "[" + c.cells(s.cells, max(room, minCells)) + "] " + text)
}

// fit cuts text to the width. The last column stays free: some terminals begin a new line after it.
func (c canvas) fit(text string) string {
	return runewidth.Truncate(text, max(c.width-1, 1), "")
}

// label is a file's name, as one element, in a column of its own.
func (c canvas) label(path string) string {
	if path == "" {
		return ""
	}
	tail := "~"
	if c.utf8 {
		tail = "…"
	}
	width := min(maxName, c.width/4)
	name := runewidth.Truncate(clean(filepath.Base(path)), width, tail)
	return runewidth.FillRight(name, width) + "  "
}

// drawBar is "[=====>    ] " where the size is known, else "".
func drawBar(s status) string {
	if s.size <= 0 {
		return ""
	}
	full := int(s.percent()) * barCells / 100
	bar := strings.Repeat("=", full)
	if full < barCells {
		bar += ">"
	}
	return fmt.Sprintf("[%-*s] ", barCells, bar)
}

// cells draws a map in at most n columns.
func (c canvas) cells(all string, n int) string {
	n = min(n, len(all))
	var b strings.Builder
	for i := range n {
		b.WriteString(c.cell(least(all[i*len(all)/n : (i+1)*len(all)/n])))
	}
	return b.String()
}

// least is what the least of some cells are: what is drawn as there is there.
func least(cells string) byte {
	for _, state := range []byte{event.MapMissing, event.MapAsked} {
		if strings.IndexByte(cells, state) >= 0 {
			return state
		}
	}
	return event.MapThere
}

func (c canvas) cell(state byte) string {
	if !c.utf8 {
		return string(state)
	}
	switch state {
	case event.MapThere:
		return "█"
	case event.MapAsked:
		return "▒"
	}
	return "░"
}
