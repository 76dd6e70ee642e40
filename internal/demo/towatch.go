package demo

import (
	"fmt"

	"spate/format/manifest"
	"spate/internal/farm"
)

// Bytes a second of what is to be seen to grow: both take about ten seconds.
const (
	slowTextRate  = 200
	slowImageRate = 6 << 10
)

func (s *Site) slowText() Exhibit {
	const path = "/slowly.txt"
	return Exhibit{
		Name:  "slow text",
		About: fmt.Sprintf("a text that grows by %d bytes a second", slowTextRate),
		URL:   s.put(0, path, []byte(taleText()), farm.Resource{MediaType: "text/plain; charset=utf-8", Rate: slowTextRate}),
		Path:  path,
		Mode:  Watch,
	}
}

func (s *Site) slowImage(picture []byte) Exhibit {
	const path = "/slowly.png"
	return Exhibit{
		Name:  "slow image",
		About: "a picture that comes by 6 KiB a second",
		URL:   s.put(0, path, picture, farm.Resource{MediaType: "image/png", Rate: slowImageRate}),
		Path:  path,
		Mode:  Watch,
	}
}

// broken is a text of which only the beginning can be had: all mirrors of its second part fail, each in another way.
func (s *Site) broken() Exhibit {
	first := s.text(1, "/broken/0", verse1)
	const path = "/broken/1"
	busy := s.put(2, path, nil, farm.Resource{Status: 503})
	other := s.text(4, path, chorus)
	second := described([]byte(verse2), s.dead+path, s.origins[3].URL(path), busy, other)
	return s.exhibit("/broken.parts", encode([]manifest.Part{part(first), second}), Exhibit{
		Name:  "broken",
		About: "a text whose second part nobody has: one mirror is dead, one has nothing, one is busy, one has another text",
		Mode:  Watch,
	})
}

// cutShort is a sequence that ends within its third picture.
func (s *Site) cutShort(frames [][]byte) Exhibit {
	const path = "/cut-seq"
	whole := sequenceOf(frames[:3])
	return Exhibit{
		Name:  "cut short",
		About: "a sequence that ends in the middle of its third picture",
		URL:   s.put(0, path, whole[:len(whole)-len(frames[2])/2], octets()),
		Path:  path,
		Mode:  Watch,
		Delay: 1000,
	}
}

func (s *Site) missing() Exhibit {
	const path = "/missing.txt"
	return Exhibit{
		Name:  "missing",
		About: "a file that is not there",
		URL:   s.origins[0].URL(path),
		Path:  path,
		Mode:  Watch,
	}
}
