package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"spate"
	"spate/internal/redact"
)

const maxLine = 2000 // bytes of what one event tells

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
	line, causes := r.explain(err)
	if r.json {
		r.reportJSON(err, code, line, causes)
		return
	}
	fmt.Fprintf(r.w, "spate: %s\n", line)
	for _, cause := range causes {
		fmt.Fprintf(r.w, "  %s\n", cause)
	}
	if hint := hintOf(err); hint != "" {
		fmt.Fprintf(r.w, "hint: %s\n", r.safe(hint))
	}
}

// explain is err as it may be printed, and its causes.
func (r *reporter) explain(err error) (line string, causes []string) {
	line, causes = spate.Explain(err)
	for i, cause := range causes {
		causes[i] = r.safe(cause)
	}
	return r.safe(line), causes
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

func (r *reporter) reportJSON(err error, code int, line string, causes []string) {
	encodeLine(r.w, failure{Time: time.Now(), Type: "error", Exit: code, Error: line, Causes: causes, Hint: r.safe(hintOf(err))})
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

// headline is err on one line, without its causes.
func headline(err error) string {
	line, _ := spate.Explain(err)
	return line
}

// oneLine joins the lines of text, of which errors.Join makes several.
func oneLine(text string) string {
	text = strings.ReplaceAll(strings.TrimSpace(text), "\n", "; ")
	if len(text) > maxLine {
		text = strings.ToValidUTF8(text[:maxLine], "") + "…"
	}
	return text
}
