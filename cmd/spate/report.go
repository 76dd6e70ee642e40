package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"spate/assemble"
	"spate/fetch"
	"spate/internal/redact"
)

// How much of a failure is printed: a manifest of manifests can fail in many places.
const (
	maxCauses = 10   // of one part
	maxNested = 5    // parts inside parts
	maxLine   = 2000 // bytes of one cause
)

// A reporter tells of the error that ended a command: one line, the causes of a failed part below it, and a hint.
type reporter struct {
	w    io.Writer
	args []string
	json bool
}

func newReporter(p *process, cmd *cobra.Command) *reporter {
	return &reporter{w: p.stderr, args: p.args, json: isSet(cmd, "json", "true") || isSet(cmd, "progress", "json")}
}

func isSet(cmd *cobra.Command, name, value string) bool {
	f := cmd.Flags().Lookup(name)
	return f != nil && f.Value.String() == value
}

func (r *reporter) report(err error, code int) {
	if code == exitPipe {
		return // nobody reads, and whoever stopped reading knows
	}
	causes := causeLines(err, 1)
	if r.json {
		r.reportJSON(err, code, causes)
		return
	}
	fmt.Fprintf(r.w, "spate: %s\n", r.safe(headline(err)))
	for _, c := range causes {
		fmt.Fprintf(r.w, "%s%s\n", strings.Repeat("  ", c.depth), r.safe(c.text))
	}
	if hint := hintOf(err); hint != "" {
		fmt.Fprintf(r.w, "hint: %s\n", r.safe(hint))
	}
}

// A failure is the last line of stderr with --json where a command fails.
type failure struct {
	Time   time.Time `json:"time"`
	Type   string    `json:"type"` // "error"
	Exit   int       `json:"exit"`
	Error  string    `json:"error"`
	Causes []string  `json:"causes,omitempty"`
	Hint   string    `json:"hint,omitempty"`
}

func (r *reporter) reportJSON(err error, code int, causes []causeLine) {
	f := failure{Time: time.Now(), Type: "error", Exit: code, Error: r.safe(headline(err)), Hint: r.safe(hintOf(err))}
	for _, c := range causes {
		f.Causes = append(f.Causes, r.safe(strings.Repeat("  ", c.depth-1)+c.text))
	}
	encodeLine(r.w, f)
}

// safe is text without secrets and control characters. An argument, or the value of a flag, that looks like a URL
// without being one is redacted too.
func (r *reporter) safe(text string) string {
	for _, arg := range r.args {
		_, value, _ := strings.Cut(arg, "=")
		text = hide(hide(text, arg), value)
	}
	return clean(text)
}

// hide redacts arg wherever it stands in text.
func hide(text, arg string) string {
	if safe := redact.URL(arg); safe != arg {
		return strings.ReplaceAll(text, arg, safe)
	}
	return text
}

// headline is err on one line, without the causes that are listed below it.
func headline(err error) string {
	text := err.Error()
	if part, ok := errors.AsType[*assemble.PartError](err); ok && len(part.Errs) == 1 && !isSingle(part) {
		text = strings.TrimSuffix(text, ": "+part.Errs[0].Error())
	}
	return oneLine(text)
}

type causeLine struct {
	depth int
	text  string
}

// causeLines are the causes of a failed part, or of mirrors, and of the parts among them, indented; none where the one cause stands in
// the headline already.
func causeLines(err error, depth int) []causeLine {
	if mirrors, ok := errors.AsType[*fetch.MirrorsError](err); ok {
		return listOf(mirrors.Errs, depth)
	}
	part, ok := errors.AsType[*assemble.PartError](err)
	if !ok || isSingle(part) {
		return nil
	}
	return listOf(part.Errs, depth)
}

func listOf(causes []error, depth int) []causeLine {
	if depth > maxNested {
		return []causeLine{{depth, "…"}}
	}
	var lines []causeLine
	for i, cause := range causes {
		if i == maxCauses {
			return append(lines, causeLine{depth, fmt.Sprintf("… and %d more", len(causes)-i)})
		}
		lines = append(lines, causeLine{depth, headline(cause)})
		lines = append(lines, causeLines(cause, depth+1)...)
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

// oneLine joins the lines of text, of which errors.Join makes several.
func oneLine(text string) string {
	text = strings.ReplaceAll(strings.TrimSpace(text), "\n", "; ")
	if len(text) > maxLine {
		text = strings.ToValidUTF8(text[:maxLine], "") + "…"
	}
	return text
}
