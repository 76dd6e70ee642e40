package model

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"

	"spate/format/manifest"
	"spate/source"
)

// A World is what there is, by URL. It is a source.Source.
type World map[string]*Node

// A Node is data or a manifest, with its misbehaviour.
type Node struct {
	Manifest bool
	Data     []byte // of a manifest, its text
	Break    int    // bytes from here on are never served: the body is cut; below 0: all are
	NoRange  bool
	NoSize   bool   // the size is not told
	Version  string // changes the validator
	NoValid  bool   // there is none

	mu       sync.Mutex
	requests int
}

// Requests is how often the node was opened.
func (n *Node) Requests() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.requests
}

// served is what of the bytes from off up to end is ever served.
func (n *Node) served(off, end int) []byte {
	if n.Break >= 0 {
		end = min(end, n.Break)
	}
	end = min(end, len(n.Data))
	if off >= end {
		return nil
	}
	return n.Data[off:end]
}

var errCut = &source.Error{Op: "read", URL: "mem://", Kind: source.KindNetwork, Err: io.ErrUnexpectedEOF}

func (n *Node) text() io.Reader {
	if n.Break < 0 {
		return bytes.NewReader(n.Data)
	}
	return io.MultiReader(bytes.NewReader(n.served(0, len(n.Data))), failing{})
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errCut }

// Open opens a node.
func (w World) Open(ctx context.Context, url string, rng source.Range) (*source.Resource, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	n := w[url]
	if n == nil {
		return nil, &source.Error{Op: "open", URL: url, Kind: source.KindStatus, Status: 404, Err: errors.New("404")}
	}
	n.mu.Lock()
	n.requests++
	n.mu.Unlock()
	off := int(rng.Off)
	if n.NoRange {
		off = 0
	}
	res := &source.Resource{Off: int64(off), Len: int64(max(len(n.Data)-off, 0))}
	res.Info = source.Info{URL: url, Size: int64(len(n.Data)), Validator: "v", Seekable: !n.NoRange}
	if n.Manifest {
		res.MediaType = manifest.MediaType
	}
	res.Validator += n.Version
	if n.NoValid {
		res.Validator = ""
	}
	if n.NoSize {
		res.Size, res.Len = -1, -1
	}
	res.Body = &body{ctx: ctx, left: n.served(off, len(n.Data)), cut: n.Break >= 0}
	return res, nil
}

type body struct {
	ctx  context.Context
	left []byte
	cut  bool
}

func (b *body) Read(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	if len(b.left) == 0 {
		if b.cut {
			return 0, errCut
		}
		return 0, io.EOF
	}
	n := copy(p, b.left[:min(len(b.left), 7)])
	b.left = b.left[n:]
	return n, nil
}

func (b *body) Close() error { return nil }

// Kind says what a random world may hold.
type Kind struct {
	Lying bool // mirrors whose bytes differ
	Star  bool // parts marked (*)
	Same  bool // all alternatives of a part have the same bytes, if any
}

// Random makes a world. Its root is "mem://m/m0" plus, at times, the suffix .parts.
func Random(rnd *rand.Rand, k Kind) (World, string) {
	g := &generator{rnd: rnd, k: k, w: make(World)}
	for i := range 1 + rnd.IntN(5) {
		g.manifests = append(g.manifests, fmt.Sprintf("mem://m/m%d%s", i, []string{"", ".parts"}[rnd.IntN(2)]))
	}
	for range 1 + rnd.IntN(6) {
		g.group()
	}
	for i, url := range g.manifests {
		g.manifest(url, i)
		if g.k.Same && rnd.IntN(2) == 0 {
			g.mirror(url)
		}
	}
	return g.w, g.manifests[0]
}

type generator struct {
	rnd       *rand.Rand
	k         Kind
	w         World
	manifests []string
	groups    [][]string // of URLs with the same bytes, or with nothing
}

