package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"
)

var anOutcome = outcome{path: "d/x\x1b\"", url: "http://h/x", size: 10, fetched: 6, took: 1500 * time.Millisecond, connects: 2,
	sha256: "abcd", exit: 4, message: "open: é\u009b"}

func TestTemplate(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", ""},
		{"text", "text"},
		{"%{size}", "10"},
		{"a%{size}b%{size_download}c", "a10b6c"},
		{"%{speed_download} %{time_total} %{num_connects}", "4 1.500000 2"},
		{"%{filename_effective}", `d/x\u001b"`},
		{"%{url} %{sha256} %{exitcode} %{errormsg}", `http://h/x abcd 4 open: é\u009b`},
		{`\n\t\r\\\x\`, "\n\t\r\\\\x\\"},
		{"100%% % %x %", "100% % %x %"},
		{"%%{size}", "%{size}"},
	} {
		var tmpl template
		if err := tmpl.Set(tt.text); err != nil {
			t.Errorf("%q: %v", tt.text, err)
			continue
		}
		var b strings.Builder
		tmpl.write(&b, &anOutcome)
		if b.String() != tt.want {
			t.Errorf("%q: %q, want %q", tt.text, &b, tt.want)
		}
	}
}

func TestTemplateOfUnknown(t *testing.T) {
	for _, text := range []string{"%{http_code}", "%{", "%{}", "%{size", "%{ size}", "x%{size}%{Size}", "%{json}%{x\x1b}"} {
		var tmpl template
		err := tmpl.Set(text)
		if err == nil || !strings.Contains(err.Error(), "there are errormsg ") || !strings.HasSuffix(err.Error(), " url json") {
			t.Errorf("%q: %v", text, err)
		}
		if err != nil && strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%q: %q", text, err)
		}
	}
}

// TestTemplateJSON: %{json} has what all the others tell.
func TestTemplateJSON(t *testing.T) {
	var all map[string]any
	if err := json.Unmarshal([]byte(anOutcome.text(allVariables)), &all); err != nil {
		t.Fatal(err)
	}
	if len(all) != len(variables) || all["time_total"] != 1.5 || all["errormsg"] != anOutcome.message {
		t.Errorf("%v", all)
	}
	if strings.Contains(anOutcome.json(), "\u009b") {
		t.Errorf("%q", anOutcome.json())
	}
}

func TestSpeed(t *testing.T) {
	if got := (&outcome{fetched: 5}).speed(); got != 0 {
		t.Errorf("in no time: %d", got)
	}
}

// TestVariablesDocumented holds the page against the variables.
func TestVariablesDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/spec/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range strings.Fields(variableNames()) {
		if !strings.Contains(string(page), "`%{"+name+"}`") {
			t.Errorf("no word of %s", name)
		}
	}
}
