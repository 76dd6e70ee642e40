package viewer_test

import (
	"os"
	"testing"

	"spate/internal/leak"
)

func TestMain(m *testing.M) { os.Exit(leak.Run(browsing{m})) }

// browsing runs the tests, and ends the browser that they share.
type browsing struct{ *testing.M }

func (b browsing) Run() int {
	defer func() { chromium.close() }() // what it is then
	return b.M.Run()
}
