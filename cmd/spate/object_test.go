package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"spate"
)

// TestObjectFlags: what each flag asks of the library.
func TestObjectFlags(t *testing.T) {
	const usual = 10 * time.Minute
	for args, want := range map[string]spate.GetOptions{
		"":                                    {RetryMax: usual},
		"-s 5":                                {RetryMax: usual, Connections: 5},
		"--connections 1 --min-split-size 3M": {RetryMax: usual, Connections: 1, MinRange: 3 << 20},
		"-k 64K":                              {RetryMax: usual, MinRange: 64 << 10},
		"--verify sample --order auto -c":     {RetryMax: usual},
		"--verify strict":                     {RetryMax: usual, VerifyAll: true},
		"--refresh-url":                       {RetryMax: usual, Refreshed: true},
		"--order head-tail":                   {RetryMax: usual, Order: spate.OrderHeadTail},
		"--order sequential":                  {RetryMax: usual, Order: spate.OrderSequential},
		"--no-digest":                         {RetryMax: usual, NoDigest: true},
		"--checksum auto":                     {RetryMax: usual, FindChecksum: true},
		"--retry-max-time 30":                 {RetryMax: 30 * time.Second},
		"--retry-max-time 0":                  {RetryMax: -1},
	} {
		var f objectFlags
		fs := pflag.NewFlagSet("", pflag.ContinueOnError)
		f.register(fs)
		if err := fs.Parse(strings.Fields(args)); err != nil {
			t.Fatalf("%s: %v", args, err)
		}
		var got spate.GetOptions
		f.put(&got)
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(spate.Limits{})); diff != "" {
			t.Errorf("%s: %s", args, diff)
		}
	}
}
