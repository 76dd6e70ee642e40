package spate

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestGetMaxBytes(t *testing.T) {
	const text = "0123456789"
	tests := []struct {
		limit int64
		file  string // "" if it was stopped
		part  string
	}{
		{0, text, ""},
		{1, "", "0"},
		{9, "", "012345678"},
		{10, text, ""},
		{11, text, ""},
	}
	for _, test := range tests {
		t.Run(fmt.Sprint(test.limit), func(t *testing.T) {
			dir := t.TempDir()
			c := &Client{Source: shelf{"x:text": text}}
			res, err := c.Get(t.Context(), "x:text", filepath.Join(dir, "FILE"), &GetOptions{Limits: Limits{Bytes: test.limit}})
			if test.file != "" {
				must(t, err)
				wantFiles(t, dir, map[string]string{"FILE": test.file})
				wantResult(t, res, test.file)
				return
			}
			if !errors.Is(err, ErrLimit) {
				t.Fatalf("error %v, want ErrLimit", err)
			}
			wantFiles(t, dir, map[string]string{"FILE.part": test.part})
			sum := sha256.Sum256([]byte(test.part))
			sameBytes(t, res.SHA256, sum[:])
			if res.Part != filepath.Join(dir, "FILE.part") || res.Bytes != test.limit || res.Files != 0 {
				t.Errorf("result %+v", res)
			}
		})
	}
}

func TestGetMaxOfASequence(t *testing.T) {
	files := []string{"one", "two", "", "four"}
	tests := []struct {
		name   string
		limits Limits
		whole  int // files that are there
		limit  bool
	}{
		{"none", Limits{}, 4, false},
		{"one file less", Limits{Files: 3}, 3, true},
		{"so many files", Limits{Files: 4}, 4, false},
		{"one file more", Limits{Files: 5}, 4, false},
		{"one file", Limits{Files: 1}, 1, true},
		{"less than a file", Limits{Bytes: 2}, 0, true},
		{"a file", Limits{Bytes: 3}, 1, true},
		{"one byte less than two", Limits{Bytes: 5}, 1, true},
		{"two and an empty one", Limits{Bytes: 6}, 3, true},
		{"one byte less", Limits{Bytes: 9}, 3, true},
		{"so many bytes", Limits{Bytes: 10}, 4, false},
		{"what is first", Limits{Bytes: 9, Files: 2}, 2, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			c := &Client{Source: shelf{"x:a-seq": packed(files...)}}
			res, err := c.Get(t.Context(), "x:a-seq", filepath.Join(dir, "FILE"), &GetOptions{Limits: test.limits})
			if test.limit != errors.Is(err, ErrLimit) || test.limit != (err != nil) {
				t.Errorf("error %v", err)
			}
			want := map[string]string{}
			for i, text := range files[:test.whole] {
				want[fmt.Sprintf("FILE-file%d", i+1)] = text
			}
			wantFiles(t, dir, want)
			wantResult(t, res, files[:test.whole]...)
		})
	}
}

func TestGetOfWhatHasNoEnd(t *testing.T) {
	frame := packed(strings.Repeat("frame", 100))
	c := &Client{Source: bodies(func(context.Context) io.ReadCloser { return io.NopCloser(endless(frame)) })}
	dir := t.TempDir()
	res, err := c.Get(t.Context(), "x:endless", filepath.Join(dir, "FILE"), &GetOptions{Limits: Limits{Bytes: 100_000}})
	if !errors.Is(err, ErrLimit) || res.Bytes != 100_000 {
		t.Errorf("%+v, %v", res, err)
	}
	wantFiles(t, dir, map[string]string{"FILE.part": strings.Repeat(frame, 200)[:100_000]})
	dir = t.TempDir()
	res, err = c.Get(t.Context(), "x:endless-seq", filepath.Join(dir, "FILE"), &GetOptions{Limits: Limits{Files: 3}})
	if !errors.Is(err, ErrLimit) || !strings.Contains(err.Error(), "get x:endless-seq: stopped by a limit: 3 files") {
		t.Errorf("error %v", err)
	}
	wantResult(t, res, frame[4:], frame[4:], frame[4:])
	wantFiles(t, dir, map[string]string{"FILE-file1": frame[4:], "FILE-file2": frame[4:], "FILE-file3": frame[4:]})
}

func TestGetMaxTime(t *testing.T) {
	stream := packed("one", "two") + "\x00\x00\x00\x09half of"
	tests := []struct {
		name, url, text string
		want            map[string]string
		limit           time.Duration
	}{
		{"single", "x:text", "half of", map[string]string{"FILE.part": "half of"}, time.Minute},
		{"sequence", "x:a-seq", stream, map[string]string{"FILE-file1": "one", "FILE-file2": "two"}, time.Minute},
		{"before the first byte", "x:text", "", nil, time.Minute},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				begun := time.Now() // on the clock of the bubble
				c := &Client{Source: bodies(func(ctx context.Context) io.ReadCloser { return newSilentBody(ctx, test.text) })}
				_, err := c.Get(t.Context(), test.url, filepath.Join(dir, "FILE"), &GetOptions{Limits: Limits{Time: test.limit}})
				if !errors.Is(err, ErrLimit) || !strings.Contains(err.Error(), "1m0s") {
					t.Errorf("error %v, want ErrLimit", err)
				}
				if took := time.Since(begun); took != test.limit {
					t.Errorf("it took %v", took)
				}
			})
			wantFiles(t, dir, test.want)
		})
	}
}

// A limit of time that is not reached does nothing.
func TestGetWithinMaxTime(t *testing.T) {
	dir := t.TempDir()
	c := &Client{Source: shelf{"x:text": "text"}}
	res, err := c.Get(t.Context(), "x:text", filepath.Join(dir, "FILE"), &GetOptions{Limits: Limits{Time: time.Hour}})
	must(t, err)
	wantResult(t, res, "text")
}

// The caller's own end is no limit.
func TestGetCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	dir := t.TempDir()
	c := &Client{Source: bodies(func(ctx context.Context) io.ReadCloser {
		b := newSilentBody(ctx, "half")
		go func() {
			<-b.waits
			cancel()
		}()
		return b
	})}
	_, err := c.Get(ctx, "x:text", filepath.Join(dir, "FILE"), &GetOptions{Limits: Limits{Time: time.Hour}})
	if !errors.Is(err, context.Canceled) || errors.Is(err, ErrLimit) {
		t.Errorf("error %v, want context.Canceled", err)
	}
}
