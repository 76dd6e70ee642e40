package metalink

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strconv"
)

const (
	space  = "urn:ietf:params:xml:ns:metalink"
	space3 = "http://www.metalinker.org/"
)

// Decode reads a Metalink file to the end of r.
//
// What breaks the format or a limit is a [*SyntaxError]; it never quotes a URL. Errors of the reader,
// [io.ErrUnexpectedEOF] among them, are wrapped together with the number of the line: a file that was cut never passes
// for a shorter one.
//
// Of several lists of pieces the one with the longest digests is kept, and the first of such.
func Decode(r io.Reader) (*Metalink, error) {
	d := decoder{document: newDocument(r), names: map[string]bool{}}
	root, err := d.root()
	if err != nil {
		return nil, err
	}
	switch root.Name {
	case xml.Name{Space: space, Local: "metalink"}:
		err = d.children(d.metalink)
	case xml.Name{Space: space3, Local: "metalink"}:
		err = d.version3(root)
	default:
		err = d.bad(errNoRoot)
	}
	if err == nil && len(d.out.Files) == 0 {
		err = d.bad(errNoFile)
	}
	if err == nil {
		err = d.end()
	}
	if err != nil {
		return nil, err
	}
	return &d.out, nil
}

type decoder struct {
	document
	out                 Metalink
	names               map[string]bool // of the files
	urls, hashes, texts int             // so far
}

// one counts one more of what there are n.
func (d *decoder) one(n *int, limit int, what string) error {
	if *n++; *n > limit {
		return d.bad(fmt.Errorf("more than %d %s", limit, what))
	}
	return nil
}

func (d *decoder) metalink(e xml.StartElement) error {
	switch e.Name.Local {
	case "generator":
		return d.set(&d.out.Generator)
	case "origin":
		return d.origin(e)
	case "file":
		return d.file(e, d.detail)
	}
	return d.skip()
}

// set reads a text into s.
func (d *decoder) set(s *string) (err error) {
	*s, err = d.text()
	return err
}

// add reads a text and adds it to list.
func (d *decoder) add(list *[]string) error {
	text, err := d.text()
	if err != nil || text == "" {
		return err
	}
	*list = append(*list, text)
	return d.one(&d.texts, MaxTexts, "languages and operating systems")
}

// url reads an absolute URL.
func (d *decoder) url() (string, error) {
	text, err := d.text()
	if err == nil {
		err = d.bad(checkURL(text))
	}
	return text, err
}

func (d *decoder) origin(e xml.StartElement) error {
	url, err := d.url()
	dynamic := attr(e, "dynamic")
	d.out.Origin = Origin{URL: url, Dynamic: dynamic == "true" || dynamic == "1"}
	return err
}

// file reads a file; detail reads one of its children.
func (d *decoder) file(e xml.StartElement, detail func(*File, xml.StartElement) error) error {
	line := d.line()
	f := File{Name: attr(e, "name"), Size: -1}
	err := checkName(f.Name)
	switch {
	case err != nil:
		return d.bad(err)
	case d.names[f.Name]:
		return d.bad(fmt.Errorf("file %q: %w", f.Name, errTwice))
	case len(d.out.Files) == MaxFiles:
		return d.bad(fmt.Errorf("more than %d files", MaxFiles))
	}
	if err := d.children(func(e xml.StartElement) error { return detail(&f, e) }); err != nil {
		return err
	}
	if err = checkPieces(f.Pieces, f.Size); err == nil && len(f.URLs)+len(f.MetaURLs) == 0 {
		err = errNoSource
	}
	if err != nil {
		return &SyntaxError{line, fmt.Errorf("file %q: %w", f.Name, err)}
	}
	d.names[f.Name] = true
	d.out.Files = append(d.out.Files, f)
	return nil
}

// detail reads a child of a file.
func (d *decoder) detail(f *File, e xml.StartElement) error {
	switch e.Name.Local {
	case "size":
		return d.size(f)
	case "hash":
		return d.hash(f, e)
	case "pieces":
		return d.pieces(f, e)
	case "url":
		return d.mirror(f, e)
	case "metaurl":
		return d.metaURL(f, e)
	case "identity":
		return d.set(&f.Identity)
	case "version":
		return d.set(&f.Version)
	case "description":
		return d.set(&f.Description)
	case "language":
		return d.add(&f.Languages)
	case "os":
		return d.add(&f.OS)
	}
	return d.skip()
}

