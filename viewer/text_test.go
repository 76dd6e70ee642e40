package viewer_test

import (
	"strings"
	"testing"

	"spate/internal/farm"
)

func TestTextGrowsWhileItArrives(t *testing.T) {
	s := stage(t, nil)
	release := make(chan struct{})
	const head, tail = "The beginning is here.\n", "And this is the end.\n"
	s.Serve("/slow.txt", farm.Resource{Body: []byte(head + tail), StallAt: int64(len(head)), Release: release})
	p := open(t, s.address("/slow.txt"))
	p.wait("document.querySelector('.text')?.innerText.includes('beginning')")
	if seen := p.text(".text"); strings.Contains(seen, "end") {
		t.Errorf("before it was sent there is %q", seen)
	}
	p.waitState("arriving")
	close(release)
	p.waitState("complete")
	p.wait("document.querySelector('.text').innerText.includes('end')")
}
