package main

import (
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"spate/internal/redact"
)

// urlLike finds what may be a URL in a text, up to a blank or a quote, and what has a userinfo as one has.
var urlLike = regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*:/{1,2}[^\s"'<>]+|[^\s"'<>]*:[^\s"'<>]*@[^\s"'<>]*`)

// clean is text as it may be printed: secrets of URLs are redacted, and control characters, which could drive a
// terminal, are spelled out.
func clean(text string) string {
	text = urlLike.ReplaceAllStringFunc(text, func(match string) string {
		url := strings.TrimRight(match, ":;,.)]?")
		return redact.URL(url) + match[len(url):]
	})
	return spellOut(text)
}

// shown is a URL, or something that may have been meant as one, as it may be printed.
func shown(arg string) string { return spellOut(redact.URL(arg)) }

// spellOut is text without what is unsafe, as \u009b, and without bytes that are no UTF-8, as \x9b.
func spellOut(text string) string {
	if utf8.ValidString(text) && strings.IndexFunc(text, isUnsafe) < 0 {
		return text
	}
	var b strings.Builder
	for len(text) > 0 {
		r, n := utf8.DecodeRuneInString(text)
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, text[0])
		case isUnsafe(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
		text = text[n:]
	}
	return b.String()
}

// isUnsafe tells control characters, C0 and C1, and those that change the direction of writing; a tab is fine.
func isUnsafe(r rune) bool {
	return unicode.IsControl(r) && r != '\t' || unicode.Is(unicode.Bidi_Control, r)
}

// A jsonWriter spells out what is unsafe in the JSON that is written to it, whose strings say the same thereafter. What
// is below a blank needs no care: in a string it is spelled out already. Each write is whole.
type jsonWriter struct{ w io.Writer }

func (j jsonWriter) Write(p []byte) (int, error) {
	var b strings.Builder
	for _, r := range string(p) {
		if r > ' ' && isUnsafe(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
			continue
		}
		b.WriteRune(r)
	}
	_, err := io.WriteString(j.w, b.String())
	return len(p), err
}

// newEncoder returns what writes JSON to w, such that a terminal can show it.
func newEncoder(w io.Writer) *json.Encoder {
	enc := json.NewEncoder(jsonWriter{w})
	enc.SetEscapeHTML(false)
	return enc
}
