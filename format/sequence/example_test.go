package sequence_test

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"strings"

	"spate/format/sequence"
)

func Example() {
	var stream bytes.Buffer
	w := sequence.NewWriter(&stream)
	for _, text := range []string{"6.009", "rules!"} {
		if err := w.WriteFile(uint32(len(text)), strings.NewReader(text)); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Printf("% X\n", stream.Bytes())

	r := sequence.NewReader(&stream)
	for {
		f, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			log.Fatal(err)
		}
		body, err := io.ReadAll(f)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("file %d, %d bytes: %s\n", f.Index, f.Size, body)
	}
	// Output:
	// 00 00 00 05 36 2E 30 30 39 00 00 00 06 72 75 6C 65 73 21
	// file 1, 5 bytes: 6.009
	// file 2, 6 bytes: rules!
}
