package spate

import (
	"errors"
	"fmt"
	"strings"

	"spate/assemble"
	"spate/fetch"
)

// How much of a failure is told: a manifest of manifests can fail in many places.
const (
	maxCauses = 10   // of one part
	maxNested = 5    // parts inside parts
	maxTold   = 2000 // bytes of one line
)

// Explain is err for people: one line, and below it a line for why each alternative of a part failed, or each mirror; those of a
// part inside a part are indented by two blanks more. There is none where the one cause stands in the headline. Lines are
// bounded in length and number. URLs in them have no secrets; control characters that an origin has sent may be in them.
func Explain(err error) (headline string, causes []string) {
	return oneLine(err), causesOf(err, 0)
}

// oneLine is err on one line, without the causes that are listed below it.
func oneLine(err error) string {
	text := err.Error()
	if part, ok := errors.AsType[*assemble.PartError](err); ok && len(part.Errs) == 1 && !isSingle(part) {
		text = strings.TrimSuffix(text, ": "+part.Errs[0].Error())
	}
	text = strings.ReplaceAll(strings.TrimSpace(text), "\n", "; ") // errors.Join makes several lines
	if len(text) > maxTold {
		text = strings.ToValidUTF8(text[:maxTold], "") + "…"
	}
	return text
}

// causesOf are the causes of a failed part, or of mirrors, and of the parts among them.
func causesOf(err error, depth int) []string {
	if mirrors, ok := errors.AsType[*fetch.MirrorsError](err); ok {
		return listOf(mirrors.Errs, depth)
	}
	part, ok := errors.AsType[*assemble.PartError](err)
	if !ok || isSingle(part) {
		return nil
	}
	return listOf(part.Errs, depth)
}

func listOf(errs []error, depth int) []string {
	indent := strings.Repeat("  ", depth)
	if depth >= maxNested {
		return []string{indent + "…"}
	}
	var lines []string
	for i, err := range errs {
		if i == maxCauses {
			return append(lines, fmt.Sprintf("%s… and %d more", indent, len(errs)-i))
		}
		lines = append(lines, indent+oneLine(err))
		lines = append(lines, causesOf(err, depth+1)...)
	}
	return lines
}

// isSingle tells whether part has one cause that is no part itself: its error says it all on one line.
func isSingle(part *assemble.PartError) bool {
	if len(part.Errs) != 1 {
		return len(part.Errs) == 0
	}
	_, nested := errors.AsType[*assemble.PartError](part.Errs[0])
	return !nested
}
