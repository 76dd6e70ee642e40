package viewer_test

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"spate/internal/farm"
)

// TestStep: each step shows the next file only, back and forth, and Animate goes on from there.
func TestStep(t *testing.T) {
	t.Parallel()
	s := stage(t, nil)
	s.Serve("/film.png-seq", farm.Resource{Body: inSequence(numberedAll(12, 4)...)})
	p := openWatching(t, s.address("/film.png-seq", "play", "0", "ms", "0"))
	p.waitState("paused")
	p.waitSeen("1")
	p.press("s")
	p.waitSeen("1", "2")
	p.press(kb.ArrowRight)
	p.waitSeen("1", "2", "3")
	p.click("#step")
	p.waitSeen("1", "2", "3", "4")
	p.press(kb.ArrowLeft)
	p.waitSeen("1", "2", "3", "4", "3")
	p.click("#back")
	p.waitFrame(2)
	p.click("#back")
	p.waitFrame(1)
	if !eval[bool](p, "document.getElementById('back').disabled") {
		t.Error("one can go back beyond the first")
	}
	p.press(kb.ArrowLeft)
	p.settle()
	p.press("s")
	p.press("s")
	p.waitSeen("1", "2", "3", "4", "3", "2", "1", "2", "3")
	p.waitState("paused")
	p.press(" ")
	p.waitState("complete")
	p.waitSeen(append(strings.Fields("1 2 3 4 3 2 1"), numbers(2, 12)...)...)
}

// TestStepWhilePlaying: who steps pauses.
func TestStepWhilePlaying(t *testing.T) {
	t.Parallel()
	s := stage(t, nil)
	s.Serve("/film.png-seq", farm.Resource{Body: inSequence(numberedAll(40, 4)...)})
	p := openWatching(t, s.address("/film.png-seq", "ms", "10000")) // so that by itself it shows no second one
	p.waitSeen("1")
	p.waitState("playing")
	p.press("s")
	p.waitState("paused")
	p.waitSeen("1", "2")
	p.click("#pause")
	p.waitState("playing")
	p.press("+")
	eval[bool](p, "(document.getElementById('ms').value = '0', document.getElementById('ms').dispatchEvent(new Event('input')))")
	p.waitState("complete")
	p.waitSeen(numbers(1, 40)...)
}

// TestMixed: a sequence may have text, images and pixels, files without a byte, and such as are not what they seem to be.
func TestMixed(t *testing.T) {
	t.Parallel()
	s := stage(t, nil)
	broken := append([]byte("\x89PNG\r\n\x1a\n"), make([]byte, 100)...)
	body := inSequence([]byte("a text"), numbered(2, 4), numberedPPM(3), []byte(""), broken, []byte("<b>six</b>"), numberedPPM(7),
		[]byte("P6 9 9 255\nxx"), []byte("\x00\x01\x02\x03"), numbered(10, 4))
	s.Serve("/mixed-seq", farm.Resource{Body: body})
	p := openWatching(t, s.address("/mixed-seq", "play", "0"))
	p.waitSeen("a text")
	for _, want := range []string{"2", "3", "", "?", "<b>six</b>", "7"} {
		p.press("s")
		p.wait("window.seen.at(-1) === " + quoted(want))
		trouble := p.text("#trouble")
		if hasTrouble := strings.Contains(trouble, "File 5: The browser cannot show this file as image/png."); hasTrouble != slices.Contains([]string{"?", "<b>six</b>", "7"}, want) {
			t.Errorf("at %q it says %q", want, trouble)
		}
	}
	p.press(" ")
	p.waitState("complete")
	p.wait("window.seen.at(-1) === '10'")
}

// TestCutSequence: all files before the cut are shown, and it is said where it is.
func TestCutSequence(t *testing.T) {
	t.Parallel()
	whole := inSequence(numberedAll(20, 8)...)
	file := len(whole) / 20
	tests := []struct {
		name string
		res  farm.Resource
		says string
	}{
		{"in a file", farm.Resource{Body: whole[:19*file+100]}, "The sequence is cut in file 20: "},
		{"in a length", farm.Resource{Body: whole[:19*file+3]}, "The sequence is cut in file 20: not even its length is whole."},
		{"by the origin", farm.Resource{Body: whole, BreakAt: int64(19*file + 100), NoRange: true}, "The sequence is cut in file 20: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := stage(t, nil)
			s.Serve("/film.png-seq", tt.res)
			p := openWatching(t, s.address("/film.png-seq", "ms", "0"))
			p.waitState("failed")
			p.waitFrame(19)
			p.waitSeen(numbers(1, 19)...)
			if says := p.text("#trouble"); !strings.HasPrefix(says, tt.says) {
				t.Errorf("it says %q", says)
			}
		})
	}
}

// TestFileThatIsTooLarge: of one that is not kept the beginning is shown, and what comes behind it as ever.
func TestFileThatIsTooLarge(t *testing.T) {
	t.Parallel()
	head, tail := inSequence([]byte("first")), inSequence([]byte("third"))
	const large = 64<<20 + 1
	size := int64(len(head)) + 4 + large + int64(len(tail))
	header := binary.BigEndian.AppendUint32(nil, large)
	s := stage(t, nil)
	s.Serve("/file-seq", farm.Resource{Size: size, Gen: func(off int64, p []byte) int {
		n := min(int64(len(p)), size-off)
		clear(p[:n])
		for at, part := range map[int64][]byte{0: head, int64(len(head)): header, size - int64(len(tail)): tail} {
			for i, b := range part {
				if j := at + int64(i) - off; j >= 0 && j < n {
					p[j] = b
				}
			}
		}
		return int(n)
	}})
	p := openWatching(t, s.address("/file-seq", "play", "0"))
	p.waitSeen("first")
	p.press("s")
	p.waitSeen("first", "?")
	if says := p.text("#trouble"); !strings.HasPrefix(says, "File 2 is too large to be shown") {
		t.Errorf("it says %q", says)
	}
	p.press("s")
	p.waitSeen("first", "?", "third")
	p.waitState("complete")
}

// TestNamesOfSequences: what is a sequence says its name, whatever makes it.
func TestNamesOfSequences(t *testing.T) {
	t.Parallel()
	s := stage(t, nil)
	film := inSequence(numberedAll(3, 4)...)
	for _, path := range []string{"/film-seq", "/film.png-seq.cgi", "/film-seq.parts"} {
		s.Serve(path, farm.Resource{Body: film})
	}
	s.Serve("/film-seq.parts", farm.Resource{Body: []byte(s.URL("/film-seq") + "\n")})
	for _, path := range []string{"/film-seq", "/film.png-seq.cgi", "/film-seq.parts"} {
		p := openWatching(t, s.address(path, "ms", "0"))
		p.waitState("complete")
		p.waitSeen("1", "2", "3")
	}
}
