// Command origin serves the files of a folder over HTTP on loopback, for the measurements of package bench. It is a
// process of its own, so that what it costs is not counted as the client's, and it sends with sendfile, so that it
// costs little.
//
//	origin -dir D [-n 8] [-rate 20000000]
//
// It prints the host:port of each of its listeners, one per line, and ends when its stdin does. Every listener stands
// for one machine: it has a rate of its own, which its connections share.
//
// The query "late=300ms" holds an answer back. The query "mark" notes when the first byte of the body was sent;
// GET /.mark returns that as nanoseconds since 1970, and 0 if there was none since the last GET /.mark.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
)

func main() {
	dir := flag.String("dir", ".", "the `folder` to serve")
	n := flag.Int("n", 1, "`number` of listeners")
	rate := flag.Int64("rate", 0, "bytes per second of each listener; 0: no limit")
	flag.Parse()
	for range *n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			log.Fatal(err)
		}
		s := &site{dir: *dir, pace: pacer{rate: *rate}}
		go func() { log.Fatal(http.Serve(l, s)) }()
		fmt.Println(l.Addr())
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
}