// group makes some mirrors of one content.
func (g *generator) group() {
	data := make([]byte, g.rnd.IntN(24))
	for i := range data {
		data[i] = byte('a' + g.rnd.IntN(3))
	}
	var urls []string
	for i := range 1 + g.rnd.IntN(4) {
		url := fmt.Sprintf("mem://h%[2]d/d%[1]d-%[2]d", len(g.groups), i)
		urls = append(urls, url)
		if g.rnd.IntN(5) == 0 {
			continue // is missing
		}
		n := &Node{Data: data, Break: -1, NoRange: g.rnd.IntN(4) == 0, NoSize: g.rnd.IntN(4) == 0}
		if len(data) > 0 && g.rnd.IntN(3) == 0 {
			n.Break = g.rnd.IntN(len(data))
		}
		if g.k.Lying && g.rnd.IntN(6) == 0 {
			n.Data = append(bytes.Clone(data), byte('a'+g.rnd.IntN(3)))[g.rnd.IntN(2):]
			n.Break = min(n.Break, len(n.Data)-1)
		}
		g.w[url] = n
	}
	g.groups = append(g.groups, urls)
}

func (g *generator) manifest(url string, index int) {
	var b strings.Builder
	for i, parts := 0, g.rnd.IntN(6); i < parts; i++ {
		if i > 0 {
			b.WriteString("--\n")
		}
		g.part(&b, index, i == parts-1)
	}
	if g.rnd.IntN(4) == 0 {
		b.WriteString("--\n")
	}
	n := &Node{Manifest: true, Data: []byte(b.String()), Break: -1, NoRange: g.rnd.IntN(4) == 0, NoSize: g.rnd.IntN(4) == 0}
	if g.rnd.IntN(8) == 0 && len(n.Data) > 0 {
		n.Break = g.rnd.IntN(len(n.Data))
	}
	g.w[url] = n
}

// mirror makes the manifest available elsewhere, too, maybe cut.
func (g *generator) mirror(url string) {
	n := &Node{Manifest: true, Data: g.w[url].Data, Break: -1}
	if g.rnd.IntN(3) == 0 && len(n.Data) > 0 {
		n.Break = g.rnd.IntN(len(n.Data))
	}
	g.w[mirrored(url)] = n
}

func mirrored(url string) string { return strings.Replace(url, "mem://m/", "mem://n/", 1) }

// same writes alternatives with the same bytes: of data, or of a manifest.
func (g *generator) same(b *strings.Builder, index int, last bool) {
	urls := g.groups[g.rnd.IntN(len(g.groups))]
	if g.rnd.IntN(3) == 0 {
		url := g.nested(index, last)
		urls = []string{url, mirrored(url)}
	}
	for range g.rnd.IntN(4) {
		b.WriteString(urls[g.rnd.IntN(len(urls))])
		b.WriteByte('\n')
	}
}

func (g *generator) part(b *strings.Builder, index int, last bool) {
	if g.k.Star && g.rnd.IntN(2) == 0 {
		b.WriteString("(*)\n")
	}
	if g.k.Same {
		g.same(b, index, last)
		return
	}
	group := g.groups[g.rnd.IntN(len(g.groups))]
	// A cached sibling comes before alternatives of other content, whether or not it turns out to be whole: how that
	// ends depends on time. So where parts are cached, the alternatives of one part are of one content.
	leaves := !g.k.Star || g.rnd.IntN(3) > 0
	for range g.rnd.IntN(4) {
		switch d := g.rnd.IntN(10); {
		case g.k.Star && !leaves:
			b.WriteString(g.nested(index, last))
		case g.k.Star && d >= 7:
			b.WriteString("mem://h0/nothing")
		case d < 6:
			b.WriteString(group[g.rnd.IntN(len(group))])
		case d == 6:
			b.WriteString("mem://h0/nothing")
		case d == 7 && g.k.Lying:
			b.WriteString("mem://h0/d0-0")
		default:
			b.WriteString(g.nested(index, last))
		}
		b.WriteByte('\n')
	}
}

// nested is a manifest further on, or, in last place, any.
func (g *generator) nested(index int, last bool) string {
	if last && g.rnd.IntN(3) == 0 {
		return g.manifests[g.rnd.IntN(len(g.manifests))]
	}
	if index+1 < len(g.manifests) {
		return g.manifests[index+1+g.rnd.IntN(len(g.manifests)-index-1)]
	}
	return "mem://h0/nothing"
}
