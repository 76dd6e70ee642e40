//go:build !linux

package filesource

import "testing"

// stall is nil: there are no pipes here that could be cancelled.
var stall func(t *testing.T, name string, content []byte, at int) string
