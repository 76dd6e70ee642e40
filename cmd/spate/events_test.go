package main

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"spate/event"
	"spate/source"
)

func readPage(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/spec/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// eventTypes are the constants of type event.Type, as the source has them.
func eventTypes(t *testing.T) (all []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../../event/event.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok {
			if of, ok := spec.Type.(*ast.Ident); ok && of.Name == "Type" {
				value, _ := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
				all = append(all, value)
			}
		}
		return true
	})
	return all
}

func fields(v any) (all []string) {
	for f := range reflect.TypeOf(v).Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		all = append(all, name)
	}
	return all
}

// TestEventsDocumented holds the page against the types, the fields and the words of events.
func TestEventsDocumented(t *testing.T) {
	page := readPage(t, "events.md")
	words := append(fields(event.Event{}), fields(failure{})...)
	for k := source.KindOther; k == 0 || k.String() != source.KindOther.String(); k++ {
		words = append(words, k.String())
	}
	for _, word := range words {
		if !strings.Contains(page, "`"+word+"`") {
			t.Errorf("no word of %s", word)
		}
	}
	types := eventTypes(t)
	if len(types) < 10 {
		t.Errorf("types %q", types)
	}
	for _, word := range append(types, "error") {
		if !strings.Contains(page, "\n| `"+word+"` | ") {
			t.Errorf("no row for the type %s", word)
		}
	}
}

// TestEventsExamples: what the page shows is what could be told.
func TestEventsExamples(t *testing.T) {
	n := 0
	for line := range strings.Lines(readPage(t, "events.md")) {
		if !strings.HasPrefix(line, "{") {
			continue
		}
		n++
		var told any = new(event.Event)
		if strings.Contains(line, `"type":"error"`) {
			told = new(failure)
		}
		if err := json.Unmarshal([]byte(line), told); err != nil {
			t.Errorf("%s: %v", line, err)
		}
		var again strings.Builder
		encodeLine(&again, told)
		if again.String() != line {
			t.Errorf("%sis told as\n%s", line, &again)
		}
	}
	if n < 10 {
		t.Errorf("%d examples", n)
	}
}
