package main

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"spate/internal/farm"
)

// misbehave sets what one KEY=VALUE of the serve command says.
func misbehave(r *farm.Resource, key, value string) error {
	if text, ok := texts(r)[key]; ok {
		*text = value
		return nil
	}
	if flag, ok := flags(r)[key]; ok {
		*flag = value == "yes"
		return nil
	}
	if key == "modified" {
		t, err := time.Parse(time.RFC3339, value)
		r.ModTime = t
		return err
	}
	n, err := strconv.ParseInt(value, 10, 64)
	switch key {
	case "chatty": // answers once more than it was asked
		r.Handler, err = http.HandlerFunc(chatty), nil
	case "endless": // the value, again and again
		r.Gen, err = repeat(value+"\n"), nil
	case "told": // the digest in its header
		r.Header, err = http.Header{"Repr-Digest": {value}}, nil
	case "bytes": // so many
		r.Size, r.Gen = n, func(off int64, p []byte) int {
			m := min(int64(len(p)), n-off)
			stamp(p[:m], off)
			return int(m)
		}
	case "body":
		r.Body, err = []byte(value), nil
	case "status":
		r.Status = int(n)
	case "times":
		r.BreakTimes = int(n)
	case "stall":
		r.StallAt = n
	case "break":
		r.BreakAt = n
	case "shift":
		r.RangeShift = n
	case "lie":
		r.LengthOff = n
	case "rate":
		r.Rate = n
	default:
		return fmt.Errorf("serve: unknown key %q", key)
	}
	return err
}

func texts(r *farm.Resource) map[string]*string {
	return map[string]*string{"type": &r.MediaType, "etag": &r.ETag, "disposition": &r.Disposition,
		"coding": &r.Coding, "redirect": &r.Redirect}
}

func flags(r *farm.Resource) map[string]*bool {
	return map[string]*bool{"norange": &r.NoRange, "nolength": &r.NoLength, "hang": &r.HangHeader,
		"garbage": &r.Garbage, "reset": &r.Reset}
}

// repeat generates text again and again, without an end.
func repeat(text string) func(off int64, p []byte) int {
	period := int64(len(text))
	long := strings.Repeat(text, 4096/len(text)+2)
	return func(off int64, p []byte) int { return copy(p, long[off%period:]) }
}

func chatty(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	const answer = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes"
	io.WriteString(conn, answer+answer)
}
