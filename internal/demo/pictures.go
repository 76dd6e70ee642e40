package demo

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"spate/format/manifest"
	"spate/internal/farm"
)

// octets is how data that is no text is served.
func octets() farm.Resource { return farm.Resource{MediaType: "application/octet-stream"} }

// image is a picture in parts with digests. It goes to a file, so that a mirror with other bytes is found out and what
// it gave is taken back.
func (s *Site) image(picture []byte) Exhibit {
	var parts []manifest.Part
	for i, piece := range cut(picture, 8) {
		parts = append(parts, s.imagePart(i, piece))
	}
	return s.exhibit("/fractal.png.parts", encode(parts), Exhibit{
		Name:   "image",
		About:  "a fractal in eight parts with digests; one mirror has other bytes, one is too short",
		Mode:   File,
		Bytes:  int64(len(picture)),
		SHA256: sha256.Sum256(picture),
	})
}

// imagePart serves a piece of the picture on one origin and, for some, something else on another.
func (s *Site) imagePart(i int, piece []byte) manifest.Part {
	path := fmt.Sprintf("/fractal/%d", i)
	var urls []string
	switch i {
	case 2:
		urls = append(urls, s.put(0, path, flipped(piece), octets()))
	case 5:
		urls = append(urls, s.put(1, path, piece[:len(piece)-1], octets()))
	}
	urls = append(urls, s.put((i+2)%Origins, path, piece, octets()))
	return described(piece, urls...)
}

// flipped has every bit of b the other way.
func flipped(b []byte) []byte {
	f := make([]byte, len(b))
	for i := range b {
		f[i] = ^b[i]
	}
	return f
}

// sequenceOf puts files behind each other, each with its length before it.
func sequenceOf(files [][]byte) []byte {
	var b []byte
	for _, f := range files {
		b = binary.BigEndian.AppendUint32(b, uint32(len(f)))
		b = append(b, f...)
	}
	return b
}

// animation is a sequence of pictures in one file.
func (s *Site) animation(frames [][]byte) Exhibit {
	const path = "/plasma-seq"
	whole := sequenceOf(frames)
	return Exhibit{
		Name:   "animation",
		About:  fmt.Sprintf("%d pictures in one sequence", len(frames)),
		URL:    s.put(0, path, whole, octets()),
		Path:   path,
		Mode:   Frames,
		Bytes:  int64(len(whole)),
		Files:  len(frames),
		SHA256: sha256.Sum256(whole),
		Delay:  animationDelay,
	}
}

// loop is the animation in three parts and then itself again. The parts end in the middle of pictures. Two laps and a
// half are taken.
func (s *Site) loop(frames [][]byte) Exhibit {
	var parts []manifest.Part
	for i, piece := range cut(sequenceOf(frames), 3) {
		parts = append(parts, starred(s.put(2+i, fmt.Sprintf("/loop/%d", i+1), piece, octets())))
	}
	var taken [][]byte
	taken = append(taken, frames...)
	taken = append(taken, frames...)
	taken = append(taken, frames[:len(frames)/2]...)
	seen := sequenceOf(taken)
	return s.exhibit("/loop-seq.parts", encode(append(parts, part("loop-seq.parts"))), Exhibit{
		Name:    "loop",
		About:   "the animation in three parts and then itself again, picture by picture",
		Mode:    Frames,
		Endless: true,
		Bytes:   int64(len(seen)),
		Files:   len(taken),
		SHA256:  sha256.Sum256(seen),
		Delay:   animationDelay,
	})
}
