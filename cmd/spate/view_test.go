package main

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"spate/internal/farm"
)

var pageToken = regexp.MustCompile(`name="spate-token" content="([^"]+)"`)

// TestPageKnowsWhatTheGatewayHas: what a player gets from the gateway the page draws.
func TestPageKnowsWhatTheGatewayHas(t *testing.T) {
	origin := farm.New()
	defer origin.Close()
	origin.Serve("/film", farm.Resource{Body: random(1 << 20)})
	g := startGateway(t, "--no-cache")
	token := pageToken.FindSubmatch(g.get(t, "/"))
	if token == nil {
		t.Fatal("the page has no token")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // without an end there are more events, of nothing
	defer cancel()
	ask := func(method, path, body string) *http.Response {
		t.Helper()
		req, err := http.NewRequestWithContext(ctx, method, g.url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Spate-Token", string(token[1]))
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { resp.Body.Close() })
		if resp.StatusCode >= 300 {
			t.Fatalf("%s %s: %s", method, path, resp.Status)
		}
		return resp
	}
	var view struct{ ID string }
	if err := json.NewDecoder(ask("POST", "/view/", `{"url": "`+origin.URL("/film")+`"}`).Body).Decode(&view); err != nil {
		t.Fatal(err)
	}
	ask("POST", "/view/"+view.ID+"/play", "")
	g.fetch(t, origin.URL("/film"))
	told := bufio.NewScanner(ask("GET", "/view/"+view.ID+"/events", "").Body)
	for told.Scan() {
		if strings.Contains(told.Text(), `"map":"`+strings.Repeat("#", 64)+`"`) {
			return
		}
	}
	t.Errorf("the events end, and do not say that it is there: %v", told.Err())
}
