package gateway_test

import (
	"testing"

	"spate/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }
