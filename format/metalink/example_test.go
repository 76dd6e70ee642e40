package metalink_test

import (
	"crypto/sha256"
	"fmt"
	"log"
	"os"
	"strings"

	"spate/format/metalink"
)

func Example() {
	const text = `<?xml version="1.0" encoding="UTF-8"?>
<metalink xmlns="urn:ietf:params:xml:ns:metalink">
  <file name="verse.txt">
    <size>12</size>
    <hash type="md5">6cd3556deb0da54bca060b4c39479839</hash>
    <url priority="2">http://yourmachine.example/verse.txt</url>
    <url priority="1">http://mymachine.example/verse.txt</url>
  </file>
</metalink>`
	m, err := metalink.Decode(strings.NewReader(text))
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range m.Files {
		fmt.Println(f.Name, f.Size)
		for _, h := range f.Hashes {
			fmt.Printf("  %s %x %t\n", h.Algorithm, h.Value, h.Known())
		}
		for _, u := range f.Mirrors() {
			fmt.Println(" ", u.URL)
		}
	}
	// Output:
	// verse.txt 12
	//   md5 6cd3556deb0da54bca060b4c39479839 true
	//   http://mymachine.example/verse.txt
	//   http://yourmachine.example/verse.txt
}

func ExampleEncode() {
	sum := sha256.Sum256([]byte("hello, world"))
	m := &metalink.Metalink{Files: []metalink.File{{
		Name: "hello.txt", Size: 12,
		Hashes: []metalink.Hash{{Algorithm: "sha-256", Value: sum[:]}},
		URLs:   []metalink.URL{{URL: "http://h/hello.txt", Priority: 1}},
	}}}
	if err := metalink.Encode(os.Stdout, m); err != nil {
		log.Fatal(err)
	}
	// Output:
	// <?xml version="1.0" encoding="UTF-8"?>
	// <metalink xmlns="urn:ietf:params:xml:ns:metalink">
	//   <file name="hello.txt">
	//     <size>12</size>
	//     <hash type="sha-256">09ca7e4eaa6e8ae9c7d261167129184883644d07dfba7cbfbc4c8a2e08360d5b</hash>
	//     <url priority="1">http://h/hello.txt</url>
	//   </file>
	// </metalink>
}
