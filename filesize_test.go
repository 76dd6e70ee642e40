package spate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"spate/internal/farm"
)

// TestGetMaxFileSize: what tells its size is refused before anything is written, what does not is stopped.
func TestGetMaxFileSize(t *testing.T) {
	const text = "0123456789"
	origin := newFarm(t)
	origin.Serve("/told", farm.Resource{Body: []byte(text)})
	origin.Serve("/untold", farm.Resource{Body: []byte(text), NoLength: true, NoRange: true})
	origin.Serve("/it.parts", farm.Resource{Body: []byte("told\n")})
	for _, connections := range []int{0, 3} {
		for _, limit := range []int64{0, 9, 10, 11} {
			for _, path := range []string{"/told", "/untold", "/it.parts"} {
				t.Run(fmt.Sprint(path, " ", limit, " ", connections), func(t *testing.T) {
					dir := t.TempDir()
					opts := &GetOptions{Limits: Limits{FileSize: limit}, Connections: connections}
					_, err := newClient(t).Get(t.Context(), origin.URL(path), filepath.Join(dir, "FILE"), opts)
					want := map[string]string{"FILE": text}
					if limit == 9 {
						want = map[string]string{}
						if path != "/told" {
							want["FILE.part"] = text[:9]
						}
					}
					wantFiles(t, dir, want)
					if errors.Is(err, ErrLimit) != (limit == 9) || (err != nil) != (limit == 9) {
						t.Errorf("error %v", err)
					}
				})
			}
		}
	}
}

func TestGetMaxFileSizeAndBytes(t *testing.T) {
	body := bodies(func(context.Context) io.ReadCloser { return io.NopCloser(strings.NewReader("0123456789")) })
	for _, test := range []struct {
		limits Limits
		want   string
	}{
		{Limits{FileSize: 3, Bytes: 4}, "get x:text: stopped by a limit: a file of more than 3 bytes"},
		{Limits{FileSize: 4, Bytes: 4}, "get x:text: stopped by a limit: 4 bytes"},
		{Limits{FileSize: 5, Bytes: 4}, "get x:text: stopped by a limit: 4 bytes"},
		{Limits{FileSize: 1}, "get x:text: stopped by a limit: a file of more than 1 byte"},
	} {
		_, err := (&Client{Source: body}).Get(t.Context(), "x:text", filepath.Join(t.TempDir(), "FILE"), &GetOptions{Limits: test.limits})
		if err == nil || err.Error() != test.want {
			t.Errorf("%+v: %v", test.limits, err)
		}
	}
}

func TestGetMaxFileSizeOfASequence(t *testing.T) {
	dir := t.TempDir()
	c := &Client{Source: shelf{"x:a-seq": packed("one", "four", "five5", "six")}}
	_, err := c.Get(t.Context(), "x:a-seq", filepath.Join(dir, "FILE"), &GetOptions{Limits: Limits{FileSize: 4}})
	if !errors.Is(err, ErrLimit) || !strings.HasSuffix(err.Error(), ": a file of 5 bytes, more than 4") {
		t.Errorf("error %v", err)
	}
	wantFiles(t, dir, map[string]string{"FILE-file1": "one", "FILE-file2": "four"})
}
