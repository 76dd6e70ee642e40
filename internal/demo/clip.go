package demo

import (
	_ "embed" // a film is the one thing that is not made here
	"fmt"
)

// film was made once, by ffmpeg:
//
//	ffmpeg -f lavfi -i testsrc=size=320x180:rate=12:duration=10 -c:v libvpx-vp9 -b:v 0 -crf 45 -pix_fmt yuv420p -g 24 \
//		-fflags +bitexact -flags:v +bitexact -cues_to_front 1 clip.webm
//
// There is a key frame every two seconds, and a number on it that counts them: so one sees that seeking works.
//
//go:embed clip.webm
var film []byte

// clip is a film in parts from all origins.
func (s *Site) clip() Exhibit {
	return s.inParts("/clip.webm.parts", film, Exhibit{
		Name:  "film",
		About: fmt.Sprintf("ten seconds of WebM in %d parts from %d origins; one mirror is dead", fileParts, Origins),
	})
}
