package main

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"spate/internal/redact"
)

// urlLike finds what may be a URL in a text, up to a blank or a quote.
var urlLike = regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*:/{1,2}[^\s"'<>]+`)

// clean is text as it may be printed: secrets of URLs are redacted, and control characters, which could drive a
// terminal, are spelled out.
func clean(text string) string {
	text = urlLike.ReplaceAllStringFunc(text, func(match string) string {
		url := strings.TrimRight(match, ":;,.)]")
		return redact.URL(url) + match[len(url):]
	})
	return spellOut(text)
}

// shown is a URL, or something that may have been meant as one, as it may be printed.
func shown(arg string) string { return spellOut(redact.URL(arg)) }

func spellOut(text string) string {
	if strings.IndexFunc(text, isUnsafe) < 0 {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if isUnsafe(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// isUnsafe tells control characters and those that change the direction of writing; a tab is fine.
func isUnsafe(r rune) bool {
	return unicode.IsControl(r) && r != '\t' || unicode.Is(unicode.Bidi_Control, r)
}
