package metalink

import (
	"bytes"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

var (
	errText  = errors.New("a text with blanks around it, or with characters that XML has not")
	errOther = errors.New("it would be read back as something else")
)

// Encode writes m as a Metalink 4 file, with one Write. What it writes [Decode] reads back as it was; what could not be read
// back so, be it for a limit, a name that leads out of its folder, a URL that is relative or a hash of a wrong length, is
// refused, and nothing is written. What Decode would leave out or spell otherwise is refused too.
func Encode(w io.Writer, m *Metalink) error {
	text, err := encode(m)
	if err == nil {
		_, err = w.Write(text)
	}
	if err != nil {
		return fmt.Errorf("encode metalink: %w", err)
	}
	return nil
}

func encode(m *Metalink) ([]byte, error) {
	if slices.ContainsFunc(texts(m), isNoText) {
		return nil, errText
	}
	text, err := marshal(m)
	if err != nil {
		return nil, err
	}
	back, err := Decode(bytes.NewReader(text))
	if bad, ok := errors.AsType[*SyntaxError](err); ok {
		return nil, bad.Err // nobody has seen its lines
	}
	if err != nil {
		return nil, err
	}
	if again, err := marshal(back); err != nil || !bytes.Equal(again, text) {
		return nil, errors.Join(errOther, err)
	}
	return text, nil
}

// texts are all texts of m, hashes left out. What XML cannot spell would be written as something else.
func texts(m *Metalink) []string {
	list := []string{m.Generator, m.Origin.URL}
	for i := range m.Files {
		f := &m.Files[i]
		list = append(list, strings.Trim(f.Name, blanks), f.Identity, f.Version, f.Description) // a name may have blanks around it
		list = append(append(list, f.Languages...), f.OS...)
		for _, u := range f.URLs {
			list = append(list, u.URL, u.Location)
		}
		for _, u := range f.MetaURLs {
			list = append(list, u.URL, u.MediaType, strings.Trim(u.Name, blanks))
		}
		for _, h := range f.Hashes {
			list = append(list, h.Algorithm)
		}
		if f.Pieces != nil {
			list = append(list, f.Pieces.Algorithm)
		}
	}
	return list
}

func isNoText(s string) bool {
	return !utf8.ValidString(s) || strings.ContainsFunc(s, isNoXML) || strings.Trim(s, blanks) != s
}

// isNoXML tells the characters that XML 1.0 §2.2 has not.
func isNoXML(r rune) bool {
	return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF
}

func marshal(m *Metalink) ([]byte, error) {
	doc := xmlMetalink{Generator: m.Generator}
	if m.Origin.URL != "" {
		doc.Origin = &xmlOrigin{Dynamic: m.Origin.Dynamic, URL: m.Origin.URL}
	}
	for i := range m.Files {
		doc.Files = append(doc.Files, spellFile(&m.Files[i]))
	}
	text, err := xml.MarshalIndent(doc, "", "  ")
	return append(append([]byte(xml.Header), text...), '\n'), err
}

func spellFile(f *File) xmlFile {
	x := xmlFile{
		Name: f.Name, Identity: f.Identity, Version: f.Version, Languages: f.Languages, Description: f.Description, OS: f.OS,
	}
	if f.Size >= 0 {
		x.Size = &f.Size
	}
	for _, h := range f.Hashes {
		x.Hashes = append(x.Hashes, xmlHash{&h.Algorithm, hex.EncodeToString(h.Value)})
	}
	if f.Pieces != nil {
		x.Pieces = &xmlPieces{Algorithm: f.Pieces.Algorithm, Length: f.Pieces.Length}
		for _, v := range f.Pieces.Values {
			x.Pieces.Hashes = append(x.Pieces.Hashes, xmlHash{nil, hex.EncodeToString(v)})
		}
	}
	for _, u := range f.URLs {
		x.URLs = append(x.URLs, xmlURL(u))
	}
	for _, u := range f.MetaURLs {
		x.MetaURLs = append(x.MetaURLs, xmlMetaURL(u))
	}
	return x
}

// The elements of RFC 5854 in the order in which they are written.
type (
	xmlMetalink struct {
		XMLName   xml.Name   `xml:"urn:ietf:params:xml:ns:metalink metalink"`
		Generator string     `xml:"generator,omitempty"`
		Origin    *xmlOrigin `xml:"origin"`
		Files     []xmlFile  `xml:"file"`
	}
	xmlOrigin struct {
		Dynamic bool   `xml:"dynamic,attr,omitempty"`
		URL     string `xml:",chardata"`
	}
	xmlFile struct {
		Name        string       `xml:"name,attr"`
		Size        *int64       `xml:"size"`
		Identity    string       `xml:"identity,omitempty"`
		Version     string       `xml:"version,omitempty"`
		Languages   []string     `xml:"language"`
		OS          []string     `xml:"os"`
		Description string       `xml:"description,omitempty"`
		Hashes      []xmlHash    `xml:"hash"`
		Pieces      *xmlPieces   `xml:"pieces"`
		URLs        []xmlURL     `xml:"url"`
		MetaURLs    []xmlMetaURL `xml:"metaurl"`
	}
	xmlHash struct {
		Algorithm *string `xml:"type,attr"`
		Value     string  `xml:",chardata"`
	}
	xmlPieces struct {
		Algorithm string    `xml:"type,attr"`
		Length    int64     `xml:"length,attr"`
		Hashes    []xmlHash `xml:"hash"`
	}
	xmlURL struct {
		URL      string `xml:",chardata"`
		Priority int    `xml:"priority,attr,omitempty"`
		Location string `xml:"location,attr,omitempty"`
	}
	xmlMetaURL struct {
		URL       string `xml:",chardata"`
		MediaType string `xml:"mediatype,attr"`
		Name      string `xml:"name,attr,omitempty"`
		Priority  int    `xml:"priority,attr,omitempty"`
	}
)
