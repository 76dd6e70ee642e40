package main

import (
	"fmt"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"
)

// TestMain lets the test binary stand in for the program: in scripts, spate is the one under test.
func TestMain(m *testing.M) {
	testscript.Main(leakFree{m}, map[string]func(){"spate": main})
}

// leakFree fails tests that leave goroutines behind, as goleak.VerifyTestMain does, which cannot be had together with
// testscript.Main: each wants to be the one that exits.
type leakFree struct{ m *testing.M }

func (l leakFree) Run() int {
	code := l.m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	return code
}
