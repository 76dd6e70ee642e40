//go:build !linux

package filesource

import (
	"context"
	"os"
)

// openPipe opens path like any file. The wait for somebody who writes cannot be cancelled here.
func openPipe(ctx context.Context, path string) (*body, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	return newBody(ctx, f), nil
}
