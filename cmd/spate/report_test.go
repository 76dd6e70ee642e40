package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spate/assemble"
	"spate/fetch"
	"spate/source"
)

func told(err error, args ...string) string {
	var b bytes.Buffer
	(&reporter{w: &b, args: args}).report(err, exitCode(err))
	return b.String()
}

func openError(url, cause string) error {
	return &source.Error{Op: "open", URL: url, Kind: source.KindNetwork, Err: errors.New(cause)}
}

func TestReport(t *testing.T) {
	a, b := openError("http://a/1", "connection refused"), openError("http://b/1", "no such host")
	inner := &assemble.PartError{Manifest: "http://c/in.parts", Line: 2, Errs: []error{a, b}}
	for _, tt := range []struct {
		name string
		err  error
		want []string
	}{
		{"one line", a, []string{"spate: open http://a/1: connection refused"}},
		{"a hint", usage("x", "do y"), []string{"spate: x", "hint: do y"}},
		{"several lines become one", errors.New("x\ny\n"), []string{"spate: x; y"}},
		{"control characters", errors.New("x\x1b[31m\ry"), []string{`spate: x\u001b[31m\u000dy`}},
		{"C1 controls", errors.New("x\u009b31m\u0080"), []string{`spate: x\u009b31m\u0080`}},
		{"invalid UTF-8", errors.New("x\x9b31m\xff\uFFFD"), []string{`spate: x\x9b31m\xff` + "\uFFFD"}},
		{"a part", part(a, b), []string{
			"spate: read http://h/x.parts: line 3: no alternative of this part works",
			"  open http://a/1: connection refused",
			"  open http://b/1: no such host"}},
		{"a part with one alternative", part(a), []string{
			"spate: read http://h/x.parts: line 3: no alternative of this part works: open http://a/1: connection refused"}},
		{"a part in a part", part(inner, a), []string{
			"spate: read http://h/x.parts: line 3: no alternative of this part works",
			"  read http://c/in.parts: line 2: no alternative of this part works",
			"    open http://a/1: connection refused",
			"    open http://b/1: no such host",
			"  open http://a/1: connection refused"}},
		{"alone in a part", part(inner), []string{
			"spate: read http://h/x.parts: line 3: no alternative of this part works",
			"  read http://c/in.parts: line 2: no alternative of this part works",
			"    open http://a/1: connection refused",
			"    open http://b/1: no such host"}},
		{"a wrapped part", fmt.Errorf("get x: %w", part(inner)), []string{
			"spate: get x: read http://h/x.parts: line 3: no alternative of this part works",
			"  read http://c/in.parts: line 2: no alternative of this part works",
			"    open http://a/1: connection refused",
			"    open http://b/1: no such host"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := strings.Split(strings.TrimSuffix(told(tt.err), "\n"), "\n")
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestReportRedacts(t *testing.T) {
	for _, text := range []string{
		"open http://user:s3cret@host/x?token=s3cret: refused",
		"open HTTP://user:s3cret@host/x: refused",
		`Get "https://host/x?api_key=s3cret&n=1": refused`,
		"neither; did you mean https://host/x?sig=s3cret?",
		"host/x?token=s3cret is no URL",
		"http:/user:s3cret@host",
		"stat https/user:s3cret@host: no such file or directory",
		"invalid argument \"user:s3cret@host\" for a flag",
		"create x?token=s3cret.part: file exists",
	} {
		got := told(errors.New(text), "cat", "host/x?token=s3cret", "--output=x?token=s3cret")
		if strings.Contains(got, "s3cret") {
			t.Errorf("%q is told as %q", text, got)
		}
	}
}

func TestReportJSON(t *testing.T) {
	var b bytes.Buffer
	err := part(openError("http://u:s3cret@a/1", "refused"), openError("http://b/1", "refused"))
	(&reporter{w: &b, json: true}).report(err, exitCode(err))
	var f failure
	if err := json.Unmarshal(b.Bytes(), &f); err != nil {
		t.Fatal(err)
	}
	if f.Type != "error" || f.Exit != exitNetwork || len(f.Causes) != 2 || strings.Contains(b.String(), "s3cret") {
		t.Errorf("told as %s", &b)
	}
	if strings.Count(b.String(), "\n") != 1 {
		t.Errorf("not one line: %q", &b)
	}
}

func TestReportSilentOnClosedPipe(t *testing.T) {
	var b bytes.Buffer
	(&reporter{w: &b}).report(errors.New("write: broken pipe"), exitPipe)
	if b.Len() > 0 {
		t.Errorf("told %q to nobody", &b)
	}
}

// TestEncodeLine looks for what could drive a terminal in a line of JSON, which must still say the same.
func TestEncodeLine(t *testing.T) {
	var b bytes.Buffer
	encodeLine(&b, map[string]string{"name": "a\u009b\u0080\u007f\u202eé\x9b<"})
	want := `{"name":"a\u009b\u0080\u007f\u202eé\ufffd<"}` + "\n"
	if b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

// What helps against an origin that changed while it was read is not what helps against one that changed before.
func TestHintOfVersions(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want []string
	}{
		{fmt.Errorf("its validator is another one: %w", fetch.ErrVersions), []string{"-s 1", "--resolve", "--if-exists=overwrite"}},
		{errors.New("it has another size than what was begun"), []string{"--if-exists=overwrite", "-o FILE"}},
	} {
		err := &source.Error{Op: "open", URL: "http://h/x", Kind: source.KindChanged, Err: tt.err}
		hint := hintOf(err)
		for _, want := range tt.want {
			if !strings.Contains(hint, want) {
				t.Errorf("%v: the hint %q does not name %s", err, hint, want)
			}
		}
		if exitCode(err) != 9 {
			t.Errorf("%v: exit %d", err, exitCode(err))
		}
	}
}