func (d *decoder) size(f *File) error {
	text, err := d.text()
	if err != nil {
		return err
	}
	if f.Size >= 0 {
		return d.bad(fmt.Errorf("size: %w", errTwice))
	}
	f.Size, err = parseSize(text)
	return d.bad(err)
}

func (d *decoder) hash(f *File, e xml.StartElement) error {
	h := Hash{Algorithm: algorithm(attr(e, "type"))}
	if h.Algorithm == "" {
		return d.bad(errNoType)
	}
	var err error
	if h.Value, err = d.digest(h.Algorithm); err != nil {
		return err
	}
	i := slices.IndexFunc(f.Hashes, func(other Hash) bool { return other.Algorithm == h.Algorithm })
	if i < 0 {
		f.Hashes = append(f.Hashes, h)
	} else if !bytes.Equal(f.Hashes[i].Value, h.Value) {
		return d.bad(fmt.Errorf("two hashes of type %s that differ", h.Algorithm))
	}
	return nil
}

func (d *decoder) digest(algorithm string) ([]byte, error) {
	text, err := d.text()
	if err != nil {
		return nil, err
	}
	if err := d.one(&d.hashes, MaxHashes, "hashes"); err != nil {
		return nil, err
	}
	value, err := parseDigest(algorithm, text)
	return value, d.bad(err)
}

func (d *decoder) pieces(f *File, e xml.StartElement) error {
	length, err := parseSize(attr(e, "length"))
	if err != nil || length == 0 {
		return d.bad(errLength)
	}
	p := &Pieces{Algorithm: algorithm(attr(e, "type")), Length: length}
	if p.Algorithm == "" {
		return d.bad(errNoType)
	}
	if err := d.children(func(e xml.StartElement) error { return d.piece(p, e) }); err != nil {
		return err
	}
	if len(p.Values) == 0 {
		return d.bad(errNoPieces)
	}
	if f.Pieces == nil || digestLen(p.Algorithm) > digestLen(f.Pieces.Algorithm) {
		f.Pieces = p
	}
	return nil
}

// piece reads the digest of one. In Metalink 3 it has a number.
func (d *decoder) piece(p *Pieces, e xml.StartElement) error {
	if e.Name.Local != "hash" {
		return d.skip()
	}
	if n := attr(e, "piece"); n != "" && n != strconv.Itoa(len(p.Values)) {
		return d.bad(errOrder)
	}
	value, err := d.digest(p.Algorithm)
	p.Values = append(p.Values, value)
	return err
}

func (d *decoder) mirror(f *File, e xml.StartElement) error {
	priority, err := parsePriority(attr(e, "priority"))
	if err != nil {
		return d.bad(err)
	}
	return d.addURL(f, URL{Priority: priority, Location: location(attr(e, "location"))})
}

// addURL reads the URL that u lacks.
func (d *decoder) addURL(f *File, u URL) (err error) {
	if u.URL, err = d.url(); err != nil {
		return err
	}
	f.URLs = append(f.URLs, u)
	return d.one(&d.urls, MaxURLs, "URLs")
}

func (d *decoder) metaURL(f *File, e xml.StartElement) error {
	m := MetaURL{MediaType: attr(e, "mediatype"), Name: attr(e, "name")}
	var err error
	if m.Priority, err = parsePriority(attr(e, "priority")); err != nil {
		return d.bad(err)
	}
	if m.MediaType == "" {
		return d.bad(errNoMedia)
	}
	if m.Name != "" {
		if err := checkName(m.Name); err != nil {
			return d.bad(err)
		}
	}
	return d.addMetaURL(f, m)
}

// addMetaURL reads the URL that m lacks.
func (d *decoder) addMetaURL(f *File, m MetaURL) (err error) {
	if m.URL, err = d.url(); err != nil {
		return err
	}
	f.MetaURLs = append(f.MetaURLs, m)
	return d.one(&d.urls, MaxURLs, "URLs")
}
