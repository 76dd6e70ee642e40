package manifest_test

import (
	"crypto/sha256"
	"fmt"
	"io"
	"log"
	"os"
	"strings"

	"spate/format/manifest"
)

func Example() {
	const text = `(*)
http://mymachine.mit.edu/verse.txt
http://yourmachine.mit.edu/verse.txt
--
chorus.txt
--
endless.txt.parts
`
	d := manifest.NewDecoder(strings.NewReader(text))
	for {
		part, err := d.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("line %d, cacheable %t:\n", part.Line, part.Cacheable)
		for _, ref := range part.Alternatives {
			url, err := manifest.Resolve("http://mymachine.mit.edu/endless.txt.parts", ref)
			if err != nil {
				log.Fatal(err)
			}
			fmt.Println(" ", url, manifest.IsManifest(url, ""))
		}
	}
	// Output:
	// line 1, cacheable true:
	//   http://mymachine.mit.edu/verse.txt false
	//   http://yourmachine.mit.edu/verse.txt false
	// line 5, cacheable false:
	//   http://mymachine.mit.edu/chorus.txt false
	// line 7, cacheable false:
	//   http://mymachine.mit.edu/endless.txt.parts true
}

func ExampleEncoder() {
	parts := []string{"hello, ", "world"}
	e := manifest.NewEncoder(os.Stdout)
	for i, text := range parts {
		sum := sha256.Sum256([]byte(text))
		a := manifest.Alternative{URL: fmt.Sprintf("http://h/part%d", i+1), Digest: sum[:], Size: int64(len(text))}
		if err := e.Encode(manifest.Part{Alternatives: []string{a.String()}}); err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// http://h/part1#sha256=40a11d59c648b358ae4cc3a40acb67970c1d23345b1da7e5052f68546c85ed7b&size=7
	// --
	// http://h/part2#sha256=486ea46224d1bb4fb680f34f7c9ad96a8f24ec88be73ea8e5a6c65260e9cb8a7&size=5
}

func ExampleLint() {
	text := "(*)http://h/part1\n# the old mirror\n--\n"
	err := manifest.Lint(strings.NewReader(text), func(w manifest.Warning) bool {
		fmt.Printf("line %d: %s\n", w.Line, w.Msg)
		return true
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// line 1: (*) and an alternative on one line
	// line 2: comment: an alternative that always fails
	// line 3: separator behind the last part
}
