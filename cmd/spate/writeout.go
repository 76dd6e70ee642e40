package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"io"
)

// An outcome is what became of one file.
type outcome struct {
	path, url string        // url without secrets
	size      int64         // of the file; -1: not known
	fetched   int64         // bytes that came now
	took      time.Duration // until it had its name, or had failed
	connects  int64         // connections that were made for it
	sha256    string        // in hexadecimal; "": not computed
	exit      int
	message   string // of the error
}

// variables are what -w can tell of an outcome. A value is text, or a number as it stands in JSON.
var variables = map[string]func(*outcome) any{
	"filename_effective": func(o *outcome) any { return o.path },
	"url":                func(o *outcome) any { return o.url },
	"size":               func(o *outcome) any { return whole(o.size) },
	"size_download":      func(o *outcome) any { return whole(o.fetched) },
	"speed_download":     func(o *outcome) any { return whole(o.speed()) },
	"time_total":         func(o *outcome) any { return json.Number(fmt.Sprintf("%.6f", o.took.Seconds())) },
	"num_connects":       func(o *outcome) any { return whole(o.connects) },
	"sha256":             func(o *outcome) any { return o.sha256 },
	"exitcode":           func(o *outcome) any { return whole(int64(o.exit)) },
	"errormsg":           func(o *outcome) any { return o.message },
}

// allVariables is the one that has the others.
const allVariables = "json"

func whole(n int64) json.Number { return json.Number(strconv.FormatInt(n, 10)) }

// speed is in bytes per second.
func (o *outcome) speed() int64 {
	if o.took <= 0 {
		return 0
	}
	return int64(float64(o.fetched) / o.took.Seconds())
}

// text is the value of a variable, as it may be printed.
func (o *outcome) text(name string) string {
	if name == allVariables {
		return o.json()
	}
	return spellOut(fmt.Sprint(variables[name](o)))
}

func (o *outcome) json() string {
	all := map[string]any{}
	for name, value := range variables {
		all[name] = value(o)
	}
	var b strings.Builder
	newEncoder(&b).Encode(all) // of text and numbers, which does not fail
	return strings.TrimSuffix(b.String(), "\n")
}

// A template is the value of -w: a [pflag.Value].
type template struct {
	text   string // as it was given
	pieces []func(*outcome) string
}

// Set reads the template, unless it stands in a file.
func (t *template) Set(text string) (err error) {
	t.text, t.pieces = text, nil
	if !strings.HasPrefix(text, "@") {
		t.pieces, err = parseTemplate(text)
	}
	return err
}

func (t *template) Type() string   { return "FMT" }
func (t *template) String() string { return t.text }

// load reads the template from its file, if it stands in one; "@-" is stdin.
func (t *template) load(stdin io.Reader) error {
	name, ok := strings.CutPrefix(t.text, "@")
	if !ok {
		return nil
	}
	data, err := readTemplate(name, stdin)
	if err != nil {
		return err
	}
	if t.pieces, err = parseTemplate(string(data)); err != nil {
		return usage("-w "+shown(t.text)+": "+err.Error(), "")
	}
	return nil
}

const maxTemplate = 1 << 20

func readTemplate(name string, stdin io.Reader) ([]byte, error) {
	in := stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	return io.ReadAll(io.LimitReader(in, maxTemplate))
}

// escapes are those of a template.
var escapes = map[byte]string{'n': "\n", 't': "\t", 'r': "\r", '\\': "\\"}

// parseTemplate reads text with %{variable}, %% and the escapes \n, \t, \r and \\. Other things stand for themselves.
func parseTemplate(text string) (pieces []func(*outcome) string, err error) {
	for text != "" {
		i := strings.IndexAny(text, `%\`)
		if i != 0 {
			if i < 0 {
				i = len(text)
			}
			pieces = append(pieces, literal(text[:i]))
			text = text[i:]
			continue
		}
		piece, n, err := parsePiece(text)
		if err != nil {
			return nil, err
		}
		pieces, text = append(pieces, piece), text[n:]
	}
	return pieces, nil
}

// parsePiece reads what text begins with, a % or a backslash, and says how long that is.
func parsePiece(text string) (piece func(*outcome) string, n int, err error) {
	switch {
	case strings.HasPrefix(text, "%%"):
		return literal("%"), 2, nil
	case strings.HasPrefix(text, "%{"):
		name, _, ok := strings.Cut(text[2:], "}")
		if variables[name] == nil && name != allVariables || !ok {
			return nil, 0, fmt.Errorf("no variable %s; there are %s", quoted(name), variableNames())
		}
		return func(o *outcome) string { return o.text(name) }, len("%{}") + len(name), nil
	case len(text) > 1 && text[0] == '\\' && escapes[text[1]] != "":
		return literal(escapes[text[1]]), 2, nil
	}
	return literal(text[:1]), 1, nil
}

func quoted(name string) string { return spellOut("%{" + name + "}") }

func literal(text string) func(*outcome) string { return func(*outcome) string { return text } }

func variableNames() string {
	names := append(slices.Sorted(maps.Keys(variables)), allVariables)
	return strings.Join(names, " ")
}

// write tells of o.
func (t *template) write(w io.Writer, o *outcome) error {
	var b strings.Builder
	for _, piece := range t.pieces {
		b.WriteString(piece(o))
	}
	_, err := io.WriteString(w, b.String())
	return err
}
