package viewer_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"spate/internal/farm"
)

// What is shown of what went wrong: a line, and the causes of each alternative.
func (p *tab) waitTrouble(want ...string) {
	p.t.Helper()
	p.waitState("failed")
	p.wait("!document.getElementById('trouble').hidden")
	got := p.text("#trouble")
	for _, line := range want {
		if !strings.Contains(got, line) {
			p.t.Errorf("no %q in\n%s", line, got)
		}
	}
}

func TestTrouble(t *testing.T) {
	s := stage(t, nil)
	dead := farm.Dead()
	text := strings.Repeat("What came stays.\n", 30)
	s.Serve("/cut.txt", farm.Resource{Body: []byte(text), BreakAt: int64(len(text) / 2), ETag: farm.NoETag, NoRange: true})
	s.Serve("/good", farm.Resource{Body: []byte("The first part is there.\n")})
	s.Serve("/busy", farm.Resource{Status: 503})
	s.Serve("/none.parts", farm.Resource{Body: fmt.Appendf(nil, "%s\n--\n%s/it\n%s\n%s\n", s.URL("/good"), dead, s.URL("/absent"), s.URL("/busy"))})
	s.Serve("/strange.parts", farm.Resource{Body: append([]byte(s.URL("/good")+"\n--\n"), 0xff, 0xfe, 0, 1, '\n')})
	s.Serve("/silly.wav", farm.Resource{Body: append([]byte("RIFF\xff\xff\xff\x7fWAVE"), make([]byte, 500)...)})
	picture := drawing(t, 320, 200)
	s.Serve("/cut.png", farm.Resource{Body: picture, BreakAt: int64(len(picture) / 2), ETag: farm.NoETag, NoRange: true})
	s.Serve("/broken.png", farm.Resource{Body: append(picture[:12:12], make([]byte, 400)...)})
	p := open(t, s.server.URL+"/")
	for _, c := range []struct {
		name, url string
		want      []string
		stays     string // in the stage
	}{
		{"not there", s.URL("/absent.txt"), []string{"404 Not Found", "/absent.txt"}, ""},
		{"refused", dead + "/x.txt", []string{"connection refused"}, ""},
		{"no URL", "what is this", []string{"that is no URL"}, ""},
		{"a scheme that nobody knows", "gopher://host/1", []string{"gopher"}, ""},
		{"a text is cut", s.URL("/cut.txt"), []string{"/cut.txt", "unexpected EOF"}, "What came stays."},
		{"an image is cut", s.URL("/cut.png"), []string{"/cut.png", "unexpected EOF"}, "img"},
		{"an image is broken", s.URL("/broken.png"), []string{"The browser cannot show this image."}, ""},
		{"no alternative works", s.URL("/none.parts"), []string{"line 3", "connection refused", "404 Not Found", "503"}, "The first part is there."},
		{"a line that is no URL", s.URL("/strange.parts"), []string{"line 3"}, "The first part is there."},
		{"a manifest that is not there", s.URL("/absent.parts"), []string{"404 Not Found"}, ""},
		{"no sound", s.URL("/silly.wav"), []string{"The browser cannot play this."}, ""},
		{"sound that is not there", s.URL("/absent.wav"), []string{"404 Not Found"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			was := p.t
			p.t = t
			defer func() { p.t = was }()
			p.visit(s.addressOf(c.url))
			p.waitTrouble(c.want...)
			switch c.stays {
			case "":
			case "img":
				p.waitDrawn(0.1, true)
			default:
				p.frame()
				if got := p.text("#stage"); !strings.Contains(got, c.stays) {
					t.Errorf("what came is gone: %q", got)
				}
			}
		})
	}
}

