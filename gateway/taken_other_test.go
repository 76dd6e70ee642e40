//go:build !unix

package gateway_test

import (
	"io/fs"
	"testing"
)

// taken is how many bytes the files below dir have.
func taken(t *testing.T, dir string) (n int64) {
	onDisk(t, dir, func(_ string, info fs.FileInfo) { n += info.Size() })
	return n
}
