package spate_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"

	"spate"
)

// serve is an origin with these texts by path; {origin} in one of them is the origin's own URL.
func serve(texts map[string]string) *httptest.Server {
	mux := http.NewServeMux()
	origin := httptest.NewServer(mux)
	for path, text := range texts {
		text = strings.ReplaceAll(text, "{origin}", origin.URL)
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, text) })
	}
	return origin
}

// The first mirror of the second part has lost it.
func ExampleClient_Open() {
	origin := serve(map[string]string{
		"/song.txt.parts": "{origin}/verse.txt\n--\n{origin}/lost.txt\n{origin}/chorus.txt\n",
		"/verse.txt":      "In the town where I was born\n",
		"/chorus.txt":     "We all live in a yellow submarine\n",
	})
	defer origin.Close()
	var client spate.Client
	defer client.CloseIdleConnections()

	stream, err := client.Open(context.Background(), origin.URL+"/song.txt.parts")
	if err != nil {
		log.Fatal(err)
	}
	defer stream.Close()
	if _, err := io.Copy(os.Stdout, stream); err != nil {
		log.Fatal(err)
	}
	stats := stream.Stats()
	fmt.Println(stats.Parts, "parts,", stats.Failures, "failure survived")
	// Output:
	// In the town where I was born
	// We all live in a yellow submarine
	// 2 parts, 1 failure survived
}

func ExampleClient_Files() {
	origin := serve(map[string]string{"/words-seq": "\x00\x00\x00\x056.009\x00\x00\x00\x06rules!"})
	defer origin.Close()
	var client spate.Client
	defer client.CloseIdleConnections()

	for file, err := range client.Files(context.Background(), origin.URL+"/words-seq") {
		if err != nil {
			log.Fatal(err)
		}
		text, err := io.ReadAll(file)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("file %d has %d bytes: %s\n", file.Index, file.Size, text)
	}
	// Output:
	// file 1 has 5 bytes: 6.009
	// file 2 has 6 bytes: rules!
}

// A manifest that ends with itself has no end; the reader has.
func ExampleClient_Chunks() {
	origin := serve(map[string]string{
		"/endless.txt.parts": "(*)\n{origin}/verse.txt\n--\n(*)\n{origin}/chorus.txt\n--\n{origin}/endless.txt.parts\n",
		"/verse.txt":         "verse ",
		"/chorus.txt":        "chorus ",
	})
	defer origin.Close()
	var client spate.Client
	defer client.CloseIdleConnections()

	n := 0
	for chunk, err := range client.Chunks(context.Background(), origin.URL+"/endless.txt.parts", 20) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%q\n", chunk)
		if n++; n == 3 {
			break
		}
	}
	// Output:
	// "verse chorus verse c"
	// "horus verse chorus v"
	// "erse chorus verse ch"
}

func ExampleClient_Stat() {
	origin := serve(map[string]string{"/verse.txt": "In the town where I was born\n"})
	defer origin.Close()
	var client spate.Client
	defer client.CloseIdleConnections()

	info, err := client.Stat(context.Background(), origin.URL+"/verse.txt")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(info.Size, "bytes of", info.MediaType)
	// Output:
	// 29 bytes of text/plain
}

func ExampleClient_Get() {
	origin := serve(map[string]string{
		"/song.txt.parts": "{origin}/verse.txt\n--\n{origin}/chorus.txt\n",
		"/verse.txt":      "In the town where I was born\n",
		"/chorus.txt":     "We all live in a yellow submarine\n",
	})
	defer origin.Close()
	dir, err := os.MkdirTemp("", "spate")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	var client spate.Client
	defer client.CloseIdleConnections()

	result, err := client.Get(context.Background(), origin.URL+"/song.txt.parts", "", &spate.GetOptions{Dir: dir})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s: %d bytes, SHA-256 %x…\n", filepath.Base(result.Paths[0]), result.Bytes, result.SHA256[:4])
	// Output:
	// song.txt: 63 bytes, SHA-256 915ae556…
}

// What an argument of a command means.
func ExampleURL() {
	for _, arg := range []string{"https://example.org/a.jpg", "example.org/a.jpg"} {
		url, err := spate.URL(arg)
		fmt.Println(url, err)
	}
	// Output:
	// https://example.org/a.jpg <nil>
	//  open example.org/a.jpg: neither a URL nor a file that exists
}