// What is lost between page and program is said, and goes on where it was: nothing twice, nothing missing.
func TestConnectionIsLostAndFound(t *testing.T) {
	s := stage(t, nil)
	const lines = 2000
	var text strings.Builder
	for i := range lines {
		fmt.Fprintf(&text, "line %d\n", i)
	}
	release := make(chan struct{})
	s.Serve("/long.txt", farm.Resource{Body: []byte(text.String()), StallAt: int64(text.Len() / 2), Release: release})
	p := open(t, s.address("/long.txt"))
	p.wait("document.querySelector('.text')?.innerText.includes('line 3\\n')")
	p.wait(fmt.Sprintf("document.getElementById('bytes').textContent === '%.1f KiB'", float64(text.Len()/2)/1024))
	s.lose()
	p.wait("document.getElementById('state').textContent.startsWith('The connection to spate is lost. Trying again in ')")
	if phase := eval[string](p, "document.getElementById('status').dataset.phase"); phase != "waiting" {
		t.Errorf("it looks as if it was %s", phase)
	}
	close(release)
	s.find()
	p.waitState("complete")
	p.wait(fmt.Sprintf("document.getElementById('bytes').textContent === '%.1f KiB'", float64(text.Len())/1024))
	p.do(scrollTo("document.querySelector('.text').scrollHeight / 2 - 200"))
	p.frame()
	in := regexp.MustCompile(`line (\d+)`).FindAllStringSubmatch(p.text(".text"), -1)
	if len(in) < 20 {
		t.Fatalf("in the middle there is %q", p.text(".text"))
	}
	for i, m := range in[1:] {
		var before, n int
		_, _ = fmt.Sscan(in[i][1], &before) // both are digits
		_, _ = fmt.Sscan(m[1], &n)
		if n != before+1 {
			t.Errorf("line %d is followed by line %d", before, n)
		}
	}
}

// Another run of the program has another token: the page loads itself again, and starts again.
func TestProgramIsStartedAgain(t *testing.T) {
	s := stage(t, nil)
	release := make(chan struct{})
	s.Serve("/slow.txt", farm.Resource{Body: []byte("This is the beginning, and this is the end."), StallAt: 24, Release: release})
	p := open(t, s.address("/slow.txt"))
	p.wait("document.querySelector('.text')?.innerText.includes('beginning')")
	eval[bool](p, "(window.isOld = true)")
	close(release)
	s.restart()
	p.waitAcross("!window.isOld && document.getElementById('state').textContent === 'complete'")
	p.wait("document.querySelector('.text').innerText.includes('the end')")
}

// An image that is lost on the way comes again.
func TestImageIsLostAndFound(t *testing.T) {
	s := stage(t, nil)
	release := make(chan struct{})
	whole := drawing(t, 320, 200)
	s.Serve("/slow.png", farm.Resource{Body: whole, StallAt: int64(len(whole) / 2), Release: release})
	p := open(t, s.address("/slow.png"))
	p.waitDrawn(0.1, true)
	s.lose()
	p.wait("document.getElementById('state').textContent.startsWith('The connection to spate is lost.')")
	close(release)
	s.find()
	p.waitState("complete")
	p.waitDrawn(0.95, true)
}

// A film goes on where it was.
func TestSoundIsLostAndFound(t *testing.T) {
	s := stage(t, nil)
	sound := tone{seconds: 1200}
	s.Serve("/tone.wav", farm.Resource{ETag: `"tone"`, Size: sound.size(), Gen: sound.at})
	p := open(t, s.address("/tone.wav"))
	p.wait("document.querySelector('audio')?.duration > 1199")
	eval[bool](p, "(document.querySelector('audio').currentTime = 500, document.querySelector('audio').play().then(() => true))")
	p.wait("document.querySelector('audio').currentTime > 500")
	s.lose()
	eval[bool](p, "(document.querySelector('audio').currentTime = 1000, true)") // else there is enough to hear for a while
	p.wait("document.getElementById('state').textContent.startsWith('The connection to spate is lost.')")
	s.find()
	p.waitState("playing")
	p.wait("document.querySelector('audio').currentTime > 1000")
}

// What the engine survives is told with what was done about it.
func TestFailureThatIsSurvived(t *testing.T) {
	s := stage(t, nil)
	s.Serve("/1", farm.Resource{Body: []byte("one ")})
	s.Serve("/2", farm.Resource{Body: []byte("two ")})
	s.Serve("/all.parts", farm.Resource{Body: fmt.Appendf(nil, "%s/1\n%s\n--\n%s\n%s\n", farm.Dead(), s.URL("/1"), s.URL("/gone"), s.URL("/2"))})
	p := open(t, s.address("/all.parts"))
	p.waitState("complete")
	p.wait("document.querySelectorAll('#failures li').length === 2")
	for _, want := range []string{"connection refused", "404 Not Found", "line 1 of all", "→ taken from " + s.Addr() + " instead"} {
		if got := p.text("#failures"); !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	p.wait("document.getElementById('parts-words').textContent === 'done: 8 bytes: 2 from another place'")
}
