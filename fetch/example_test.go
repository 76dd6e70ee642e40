package fetch_test

import (
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"

	"spate/fetch"
)

func ExampleCreate() {
	dir, err := os.MkdirTemp("", "spate")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	file, err := fetch.Create(filepath.Join(dir, "song.txt"), nil)
	if err != nil {
		log.Fatal(err)
	}
	defer file.Discard() // does nothing after Commit
	if _, err := io.WriteString(file, "In the town where I was born\n"); err != nil {
		log.Fatal(err)
	}
	if err := file.Commit(); err != nil {
		log.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	fmt.Println(entries, err)
	// Output:
	// [- song.txt] <nil>
}
