package gateway_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spate/internal/farm"
)

// TestMetricsAreWrittenDown: the table of "What is told" has what /metrics has, and nothing else.
func TestMetricsAreWrittenDown(t *testing.T) {
	page, err := os.ReadFile("../docs/spec/gateway.md")
	if err != nil {
		t.Fatal(err)
	}
	_, behind, _ := strings.Cut(string(page), "`/metrics` has")
	section, _, _ := strings.Cut(behind, "\n## ")
	var written, told []string
	for line := range strings.Lines(section) {
		if cells := strings.Split(line, "|"); len(cells) > 3 {
			for _, name := range regexp.MustCompile("`([a-z_]+)(?:{[a-z]+})?`").FindAllStringSubmatch(cells[1], -1) {
				written = append(written, name[1])
			}
		}
	}
	s := stage(t, nil)
	s.put("/a", text("a", 10))
	s.get(t, s.of("/a"))
	_, figures := s.get(t, "/metrics")
	for _, name := range regexp.MustCompile(`(?m)^# TYPE spate_gateway_(\S+)`).FindAllSubmatch(figures, -1) {
		told = append(told, string(name[1]))
	}
	slices.Sort(written)
	slices.Sort(told)
	if diff := cmp.Diff(told, written); diff != "" {
		t.Errorf("told, and written:\n%s", diff)
	}
}

// TestStarredPartIsFetchedOnce: a part marked (*) is in the cache once, wherever it recurs, in whichever manifest.
func TestStarredPartIsFetchedOnce(t *testing.T) {
	s := stage(t, nil)
	star := text("star", 900_000)
	s.put("/star", star)
	s.put("/b", text("b", 1000))
	s.put("/one.parts", parts("(*)\nstar", "b", "(*)\nstar", "(*)\nstar"))
	s.put("/two.parts", parts("b", "(*)\nstar"))
	want := string(star) + string(text("b", 1000)) + string(star) + string(star)
	if _, got := s.get(t, s.of("/one.parts")); string(got) != want {
		t.Errorf("got %d bytes", len(got))
	}
	if _, got := s.get(t, s.of("/two.parts")); string(got) != string(text("b", 1000))+string(star) {
		t.Errorf("got %d bytes", len(got))
	}
	sentOf := int64(0)
	for _, r := range s.Log() {
		if r.Path == "/star" {
			sentOf += r.Bytes
		}
	}
	if sentOf > int64(len(star))+100 { // and the bytes that tell its size
		t.Errorf("the origin has sent %d bytes of %d", sentOf, len(star))
	}
}

// TestSizesAreAskedForSideBySide: no part's size is waited for before the next one's is asked for.
func TestSizesAreAskedForSideBySide(t *testing.T) {
	s := stage(t, nil)
	release := make(chan struct{})
	var lines []string
	for _, name := range []string{"a", "b", "c", "d"} {
		s.Serve("/"+name, farm.Resource{Body: text(name, 1000), HangHeader: true, Release: release})
		lines = append(lines, name)
	}
	s.put("/m.parts", parts(lines...))
	done := make(chan int)
	go func() {
		status, got := s.get(t, s.of("/m.parts"))
		if status != 200 || len(got) != 4000 {
			t.Errorf("got %d, %d bytes", status, len(got))
		}
		close(done)
	}()
	for _, name := range lines {
		if err := s.Wait(t.Context(), farm.Stuck, "/"+name, 1); err != nil {
			t.Fatal(err)
		}
	}
	close(release)
	<-done
}
