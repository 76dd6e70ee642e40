package demo

import (
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"spate/format/manifest"
	"spate/internal/farm"
)

const (
	verse1 = `A packet set out on a bright copper line,
the first port was closed and the second was fine;
it hopped over mirrors, it ran through a gate,
and where one hop failed it was never too late.

`
	verse2 = `A second set out while the first was still gone,
it waited its turn and then carried it on;
it never went missing, it never came twice,
and no one who listened was told of it thrice.

`
	chorus = `    Oh roll, little river, roll on without end,
    whatever is broken, another will mend;
    roll on, little river, and bring what you may,
    the order you left in is how you will stay.

`
)

// take is how many bytes of an endless text are taken.
const take = 64 << 10

// lap repeats a text without end.
type lap struct {
	text string
	off  int
}

func (l *lap) Read(p []byte) (int, error) {
	n := copy(p, l.text[l.off:])
	l.off = (l.off + n) % len(l.text)
	return n, nil
}

// song is a manifest that ends in itself; its chorus is marked to be fetched once.
func (s *Site) song() Exhibit {
	refrain := starred(s.text(2, "/song/chorus", chorus))
	first, second := part(s.text(1, "/song/1", verse1)), part(s.text(3, "/song/2", verse2))
	parts := []manifest.Part{first, refrain, second, refrain, part("song.parts")}
	return s.exhibit("/song.parts", encode(parts), Exhibit{
		Name:    "song",
		About:   "verse, chorus, verse, chorus and itself again; the chorus is asked for once",
		Endless: true,
		Bytes:   take,
		SHA256:  digest(&lap{text: verse1 + chorus + verse2 + chorus}, take),
	})
}

// digest is that of the first n bytes of r, which has as many.
func digest(r io.Reader, n int64) (sum [sha256.Size]byte) {
	h := sha256.New()
	_, _ = io.CopyN(h, r, n)
	return [sha256.Size]byte(h.Sum(nil))
}

// squares is how many lines a part of the count has.
const squares = 50

// countText is part k of the count, from 0.
func countText(k int64) string {
	var b strings.Builder
	for i := k*squares + 1; i <= (k+1)*squares; i++ {
		fmt.Fprintf(&b, "%d times itself is %d\n", i, i*i)
	}
	return b.String()
}

// counting is the count, without end.
type counting struct {
	strings.Reader
	next int64
}

func (c *counting) Read(p []byte) (int, error) {
	if c.Len() == 0 {
		c.Reset(countText(c.next))
		c.next++
	}
	return c.Reader.Read(p)
}

// Every part of the endless manifest has the same length, so that any stretch of it can be made without what is
// before it.
const countPart = "count/%012d\n--\n"

// countManifest makes the endless manifest: p is filled with what is at off.
func countManifest(off int64, p []byte) int {
	width := int64(len(fmt.Sprintf(countPart, 0)))
	n := 0
	for n < len(p) {
		k, skip := (off+int64(n))/width, (off+int64(n))%width
		n += copy(p[n:], fmt.Sprintf(countPart, k)[skip:])
	}
	return n
}

// count is a manifest that is generated while it is read, and never ends; so are its parts.
func (s *Site) count() Exhibit {
	const path = "/count.parts"
	f := s.origins[0]
	f.Serve(path, farm.Resource{Gen: countManifest, MediaType: manifest.MediaType, ETag: `"count"`})
	f.Serve("/count/", farm.Resource{Handler: http.HandlerFunc(serveCount)})
	return Exhibit{
		Name:    "generated",
		About:   "an answer that never ends: a manifest that is made while it is read",
		URL:     f.URL(path),
		Path:    path,
		Endless: true,
		Bytes:   take,
		SHA256:  digest(&counting{}, take),
	}
}

func serveCount(w http.ResponseWriter, r *http.Request) {
	k, err := strconv.ParseInt(strings.TrimPrefix(r.URL.Path, "/count/"), 10, 64)
	if err != nil || k < 0 {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, countText(k))
}
