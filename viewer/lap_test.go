package viewer_test

import (
	"fmt"
	"testing"

	"spate/internal/farm"
)

// TestEndlessAnimation: of an animation that begins anew for ever, what is to be kept is asked for once.
func TestEndlessAnimation(t *testing.T) {
	t.Parallel()
	const files = 5
	s := stage(t, nil)
	text := ""
	for n := 1; n <= files; n++ {
		path := fmt.Sprintf("/frames/%d.png-seq", n)
		s.Serve(path, farm.Resource{Body: inSequence(numbered(n, 16))})
		text += "(*)\n" + s.URL(path) + "\n--\n"
	}
	s.Serve("/film.png-seq.parts", farm.Resource{Body: []byte(text + s.URL("/film.png-seq.parts") + "\n")})
	p := openWatching(t, s.address("/film.png-seq.parts", "ms", "10"))
	const laps = 20
	p.waitFrames(laps * files)
	p.press(" ")
	p.waitState("paused")
	for i, n := range p.seen() {
		if want := fmt.Sprint(i%files + 1); n != want {
			t.Fatalf("as number %d, %s was seen", i+1, n)
		}
	}
	for n := 1; n <= files; n++ {
		if asked := s.Requests(fmt.Sprintf("/frames/%d.png-seq", n)); asked != 1 {
			t.Errorf("file %d was asked for %d times", n, asked)
		}
	}
	if asked := s.Requests("/film.png-seq.parts"); asked < laps {
		t.Errorf("the manifest was asked for %d times in %d laps", asked, laps)
	}
	if cells := p.text("#parts-words"); cells == "" {
		t.Error("it is not said in words what is underneath")
	}
}
