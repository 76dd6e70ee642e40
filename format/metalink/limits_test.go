package metalink_test

import (
	"runtime"
	"strings"
	"testing"

	"spate/format/metalink"
)

func TestLimits(t *testing.T) {
	const url = "<url>x:</url>"
	name := func(n int) string { // of four characters
		return string([]byte{byte('a' + n>>12&15), byte('a' + n>>8&15), byte('a' + n>>4&15), byte('a' + n&15)}) + strings.Repeat("x", n>>16)
	}
	files := func(n int) string {
		var b strings.Builder
		for i := range n {
			b.WriteString("<file name='" + name(i) + "'>" + url + "</file>")
		}
		return b.String()
	}
	text := func(n int) string { return "<description>" + strings.Repeat("x", n) + "</description>" }
	pieces := func(n int) string {
		return "<pieces type='x' length='1'>" + strings.Repeat("<hash>00</hash>", n) + "</pieces>"
	}
	deep := func(n int) string { return strings.Repeat("<d>", n) + strings.Repeat("</d>", n) }
	tests := []struct {
		name     string
		n, n1    string // at the limit, and beyond
		wantLine int
		want     string
	}{
		{"files", in4(files(metalink.MaxFiles)), in4(files(metalink.MaxFiles + 1)), 2, "more than 16384 files"},
		{"URLs", ofFile(strings.Repeat(url, metalink.MaxURLs-1)), ofFile(strings.Repeat(url, metalink.MaxURLs)), 4, "more than 65536 URLs"},
		{"metaurls", ofFile(strings.Repeat("<metaurl mediatype='x'>x:</metaurl>", metalink.MaxURLs-1)),
			ofFile(strings.Repeat("<metaurl mediatype='x'>x:</metaurl>", metalink.MaxURLs+1)), 3, "more than 65536 URLs"},
		{"hashes", ofFile(pieces(metalink.MaxHashes)), ofFile(pieces(metalink.MaxHashes + 1)), 3, "more than 131072 hashes"},
		{"languages", ofFile(strings.Repeat("<language>x</language>", metalink.MaxTexts)),
			ofFile(strings.Repeat("<os>x</os>", metalink.MaxTexts+1)), 3, "more than 16384 languages and operating systems"},
		{"text", ofFile(text(metalink.MaxToken - 1)), ofFile(text(metalink.MaxToken)), 3, "a tag or a text of more than 65536 bytes"},
		{"text in pieces", ofFile("<version>" + strings.Repeat("xxxx<!---->", metalink.MaxToken/4) + "</version>"),
			ofFile("<version>" + strings.Repeat("xxxx<!---->", metalink.MaxToken/4+1) + "</version>"), 3, "a tag or a text of more than 65536 bytes"},
		{"attributes", ofFile("<x " + strings.Repeat("a='' ", 13000) + "/>"), ofFile("<x " + strings.Repeat("a='' ", 14000) + "/>"), 3,
			"a tag or a text of more than 65536 bytes"},
		{"depth", ofFile(deep(metalink.MaxDepth - 2)), ofFile(deep(metalink.MaxDepth - 1)), 3, "elements nested more than 32 deep"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := metalink.Decode(strings.NewReader(test.n)); err != nil {
				t.Errorf("at the limit: %v", err)
			}
			_, err := metalink.Decode(strings.NewReader(test.n1))
			checkSyntax(t, err, test.wantLine, test.want)
		})
	}
}

func TestMaxBytes(t *testing.T) {
	doc, comment := ofFile(""), "<!--"+strings.Repeat(".", metalink.MaxToken-8)+"-->\n"
	rest := strings.Repeat(comment, (metalink.MaxBytes-len(doc))/len(comment))
	rest += strings.Repeat(" ", metalink.MaxBytes-len(doc)-len(rest))
	if _, err := metalink.Decode(strings.NewReader(doc + rest)); err != nil {
		t.Errorf("at the limit: %v", err)
	}
	_, err := metalink.Decode(strings.NewReader(doc + rest + " "))
	checkSyntax(t, err, 5+strings.Count(rest, "\n"), "more than 16777216 bytes")
}

// Documents that never end are given up, and what they make Decode hold is bounded.
func TestEndless(t *testing.T) {
	begin := `<metalink xmlns="urn:ietf:params:xml:ns:metalink"><file name="a">`
	for name, lap := range map[string]string{
		"depth":      "<x>",
		"attributes": " a=''",
		"text":       "text",
		"comments":   "<!--" + strings.Repeat("-.", 5000) + "-->",
		"URLs":       "<url>x:</url>",
		"hashes":     "<hash type='x'>00</hash>",
		"files":      "</file><file>",
	} {
		t.Run(name, func(t *testing.T) {
			in := &endless{begin: begin, lap: lap}
			if name == "attributes" {
				in.begin += "<x"
			}
			if _, err := metalink.Decode(in); err == nil {
				t.Error("no error")
			}
			if in.read > metalink.MaxBytes+4<<10 {
				t.Errorf("%d bytes read", in.read)
			}
		})
	}
}

// endless reads as begin and then as lap over and over.
type endless struct {
	begin, lap string
	off, read  int
}

func (e *endless) Read(p []byte) (int, error) {
	if e.begin != "" {
		n := copy(p, e.begin)
		e.begin = e.begin[n:]
		e.read += n
		return n, nil
	}
	n := 0
	for n < len(p) {
		m := copy(p[n:], e.lap[e.off:])
		e.off = (e.off + m) % len(e.lap)
		n += m
	}
	e.read += n
	return n, nil
}

// What is held of many small elements is less than a few times the limit of the file.
func TestMemory(t *testing.T) {
	doc := ofFile("<pieces type='x' length='1'>" + strings.Repeat("<hash>00</hash>", metalink.MaxHashes) + "</pieces>" +
		strings.Repeat("<url>x:</url>", metalink.MaxURLs-1) + strings.Repeat("<os>x</os>", metalink.MaxTexts))
	before := held()
	m, err := metalink.Decode(strings.NewReader(doc))
	if err != nil {
		t.Fatal(err)
	}
	if n := held() - before; n > 2*metalink.MaxBytes {
		t.Errorf("%d bytes held", n)
	}
	runtime.KeepAlive(m)
	runtime.KeepAlive(doc)
}

func held() int64 {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return int64(s.HeapAlloc)
}
