package main

import (
	"bytes"
	"fmt"
	"strings"
)

// text is an entry for people.
func (e *entry) text() []byte {
	var b bytes.Buffer
	fmt.Fprintln(&b, clean(e.URL))
	for _, f := range e.facts() {
		fmt.Fprintf(&b, "  %-10s %s\n", f.name, clean(f.value))
	}
	if e.Manifest != nil {
		e.Manifest.print(&b, "")
	}
	return b.Bytes()
}

type fact struct{ name, value string }

// facts are what is known of the URL that was asked for.
func (e *entry) facts() []fact {
	all := []fact{{"is", e.is()}, {"final", e.Final}, {"size", e.bytes()}, {"type", e.MediaType},
		{"ranges", yesNo(e.Ranges)}, {"validator", e.Validator}, {"name", e.Name}, {"modified", e.modified()}}
	var known []fact
	for _, f := range all {
		if f.value != "" {
			known = append(known, f)
		}
	}
	return known
}

func (e *entry) is() string {
	if e.Manifest == nil {
		return e.Is
	}
	n := counted(int64(len(e.Manifest.Parts)), "part")
	if !e.Manifest.Complete {
		n += " shown, there is more"
	}
	return e.Is + ", " + n
}

func (e *entry) bytes() string {
	if e.Size < 0 {
		return "not known"
	}
	if e.Size < 1<<10 {
		return formatBytes(e.Size)
	}
	return fmt.Sprintf("%d (%s)", e.Size, formatBytes(e.Size))
}

func (e *entry) modified() string {
	if e.Modified == nil {
		return ""
	}
	return e.Modified.Format("2006-01-02 15:04:05 MST")
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "not announced"
}

func (t *tree) print(b *bytes.Buffer, indent string) {
	for i := range t.Parts {
		p := &t.Parts[i]
		mark := ""
		if p.Cacheable {
			mark = ", cacheable"
		}
		fmt.Fprintf(b, "%spart %d, line %d%s\n", indent, i+1, p.Line, mark)
		for _, e := range p.Alternatives {
			e.print(b, indent+"  ")
		}
	}
	if !t.Complete {
		fmt.Fprintf(b, "%s…\n", indent)
	}
	for _, w := range t.Warnings {
		fmt.Fprintf(b, "%swarning: line %d: %s\n", indent, w.Line, w.Msg)
	}
}

// print is an alternative on one line, and the manifest that it is below it.
func (e *entry) print(b *bytes.Buffer, indent string) {
	fmt.Fprintf(b, "%s%-7s %s  %s\n", indent, e.State, clean(e.URL), e.remarks())
	if e.Manifest != nil {
		e.Manifest.print(b, indent+"  ")
	}
}

// remarks are the facts of an alternative, in short.
func (e *entry) remarks() string {
	if e.State == stateFailed {
		return strings.TrimPrefix(e.Error, "open "+e.URL+": ")
	}
	if e.State == stateUnasked {
		return "(not asked)"
	}
	words := []string{e.is(), e.bytes()}
	if e.MediaType != "" {
		words = append(words, clean(e.MediaType))
	}
	if !e.Ranges {
		words = append(words, "no ranges")
	}
	if e.PromisedSHA256 != "" {
		words = append(words, "digest promised")
	}
	if e.Shown {
		words = append(words, "shown above")
	}
	if e.Final != "" {
		words = append(words, "from "+clean(e.Final))
	}
	return strings.Join(words, ", ")
}
