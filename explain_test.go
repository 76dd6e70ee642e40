package spate

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"spate/assemble"
	"spate/source"
)

func TestExplainIsBounded(t *testing.T) {
	cause := func(n int) error {
		return &source.Error{Op: "open", URL: fmt.Sprintf("http://a/%d", n), Kind: source.KindNetwork, Err: errors.New("x")}
	}
	err := cause(1)
	for range 100 {
		errs := []error{err}
		for i := range 50 {
			errs = append(errs, cause(i))
		}
		err = &assemble.PartError{Manifest: "http://h/x.parts", Line: 1, Errs: errs}
	}
	_, causes := Explain(err)
	if len(causes) > maxNested*(maxCauses+2) {
		t.Errorf("%d lines", len(causes))
	}
	if last := causes[len(causes)-1]; last != "… and 41 more" {
		t.Errorf("what is left out is not told, but %q", last)
	}
	if long, _ := Explain(errors.New(strings.Repeat("é", 1<<20))); len(long) > maxTold+100 {
		t.Errorf("a line of %d bytes", len(long))
	}
}
