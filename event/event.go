// Package event is what happens while a stream is assembled, as data: what --json prints, the progress line shows
// and the viewer draws.
package event

import "time"

// Type says what happened.
type Type string

// The types of events.
const (
	Part     Type = "part"     // the reader has reached a part: Part, URL, Origin, Manifest, Line, Size, Cached
	Failed   Type = "failed"   // an alternative failed: URL, Manifest, Line, Error, Kind, Off
	Resumed  Type = "resumed"  // an alternative broke and was opened again: URL, Off
	Unwound  Type = "unwound"  // an enclosing part's next alternative is tried: Manifest, Line, Off
	Progress Type = "progress" // Bytes so far, Size where it is known
	File     Type = "file"     // a file is whole under its final name: Path, Bytes
	Done     Type = "done"     // the whole is done: Bytes
)

// An Event is one thing that happened. Fields that do not apply are zero; Type says which do.
type Event struct {
	Time     time.Time `json:"time"`
	Type     Type      `json:"type"`
	Part     int64     `json:"part,omitempty"`   // counted from 1 in stream order
	URL      string    `json:"url,omitempty"`    // redacted
	Origin   string    `json:"origin,omitempty"` // host:port, or "file"
	Manifest string    `json:"manifest,omitempty"`
	Line     int       `json:"line,omitempty"`   // of the part, in Manifest
	Off      int64     `json:"off,omitempty"`    // within the part
	Bytes    int64     `json:"bytes,omitempty"`  // of the stream
	Size     int64     `json:"size,omitempty"`   // -1: not known
	Cached   bool      `json:"cached,omitempty"` // served without a request
	Path     string    `json:"path,omitempty"`
	Error    string    `json:"error,omitempty"`
	Kind     string    `json:"kind,omitempty"` // of the error, as source.Kind prints it
}

// Sink receives events. It is called from several goroutines and must not block for long.
type Sink func(Event)
