package farm

import (
	"fmt"
	"hash/crc32"
	"math"
	"net/http"
	"time"
)

// AtOnce as an offset of a misbehaviour stands for the first byte of the body, which 0 cannot: it means never.
const AtOnce = -1

// NoETag as a Resource's ETag is none.
const NoETag = "-"

// A Resource is what an origin has under a path and how it misbehaves. The zero Resource is an empty body, behaves
// well and answers ranges. Misbehaviours may be combined. It must not be changed once it is served, nor its Body.
//
// Offsets (BreakAt, StallAt) are those of the resource, not of an answer: an answer to a range that starts behind
// such an offset is not concerned, one that starts at it is at its first byte.
type Resource struct {
	// Content: Body, or what Gen makes: it fills p with content from off on and returns how much it wrote, 0 for the
	// end. It is called from several goroutines. Size is that of what Gen makes, 0: not known or endless; then a
	// range without an end is answered with the whole.
	Body []byte
	Gen  func(off int64, p []byte) int
	Size int64

	// What the header says. Nothing is sent for what is zero, but for ETag. Header comes last and wins over all of the
	// others, and over what the origin would say itself.
	MediaType   string // Content-Type
	ETag        string // as in the header, with quotes; "": a strong one, made of Body; NoETag: none
	ModTime     time.Time
	Disposition string // Content-Disposition
	Coding      string // Content-Encoding; Body is sent as it is
	RetryAfter  string
	Header      http.Header
	Status      int    // 0: 200 or what the range asks for; anything else is answered whatever was asked, with Body
	Redirect    string // Location, as it is; Status 0: 302

	// Misbehaviour before the body.
	Delay      time.Duration // of the answer
	HangHeader bool          // no answer until Release
	Garbage    bool          // an answer that is no HTTP
	NoRange    bool          // ranges are ignored and not announced
	RangeShift int64         // a range is answered with the one this many bytes later, and the header says so
	RangeMax   int64         // a range is answered with so many bytes of it at most; 0: with all
	RangeOpen  bool          // a range is answered to the end of the resource, wherever its own is
	TotalOff   int64         // Content-Range lies by this much about the size of the whole
	NoTotal    bool          // Content-Range does not tell the size of the whole
	Most       int           // so many requests at a time are answered, those beyond by Status (0: 429) with RetryAfter; 0: all
	NoLength   bool          // chunked, without Content-Length; ranges still tell the size
	LengthOff  int64         // Content-Length lies by this much: HTTP/1.1 only, the connection ends with the answer

	// Misbehaviour in the body.
	BreakAt    int64         // the connection dies at this offset, with nothing behind it sent; may be the size
	BreakAfter int64         // it dies after that many bytes of each answer; 0: never
	BreakTimes int           // so often, then never again; 0: always
	Reset      bool          // it dies with RST and may take the last bytes along, instead of FIN
	StallAt    int64         // silence from this offset on until Release
	Release    chan struct{} // closed by the test to end HangHeader and StallAt; nil: they last until the client leaves
	Rate       int64         // bytes per second of each answer; 0: as fast as they go

	// Handler, where set, answers instead of all the above but Delay, HangHeader and Garbage. Its requests are
	// counted as any, but the log has no status for them. When r.Context() is done it must return.
	Handler http.Handler

	// Changes, where set, is asked what the n-th request, counted from 1, sees instead of this Resource.
	Changes func(n int) Resource

	// Machines, where set, are those behind a balancer: the first connection that asks is bound to the first of them, the second to
	// the second, and so on, over and over.
	Machines []Resource
}

// Then is a Resource that the first request sees as the first of rs, the second as the second, and so on; the last
// one stays.
func Then(rs ...Resource) Resource {
	return Resource{Changes: func(n int) Resource { return rs[min(n, len(rs))-1] }}
}

// endless is the end of what has none.
const endless = math.MaxInt64

// size in bytes, endless if it is not known.
func (r *Resource) size() int64 {
	switch {
	case r.Gen == nil:
		return int64(len(r.Body))
	case r.Size > 0:
		return r.Size
	}
	return endless
}

// read returns at most n bytes of content from off on, and none at the end. buf is for Gen to write to.
func (r *Resource) read(off, n int64, buf []byte) []byte {
	if r.Gen == nil {
		return r.Body[off : off+n]
	}
	buf = buf[:min(n, int64(len(buf)))]
	return buf[:r.Gen(off, buf)]
}

// at is where in [from, to] the misbehaviour at off happens, endless if it does not.
func at(off, from, to int64) int64 {
	switch {
	case off == AtOnce:
		return from
	case off > 0 && from <= off && off <= to:
		return off
	}
	return endless
}

// etag is the entity tag, "" for none.
func (r *Resource) etag() string {
	switch r.ETag {
	case "":
		return fmt.Sprintf(`"%08x"`, crc32.ChecksumIEEE(r.Body))
	case NoETag:
		return ""
	}
	return r.ETag
}
