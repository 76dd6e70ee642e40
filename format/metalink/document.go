package metalink

import (
	"bufio"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

var (
	errLarge   = fmt.Errorf("more than %d bytes", MaxBytes)
	errToken   = fmt.Errorf("a tag or a text of more than %d bytes", MaxToken)
	errDepth   = fmt.Errorf("elements nested more than %d deep", MaxDepth)
	errNested  = errors.New("an element inside a text")
	errOutside = errors.New("something outside of the element that is the metalink")
	errNoRoot  = errors.New("no metalink in it")
)

// An input hands on bytes and counts them. The XML decoder asks for one at a time, and holds those of one token.
type input struct {
	*bufio.Reader
	total, token int
	err          error // of the reader, other than io.EOF
}

func (in *input) ReadByte() (byte, error) {
	if in.err != nil {
		return 0, in.err
	}
	b, err := in.Reader.ReadByte()
	if err != nil {
		if err != io.EOF { // a wrapped one is no clean end
			in.err = err
		}
		return 0, err
	}
	in.total++
	in.token++
	switch {
	case in.total > MaxBytes:
		return 0, errLarge
	case in.token > MaxToken:
		return 0, errToken
	}
	return b, nil
}

// A document reads XML element by element. Elements that are not in its namespace are passed over.
type document struct {
	in    *input
	xml   *xml.Decoder
	space string
	depth int
}

func newDocument(r io.Reader) document {
	const bom = "\uFEFF"
	in := &input{Reader: bufio.NewReader(r)}
	start, err := in.Peek(len(bom))
	if err != nil && err != io.EOF {
		in.err = err
	}
	if string(start) == bom {
		in.Discard(len(bom))
	}
	return document{in: in, xml: xml.NewDecoder(in)}
}

func (d *document) line() int {
	line, _ := d.xml.InputPos()
	return line
}

// token returns the next token, valid until the one after it. Its errors are those of [Decode]; at the end it is io.EOF.
func (d *document) token() (xml.Token, error) {
	d.in.token = 0
	t, err := d.xml.Token()
	if err == nil || err == io.EOF {
		return t, err
	}
	if d.in.err != nil {
		return nil, fmt.Errorf("metalink line %d: %w", d.line(), d.in.err)
	}
	if bad, ok := errors.AsType[*xml.SyntaxError](err); ok {
		return nil, &SyntaxError{bad.Line, errors.New(bad.Msg)}
	}
	return nil, d.bad(err)
}

// bad says that err is wrong here.
func (d *document) bad(err error) error {
	if err == nil {
		return nil
	}
	return &SyntaxError{d.line(), err}
}

// root returns the element that the document is.
func (d *document) root() (xml.StartElement, error) {
	t, err := d.misc()
	if err == io.EOF {
		err = d.bad(errNoRoot)
	}
	if err != nil {
		return xml.StartElement{}, err
	}
	root, ok := t.(xml.StartElement)
	if !ok {
		return xml.StartElement{}, d.bad(errOutside)
	}
	d.space = root.Name.Space
	return root, nil
}

// end reads what follows the element that the document is: nothing may.
func (d *document) end() error {
	_, err := d.misc()
	switch err {
	case io.EOF:
		return nil
	case nil:
		return d.bad(errOutside)
	}
	return err
}

// misc returns the next token that is neither blank nor a comment, a declaration or an instruction.
func (d *document) misc() (xml.Token, error) {
	for {
		t, err := d.token()
		if err != nil {
			return nil, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			return t, nil
		case xml.CharData:
			if strings.Trim(string(t), blanks) != "" {
				return t, nil
			}
		}
	}
}

// children reads the element that was begun to its end. visit is called for each of its children and reads that to its end.
func (d *document) children(visit func(xml.StartElement) error) error {
	if d.depth++; d.depth > MaxDepth {
		return d.bad(errDepth)
	}
	for {
		t, err := d.token()
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case xml.StartElement:
			if t.Name.Space != d.space {
				err = d.skip()
			} else {
				err = visit(t)
			}
			if err != nil {
				return err
			}
		case xml.EndElement:
			d.depth--
			return nil
		}
	}
}

// skip passes over the element that was begun.
func (d *document) skip() error {
	return d.children(func(xml.StartElement) error { return d.skip() })
}

// text reads the element that was begun to its end and returns what stands in it, without blanks around it: RFC 5854
// allows none, and has some in its examples.
func (d *document) text() (string, error) {
	var b strings.Builder
	for {
		t, err := d.token()
		if err != nil {
			return "", err
		}
		switch t := t.(type) {
		case xml.CharData:
			b.Write(t)
		case xml.StartElement:
			return "", d.bad(errNested)
		case xml.EndElement:
			return strings.Trim(b.String(), blanks), nil
		}
		if b.Len() > MaxToken {
			return "", d.bad(errToken)
		}
	}
}

// attr is the value of an attribute, "" if there is none of that name.
func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Space == "" && a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}
