package demo

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"spate/format/manifest"
	"spate/internal/farm"
)

// chain is what the tale is told of: each link does something to the one before it.
var chain = [...]struct{ noun, verb string }{
	{"the byte", ""},
	{"the part", "carried"},
	{"the mirror", "copied"},
	{"the list", "mentioned"},
	{"the port", "answered for"},
	{"the wire", "led to"},
	{"the clock", "lost patience with"},
	{"the neighbour", "stood in for"},
	{"the queue", "held a place for"},
	{"the budget", "made room for"},
	{"the digest", "vouched for"},
	{"the reader", "waited for"},
}

// taleText is a tale that grows with every verse.
func taleText() string {
	var b strings.Builder
	for last := range chain {
		fmt.Fprintf(&b, "This is %s", chain[last].noun)
		for i := last; i > 0; i-- {
			fmt.Fprintf(&b, "\n  that %s %s", chain[i].verb, chain[i-1].noun)
		}
		b.WriteString(".\n\n")
	}
	return b.String()
}

// tale is a text in parts whose mirrors fail in every way that is not silent.
func (s *Site) tale() Exhibit {
	whole := taleText()
	piece := cut([]byte(whole), 6)
	good := func(origin, i int) string {
		return s.text(origin, fmt.Sprintf("/tale/%d", i), string(piece[i]))
	}
	half := int64(len(piece[3]) / 2)
	dies := s.put(3, "/tale/3", piece[3], farm.Resource{BreakAt: half})
	flaky := s.put(4, "/tale/4", piece[4], farm.Resource{BreakAfter: half})
	busy := s.put(2, "/tale/5", nil, farm.Resource{Status: 503})
	parts := []manifest.Part{
		part(s.dead+"/tale/0", good(0, 0)),
		part(s.origins[1].URL("/nothing/here"), good(2, 1)),
		part("http://[malformed", good(1, 2)),
		part(dies, good(4, 3)),
		part(flaky),
		part(busy, good(3, 5)),
	}
	return s.exhibit("/tale.parts", encode(parts), Exhibit{
		Name:   "text",
		About:  "six parts; mirrors that are dead, missing, malformed, busy, or die in the middle",
		Bytes:  int64(len(whole)),
		SHA256: sha256.Sum256([]byte(whole)),
	})
}

const (
	chapters = 4
	pages    = 3
	rows     = 12 // of a page
)

// pageText is a page of the book: part of a multiplication table.
func pageText(chapter, page int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Chapter %d, page %d\n\n", chapter, page)
	for k := (page-1)*rows + 1; k <= page*rows; k++ {
		fmt.Fprintf(&b, "%6d times %2d is %4d\n", chapter, k, chapter*k)
	}
	b.WriteByte('\n')
	return b.String()
}

// book is a manifest of manifests. The third is one by its media type only; the first alternative of the fourth is a
// manifest that breaks off after its first page, so that the other one has to be gone through from the start.
func (s *Site) book() Exhibit {
	var whole strings.Builder
	urls := [chapters + 1]string{}
	for c := 1; c <= chapters; c++ {
		urls[c] = s.chapter(c)
		for p := 1; p <= pages; p++ {
			whole.WriteString(pageText(c, p))
		}
	}
	torn := s.list(1, "/book/torn.parts", part("4/1"), part(s.dead+"/book/4/2", "4/2"))
	s.text(1, "/book/4/1", pageText(4, 1))
	parts := []manifest.Part{part("book/1.parts"), part(urls[2]), part(urls[3]), part(torn, urls[4])}
	return s.exhibit("/book.parts", encode(parts), Exhibit{
		Name:   "manifests",
		About:  "a manifest of manifests, one of which has to be given up half way",
		Bytes:  int64(whole.Len()),
		SHA256: sha256.Sum256([]byte(whole.String())),
	})
}

// chapter serves a chapter, each on its own origin, with its pages beside it.
func (s *Site) chapter(c int) string {
	origin := c - 1
	path := fmt.Sprintf("/book/%d.parts", c)
	if c == 3 {
		path = "/book/three"
	}
	for p := 1; p <= pages; p++ {
		s.text(origin, fmt.Sprintf("/book/%d/%d", c, p), pageText(c, p))
	}
	return s.list(origin, path, part(fmt.Sprintf("%d/1", c)), part(fmt.Sprintf("%d/2", c)), part(fmt.Sprintf("%d/3", c)))
}

// moved is the text as one file, behind one redirect of each kind from origin to origin.
func (s *Site) moved() Exhibit {
	whole := taleText()
	next := s.text(0, "/tale.txt", whole)
	path := ""
	for i, status := range [Origins]int{308, 307, 303, 302, 301} {
		origin := Origins - 1 - i
		path = fmt.Sprintf("/moved/%d", origin+1)
		s.origins[origin].Serve(path, farm.Resource{Redirect: next, Status: status})
		next = s.origins[origin].URL(path)
	}
	return Exhibit{
		Name:   "redirects",
		About:  "301, 302, 303, 307 and 308 across all origins, then a text",
		URL:    next,
		Path:   path,
		Bytes:  int64(len(whole)),
		SHA256: sha256.Sum256([]byte(whole)),
	}
}
