package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"

	"spate/internal/demo"
	"spate/viewer"
)

// A closedPipe is what nobody reads any more.
type closedPipe struct{}

func (closedPipe) Write([]byte) (int, error) { return 0, syscall.EPIPE }

// TestViewThatNobodyHears: where the address of the page cannot be told, there is no page.
func TestViewThatNobodyHears(t *testing.T) {
	var stderr bytes.Buffer
	p := &process{args: []string{"view", "--no-open", "--no-cache"}, stdout: closedPipe{}, stderr: &stderr, env: noEnv}
	if code := run(t.Context(), p); code != exitPipe || stderr.Len() > 0 {
		t.Errorf("exit code %d, %s", code, &stderr)
	}
}

// TestPageOfDemo: all exhibits are on it, and nothing of it stays when its context is done, be it before it is there.
func TestPageOfDemo(t *testing.T) {
	exhibits := []demo.Exhibit{{Name: "one", About: "two", URL: "http://host/x-seq", Delay: 50}, {Name: "a", About: "b", URL: "http://host/y", Endless: true}}
	ctx, stop := context.WithCancel(t.Context())
	address, ended, err := servePage(&process{env: noEnv})(ctx, exhibits)
	if err != nil {
		t.Fatal(err)
	}
	samples := fetched(t, address+"view/samples")
	var got []viewer.Sample
	want := []viewer.Sample{{Title: "one: two", URL: "http://host/x-seq", MS: 50}, {Title: "a: b; endless", URL: "http://host/y"}}
	if err := json.Unmarshal([]byte(samples), &got); err != nil || !slices.Equal(got, want) {
		t.Errorf("%s, %v", samples, err)
	}
	if page := fetched(t, address); !strings.Contains(page, "spate-token") {
		t.Error(page)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, ended, err = servePage(&process{env: noEnv})(ctx, exhibits); err != nil || <-ended != nil {
		t.Error("a page that ends at once:", err)
	}
}

func fetched(t *testing.T, url string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(resp.Status, err)
	}
	return string(body)
}
