package wire

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
)

var (
	// ErrMore is what [Decoder.Next] returns when nothing complete is there.
	ErrMore = errors.New("no whole message yet")
	// ErrGrowing is what it returns when there may be a message, but what comes next could still belong to it. After
	// [QuietTime] without a byte, call [Decoder.Quiet].
	ErrGrowing = errors.New("a message that could still grow")
	// ErrTooLong is the error of [MaxMessage] bytes without a message. Nothing comes after it.
	ErrTooLong = fmt.Errorf("no message in %d bytes", MaxMessage)
)

// A SyntaxError is about bytes that are no message, or one that is not for the reader. They have been skipped.
type SyntaxError struct {
	Text string // how they begin; at most 64 bytes
	Len  int    // how many there are
}

// Error quotes how the bytes begin.
func (e *SyntaxError) Error() string {
	if e.Len > len(e.Text) {
		return fmt.Sprintf("not understood: %q and %d bytes more", e.Text, e.Len-len(e.Text))
	}
	return fmt.Sprintf("not understood: %q", e.Text)
}

// maxQuote is how much of what is no message is quoted.
const maxQuote = 64

// A Decoder finds messages in bytes as they come over TCP, wherever they are cut. What it finds does not depend on the
// cuts, as long as the numbers in it are in range:
//
//   - A message begins with its command word and a comma, anywhere: behind a line end, or glued to what is in front of it.
//     What is in front of the first, as a greeting, is a [SyntaxError].
//   - It ends before a line end (LF, CR, NUL), before the next command word, or where it is so long that nothing could
//     belong to it any more: LOCAL_CHUNKS,1,localhost,7901 is complete, as there is no port 7901x.
//   - What could still grow is complete when the sender pauses, see [Decoder.Quiet], or has ended the stream.
//
// It holds no more than what has come of one message and, of a reader of GetChunkFrom, 1 MiB; nothing after all was taken.
// The zero value is not usable. A Decoder must not be used by several goroutines at once.
type Decoder struct {
	// MaxChunk is the largest index that can be meant, if that is known: one to which no digit can be added is complete
	// without a pause, also if it is larger. 0: MaxChunk of the package.
	MaxChunk int

	commands []Command
	buf      []byte // what was not taken yet; where it begins with a command word, that begins a message
	seen     int    // in buf no line end or command word is before it, but for a word at its very beginning
	junk     int    // bytes that were skipped since the last message
	limit    int
	isQuiet  bool
	isEnd    bool
	err      error
}

// NewDecoder returns a Decoder of messages of those kinds; others are a [SyntaxError].
func NewDecoder(commands ...Command) *Decoder {
	d := &Decoder{commands: commands, limit: MaxMessage}
	if slices.Contains(commands, GetChunkFrom) {
		d.limit = 1 << 20 // as other trackers bound theirs by nothing
	}
	return d
}

// Write adds what has come. It keeps no reference to p.
func (d *Decoder) Write(p []byte) {
	if len(p) == 0 || d.err != nil {
		return
	}
	d.buf = append(d.buf, p...)
	d.isQuiet = false
}

// Quiet tells that nothing has come for [QuietTime]: what could still grow is complete, and Next returns it, unless bytes
// are written before. What is certainly unfinished stays.
func (d *Decoder) Quiet() { d.isQuiet = true }

// End tells that nothing more comes.
func (d *Decoder) End() { d.isEnd = true }

// Next returns the next message. Its errors are [ErrMore], [ErrGrowing], a *[SyntaxError], after which more may follow,
// and [ErrTooLong], which is the last.
func (d *Decoder) Next() (Message, error) {
	if d.err != nil {
		return Message{}, d.err
	}
	d.skip()
	end, isClosed := d.run()
	m, n, err := d.take(d.buf[:end], isClosed)
	d.drop(n)
	d.junk += n
	idle := d.junk // since the last message: to the end of this one, or of what is there
	if err != nil {
		idle += end - n
	}
	switch {
	case idle > d.limit:
		d.err, d.buf = ErrTooLong, nil
		return Message{}, d.err
	case err == nil:
		d.junk = 0
	}
	return m, err
}

// skip drops what may be between messages.
func (d *Decoder) skip() {
	n := len(d.buf) - len(bytes.TrimLeft(d.buf, "\r\n\x00 \t,"))
	d.junk += n
	d.drop(n)
}

// drop takes n bytes away. Memory that is not needed is not kept: of ten thousand connections most are silent.
func (d *Decoder) drop(n int) {
	d.seen = max(d.seen-n, 0)
	switch rest := len(d.buf) - n; {
	case rest == 0:
		d.buf = nil
	case n > rest:
		d.buf = append(make([]byte, 0, rest), d.buf[n:]...)
	default:
		d.buf = d.buf[n:]
	}
}

// run returns the end of what is first in buf: a line end, or the next command word. If neither is there, the end of
// buf, which is open unless the stream has ended.
func (d *Decoder) run() (end int, isClosed bool) {
	for i := max(d.seen, 1); i < len(d.buf); i++ {
		d.seen = i
		switch d.buf[i] {
		case '\n', '\r', 0:
			return i, true
		case 'L', 'W', 'G', 'C', 'R':
			rest := d.buf[i:]
			if _, ok := spelled(rest); ok {
				return i, true
			}
			if couldSpell(rest) {
				return len(d.buf), d.isEnd
			}
		}
	}
	d.seen = len(d.buf)
	return len(d.buf), d.isEnd
}

// take returns the message that p begins with, and how much of p belongs to it. With a [SyntaxError] that is what is
// to be skipped.
func (d *Decoder) take(p []byte, isClosed bool) (Message, int, error) {
	s, ok := spelled(p)
	if !ok {
		return d.refuse(p, isClosed)
	}
	if s.command == GetChunkFrom && !isClosed && !d.isQuiet {
		return Message{}, 0, openList(p)
	}
	m, n, ext := parse(s, p[len(s.text):], d.maxChunk())
	n += len(s.text)
	need := sure
	switch {
	case isClosed:
		need = partial
	case d.isQuiet:
		need = grows
	}
	switch {
	case ext < partial && isClosed:
		return d.refuse(p, true)
	case ext >= need && !slices.Contains(d.commands, m.Command):
		return d.refuse(p[:n], true)
	case ext >= need:
		return m, n, nil
	case ext == grows:
		return Message{}, 0, ErrGrowing
	}
	return Message{}, 0, ErrMore
}

// openList is what take returns for a list that may still grow. It does not read it: a list that comes byte by byte
// would be read as often.
func openList(p []byte) error {
	if c := p[len(p)-1]; isDigit(c) || c == ',' {
		return ErrGrowing
	}
	return ErrMore
}

func (d *Decoder) refuse(p []byte, isClosed bool) (Message, int, error) {
	if !isClosed || len(p) == 0 {
		return Message{}, 0, ErrMore
	}
	return Message{}, len(p), &SyntaxError{string(p[:min(len(p), maxQuote)]), len(p)}
}

func (d *Decoder) maxChunk() int {
	if d.MaxChunk > 0 {
		return d.MaxChunk
	}
	return MaxChunk
}
