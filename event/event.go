// Package event is what happens while a stream is assembled, as data: what --json prints, the progress line shows
// and the viewer draws.
package event

import "time"

// Type says what happened.
type Type string

// The types of events.
const (
	Ahead    Type = "ahead"    // a part begins to be opened, which the reader has not reached: URL, Origin, Manifest, Line
	Manifest Type = "manifest" // what was opened is a manifest, whose parts come next: URL; Manifest, Line where one lists it
	Part     Type = "part"     // the reader has reached a part: Part, URL, Origin, Manifest, Line, Size, Cached
	Failed   Type = "failed"   // an alternative failed: URL, Manifest, Line, Error, Kind, Off
	Resumed  Type = "resumed"  // an alternative broke and was opened again: URL, Off
	Unwound  Type = "unwound"  // an enclosing part's next alternative is tried: Manifest, Line, Off
	Begin    Type = "begin"    // a file, or without Path what is handed on, is begun, or gone on with: Path, URL, Size, Bytes that are there already
	Progress Type = "progress" // Bytes so far, Size where it is known; of a file over many connections Conns and Map
	Aside    Type = "aside"    // a mirror is not used any more: URL, Error, Kind
	Waiting  Type = "waiting"  // nothing comes, all that was lost is asked for again: Error, Kind, Until
	File     Type = "file"     // a file is whole under its final name, or without Path all is handed on: Path, Bytes, SHA256
	Done     Type = "done"     // the whole is done, of a batch the entry: Bytes
	Ended    Type = "ended"    // an entry of a batch is over and not done: URL; Error, Kind where it has failed

	// Of a peer of a swarm. It tells Failed, Waiting and Done besides, with Chunk and Origin in place of URL.
	Listening  Type = "listening"  // others are served: Origin, under which they know this peer
	Tracker    Type = "tracker"    // the tracker is there: Origin; or, with Error, not, or not any more
	Chunk      Type = "chunk"      // a chunk is there: Chunk, Origin, Bytes
	Unverified Type = "unverified" // all chunks are there, this one without a proof that it is whole: Chunk
	Served     Type = "served"     // a chunk was given: Chunk, Origin, Bytes; with Error: begun and not given
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
	Chunk    int       `json:"chunk,omitempty"`  // of a swarm's file-set, from 1
	Path     string    `json:"path,omitempty"`
	SHA256   string    `json:"sha256,omitempty"` // in hexadecimal
	Conns    int       `json:"conns,omitempty"`  // connections that are open
	Map      string    `json:"map,omitempty"`    // of the file, see MapCells
	Job      int64     `json:"job,omitempty"`    // of a batch, counted from 1: which of its entries this is about
	Jobs     int64     `json:"jobs,omitempty"`   // of a batch, with Begin and Ended: how many entries there are, where that is known
	Error    string    `json:"error,omitempty"`
	Kind     string    `json:"kind,omitempty"` // of the error, as source.Kind prints it
	Until    time.Time `json:"until,omitzero"` // when that is done next; zero where no origin has told when
}

// Sink receives events. It is called from several goroutines and must not block for long, but for that of a File: whoever
// tells it holds no lock, and waits for the Sink before it goes on with what would be the next file.
type Sink func(Event)

// MapCells is how many characters a Map has at most: each stands for as much of the file, in order. A file of fewer
// bytes has as many. What a character says is what the least of its bytes are.
const MapCells = 64

// The characters of a Map.
const (
	MapMissing = '-' // not asked for
	MapAsked   = '.' // a connection has it to fetch
	MapThere   = '#' // written
)
