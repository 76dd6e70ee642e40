package urilist_test

import (
	"fmt"
	"io"
	"log"
	"strings"

	"spate/format/urilist"
)

func Example() {
	const text = "# an image and its mirror\n" +
		"http://a.example/disk.iso\thttp://b.example/disk.iso\n" +
		"  out=today.iso\n" +
		"http://a.example/notes.txt\n"
	for d := urilist.NewDecoder(strings.NewReader(text)); ; {
		entry, err := d.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("line %d: %q\n", entry.Line, entry.URLs)
		for _, o := range entry.Options {
			fmt.Printf("  line %d: %s is %q\n", o.Line, o.Name, o.Value)
		}
	}
	// Output:
	// line 2: ["http://a.example/disk.iso" "http://b.example/disk.iso"]
	//   line 3: out is "today.iso"
	// line 4: ["http://a.example/notes.txt"]
}
