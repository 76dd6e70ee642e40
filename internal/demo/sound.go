package demo

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
)

const (
	soundRate = 8000 // samples a second
	beat      = soundRate / 4
	entry     = 8 // beats after which the second voice begins
)

// tune is Frère Jacques: half-tones above c', or a rest, and beats, of which an eighth has a half.
var tune = [...]struct {
	tone  int
	beats float64
}{
	{0, 1}, {2, 1}, {4, 1}, {0, 1}, {0, 1}, {2, 1}, {4, 1}, {0, 1},
	{4, 1}, {5, 1}, {7, 2}, {4, 1}, {5, 1}, {7, 2},
	{7, .5}, {9, .5}, {7, .5}, {5, .5}, {4, 1}, {0, 1}, {7, .5}, {9, .5}, {7, .5}, {5, .5}, {4, 1}, {0, 1},
	{0, 1}, {-5, 1}, {0, 2}, {0, 1}, {-5, 1}, {0, 2},
}

// beats is how long the tune is.
const beats = 32

// play adds the tune to what is there, transposed by so many half-tones.
func play(sound []float64, transposed int) {
	at := 0
	for _, note := range tune {
		n := int(note.beats * beat)
		pitch := 2 * math.Pi * 261.63 * math.Pow(2, float64(note.tone+transposed)/12) / soundRate
		for i := range n {
			t := float64(i)
			loud := min(t/80, 1) * math.Exp(-3*t/float64(n)) // a bell that does not click
			sound[at+i] += loud * (math.Sin(pitch*t) + math.Sin(2*pitch*t)/3)
		}
		at += n
	}
}

// round is the tune as a canon of two voices.
func round() []int16 {
	sound := make([]float64, (beats+entry)*beat)
	play(sound, 0)
	play(sound[entry*beat:], 12)
	samples := make([]int16, len(sound))
	for i, s := range sound {
		samples[i] = int16(s / 2.7 * math.MaxInt16)
	}
	return samples
}

// A waveHeader is that of a WAV file with one channel of 16 bits.
type waveHeader struct {
	RIFF       [4]byte
	Size       uint32
	WAVE, Fmt  [4]byte
	FmtSize    uint32
	Format     uint16
	Channels   uint16
	SampleRate uint32
	ByteRate   uint32
	Align      uint16
	Bits       uint16
	Data       [4]byte
	DataSize   uint32
}

func encodeWAV(samples []int16) []byte {
	size := uint32(2 * len(samples))
	h := waveHeader{RIFF: [4]byte([]byte("RIFF")), Size: 36 + size, WAVE: [4]byte([]byte("WAVE")), Fmt: [4]byte([]byte("fmt ")), FmtSize: 16,
		Format: 1, Channels: 1, SampleRate: soundRate, ByteRate: 2 * soundRate, Align: 2, Bits: 16,
		Data: [4]byte([]byte("data")), DataSize: size}
	var b bytes.Buffer
	_ = binary.Write(&b, binary.LittleEndian, h) // all of it has a size, and the buffer takes it
	_ = binary.Write(&b, binary.LittleEndian, samples)
	return b.Bytes()
}

// melody is sound in parts from all origins.
func (s *Site) melody() Exhibit {
	whole := encodeWAV(round())
	return s.inParts("/round.wav.parts", whole, Exhibit{
		Name:  "sound",
		About: fmt.Sprintf("a round, as a WAV file in %d parts from %d origins; one mirror is dead", fileParts, Origins),
	})
}
