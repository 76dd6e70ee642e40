package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"spate/internal/leak"
)

// TestMain lets the test binary stand in for the program: in scripts, spate is the one under test.
func TestMain(m *testing.M) {
	testscript.Main(leakFree{m}, map[string]func(){"spate": main})
}

// leakFree fails tests that leave something behind. It is not leak.Main, as that and testscript.Main both want to exit.
type leakFree struct{ m *testing.M }

func (l leakFree) Run() int { return leak.Run(l.m) }
