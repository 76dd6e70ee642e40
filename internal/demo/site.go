// Package demo is what `spate demo` shows: origins on loopback with content that is made here, some of them broken in
// one way or another, and a tour that downloads all of it with the real engine and checks every byte.
package demo

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"spate/format/manifest"
	"spate/internal/farm"
)

// Origins is how many origins a [Site] has, each on a port of its own.
const Origins = 5

// A Site is the origins of the demo and what can be downloaded from them. Close it in the end.
type Site struct {
	Exhibits []Exhibit
	origins  []*farm.Farm
	dead     string // a URL without a path where nobody answers
}

// Mode says how an [Exhibit] is downloaded.
type Mode int

// The modes.
const (
	Stream Mode = iota // as bytes, with Client.Open
	File               // to a file, with Client.Get
	Frames             // file by file, with Client.Files
	Watch              // not at all: it is slow, or goes wrong, and is there to be looked at
)

// An Exhibit is one thing to download and what must come out. One to [Watch] has neither Bytes nor a digest.
type Exhibit struct {
	Name    string // a word or two
	About   string // what is there to see, in less than a line
	URL     string
	Path    string // of URL
	Mode    Mode
	Endless bool
	Bytes   int64 // how many there are; of an endless one, how many are taken
	Files   int   // Frames: how many there are, or are taken
	Delay   int   // milliseconds that suit each file of a sequence where it is watched; 0: any

	// SHA256 is that of these Bytes; for Frames each file has its length before it, four bytes, big-endian, so that
	// the digest vouches for the boundaries as well. Bytes counts the lengths too then.
	SHA256 [sha256.Size]byte
}

// Start starts the origins and puts everything into place. The first ones listen on addrs ("host:port"), the others
// on free ports of 127.0.0.1. All exhibits start at the first; what they are made of is everywhere.
func Start(addrs ...string) (*Site, error) {
	if len(addrs) > Origins {
		return nil, fmt.Errorf("%d addresses for %d origins", len(addrs), Origins)
	}
	s := &Site{dead: farm.Dead()}
	for i := range Origins {
		addr := "127.0.0.1:0"
		if i < len(addrs) {
			addr = addrs[i]
		}
		f, err := farm.Listen(addr)
		if err != nil {
			s.Close()
			return nil, err
		}
		s.origins = append(s.origins, f)
	}
	if err := s.furnish(); err != nil {
		return nil, err
	}
	return s, nil
}

// furnish serves all exhibits.
func (s *Site) furnish() error {
	picture, frames, err := draw()
	if err != nil {
		s.Close()
		return err
	}
	s.Exhibits = []Exhibit{s.tale(), s.book(), s.song(), s.count(), s.image(picture), s.animation(frames), s.loop(frames),
		s.moved(), s.drawing(), s.pixels(), s.melody(), s.clip(), s.verses(), s.mixture(frames), s.data(),
		s.slowText(), s.slowImage(picture), s.broken(), s.cutShort(frames), s.missing()}
	return nil
}

// Close ends every answer and every origin.
func (s *Site) Close() {
	for _, f := range s.origins {
		f.Close()
	}
}

// put serves body under path of an origin, as r describes beyond that, and returns the URL.
func (s *Site) put(origin int, path string, body []byte, r farm.Resource) string {
	r.Body = body
	if r.ETag == "" {
		sum := sha256.Sum256(body)
		r.ETag = `"` + hex.EncodeToString(sum[:8]) + `"`
	}
	s.origins[origin].Serve(path, r)
	return s.origins[origin].URL(path)
}

// text serves a text.
func (s *Site) text(origin int, path, text string) string {
	return s.put(origin, path, []byte(text), farm.Resource{MediaType: "text/plain; charset=utf-8"})
}

// list serves a manifest.
func (s *Site) list(origin int, path string, parts ...manifest.Part) string {
	return s.put(origin, path, encode(parts), farm.Resource{MediaType: manifest.MediaType})
}

// exhibit serves e's manifest on the first origin.
func (s *Site) exhibit(path string, manifestText []byte, e Exhibit) Exhibit {
	e.Path = path
	e.URL = s.put(0, path, manifestText, farm.Resource{MediaType: manifest.MediaType})
	return e
}

const fileParts = 10

// inParts serves a file as a manifest of parts with digests, over all origins. In the middle a mirror is dead.
func (s *Site) inParts(path string, whole []byte, e Exhibit) Exhibit {
	var parts []manifest.Part
	for i, piece := range cut(whole, fileParts) {
		name := fmt.Sprintf("%s/%d", path[:len(path)-len(".parts")], i)
		urls := []string{s.put((i+1)%Origins, name, piece, octets())}
		if i == fileParts/2 {
			urls = append([]string{s.dead + name}, urls...)
		}
		parts = append(parts, described(piece, urls...))
	}
	e.Mode, e.Bytes, e.SHA256 = File, int64(len(whole)), sha256.Sum256(whole)
	return s.exhibit(path, encode(parts), e)
}

// encode writes a manifest. All that is written here can be read back: a part that could not be would be missing, and
// the digest of the whole wrong.
func encode(parts []manifest.Part) []byte {
	var b bytes.Buffer
	enc := manifest.NewEncoder(&b)
	for _, p := range parts {
		_ = enc.Encode(p)
	}
	return b.Bytes()
}

// part is one with these alternatives.
func part(alternatives ...string) manifest.Part { return manifest.Part{Alternatives: alternatives} }

// starred is a part that is to be cached.
func starred(alternatives ...string) manifest.Part {
	return manifest.Part{Alternatives: alternatives, Cacheable: true}
}

// described is a part that is to be these bytes.
func described(piece []byte, urls ...string) manifest.Part {
	sum := sha256.Sum256(piece)
	p := manifest.Part{}
	for _, u := range urls {
		p.Alternatives = append(p.Alternatives, manifest.Alternative{URL: u, Digest: sum[:], Size: int64(len(piece))}.String())
	}
	return p
}

// cut cuts b into n pieces of about the same size.
func cut(b []byte, n int) [][]byte {
	pieces := make([][]byte, n)
	for i := range pieces {
		pieces[i] = b[len(b)*i/n : len(b)*(i+1)/n]
	}
	return pieces
}
