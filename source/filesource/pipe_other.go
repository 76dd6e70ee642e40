//go:build !linux

package filesource

import (
	"context"
	"os"
)

// openPipe opens name like any file. The wait for somebody who writes cannot be cancelled here.
func openPipe(ctx context.Context, dir folder, name string) (*body, error) {
	f, err := dir.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	return newBody(ctx, f), nil
}
