package journal

import (
	"encoding/hex"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"spate/format/checksum"
	"spate/internal/redact"
)

// DefaultPieceSize is the piece size of a header that has none.
const DefaultPieceSize = 1 << 20

// maxPieceSize bounds what a header may say.
const maxPieceSize = 1 << 40

// maxHeader bounds its text, such that its line is within maxLine.
const maxHeader = maxLine - 1<<10

// A Header says what is downloaded. It is written once; a journal with another one is another journal, see [Create].
type Header struct {
	Origins   []Origin       // the mirrors, as far as they are known
	Size      int64          // of the file; below 0: not known
	PieceSize int64          // neighbours within a piece become one range; 0: DefaultPieceSize
	Digests   []checksum.Sum // that were promised for the whole file; not looked into
	Pieces    bool           // ranges count for who checks them by the digests of pieces alone: the mirrors were not compared
}

// An Origin is a URL and the validator of its answer. Validators are opaque bytes, as in source.Info, and kept exactly.
type Origin struct {
	URL       string // redacted when written, see Redact
	Validator string // "" if it told none
}

// Redact is what a journal keeps of a URL: no fragment, no user name or password, and "xxxxx" for the values that look
// like secrets (see package redact). A signed URL and the one that was signed anew are the same so.
func Redact(rawURL string) string {
	rawURL, _, _ = strings.Cut(rawURL, "#")
	if u, err := url.Parse(rawURL); err == nil {
		u.User = nil
		rawURL = u.String()
	}
	return strings.ToValidUTF8(redact.URL(rawURL), "\uFFFD")
}

// Origin is that of h whose URL is rawURL, but for what is redacted. Without one it is false: rawURL is a fresh one, and
// whether it has the same bytes is to be found out.
func (h *Header) Origin(rawURL string) (Origin, bool) {
	i := h.Number(rawURL)
	if i < 0 {
		return Origin{}, false
	}
	return h.Origins[i], true
}

// Number is that of [Header.Origin] among the Origins; -1 without one.
func (h *Header) Number(rawURL string) int {
	want := Redact(rawURL)
	// That of a header that was read is redacted already; doing it twice need not be the same, if it is hardly a URL.
	return slices.IndexFunc(h.Origins, func(o Origin) bool { return o.URL == want || Redact(o.URL) == want })
}

func (h *Header) pieceSize() int64 {
	if h.PieceSize == 0 {
		return DefaultPieceSize
	}
	return h.PieceSize
}

func (h *Header) check() error {
	if h.PieceSize < 0 || h.PieceSize > maxPieceSize {
		return errHeader
	}
	if len(h.encode()) > maxHeader {
		return errLong
	}
	return nil
}

func (h *Header) clone() Header {
	c := *h
	c.Origins, c.Digests = slices.Clone(h.Origins), slices.Clone(h.Digests)
	return c
}

// What is written of a header, an origin and a place. Names that are not known are passed over by readers.
type (
	wireHeader struct {
		Origins   []wireOrigin `json:"origins,omitempty"`
		Size      int64        `json:"size"`
		PieceSize int64        `json:"piece_size"`
		Digests   []wireSum    `json:"digests,omitempty"`
		Pieces    bool         `json:"pieces,omitempty"`
	}
	wireSum struct {
		Algorithm string `json:"algorithm"`
		Value     string `json:"value"` // hexadecimal
	}
	wireOrigin struct {
		URL string `json:"url"`
		wireValidator
	}
	wirePlace struct {
		At   int64  `json:"at"`
		Part int64  `json:"part"`
		Off  int64  `json:"off,omitempty"`
		URL  string `json:"url,omitempty"`
		wireValidator
		Manifest string `json:"manifest,omitempty"`
		Line     int64  `json:"line,omitempty"`
	}
	// wireValidator has one of the two: JSON text cannot hold the bytes of an ETag that are not UTF-8.
	wireValidator struct {
		Validator string `json:"validator,omitempty"`
		Bytes     []byte `json:"validator_base64,omitempty"`
	}
)

func toWire(validator string) wireValidator {
	if utf8.ValidString(validator) {
		return wireValidator{Validator: validator}
	}
	return wireValidator{Bytes: []byte(validator)}
}

func (w wireValidator) value() string {
	if len(w.Bytes) > 0 {
		return string(w.Bytes)
	}
	return w.Validator
}

func (h *Header) encode() []byte {
	w := wireHeader{Size: max(h.Size, -1), PieceSize: h.pieceSize(), Pieces: h.Pieces}
	for _, s := range h.Digests {
		w.Digests = append(w.Digests, wireSum{s.Algorithm, hex.EncodeToString(s.Value)})
	}
	for _, o := range h.Origins {
		w.Origins = append(w.Origins, wireOrigin{Redact(o.URL), toWire(o.Validator)})
	}
	return encodeJSON(w)
}

func decodeHeader(text []byte) (h Header, err error) {
	var w wireHeader
	if err := json.Unmarshal(text, &w); err != nil {
		return h, err
	}
	h = Header{Size: max(w.Size, -1), PieceSize: w.PieceSize, Pieces: w.Pieces}
	for _, s := range w.Digests {
		value, err := hex.DecodeString(s.Value)
		if err != nil {
			return h, err
		}
		h.Digests = append(h.Digests, checksum.Sum{Algorithm: s.Algorithm, Value: value})
	}
	for _, o := range w.Origins {
		h.Origins = append(h.Origins, Origin{o.URL, o.value()})
	}
	return h, h.check()
}

func (p *Place) check() error {
	if p.At < 0 || p.Off < 0 {
		return errRange
	}
	if len(p.encode()) > maxPlace {
		return errLong
	}
	return nil
}

func (p *Place) encode() []byte {
	return encodeJSON(wirePlace{p.At, p.Part, p.Off, Redact(p.URL), toWire(p.Validator), Redact(p.Manifest), p.Line})
}

func decodePlace(text []byte) (Place, error) {
	var w wirePlace
	err := json.Unmarshal(text, &w)
	return Place{At: w.At, Part: w.Part, Off: w.Off, URL: w.URL, Validator: w.value(), Manifest: w.Manifest, Line: w.Line}, err
}

// encodeJSON is v on one line, with the & of URLs as they are.
func encodeJSON(v any) []byte {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err) // of strings and numbers there is nothing that cannot be encoded
	}
	return []byte(strings.TrimSuffix(b.String(), "\n"))
}
