// Package record runs a benchmark, and keeps what it prints.
package record

import (
	"io"
	"os"
)

// To is a writer to out, and to the file at path, which is made anew; "" is none. closing closes the file.
func To(path string, out io.Writer) (both io.Writer, closing func() error, err error) {
	if path == "" {
		return out, func() error { return nil }, nil
	}
	file, err := os.Create(path)
	if err != nil {
		return nil, nil, err
	}
	return io.MultiWriter(out, file), file.Close, nil
}
