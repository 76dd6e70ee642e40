package viewer_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"spate"
	"spate/internal/farm"
	"spate/source"
	"spate/source/httpsource"
	"spate/viewer"
)

func TestAsked(t *testing.T) {
	o := viewer.Options{
		Allow: func(url string) error {
			if strings.Contains(url, "forbidden") {
				return errors.New("nobody may")
			}
			return nil
		},
		Named: map[string][]string{"film": {"mem:a"}},
	}
	tests := []struct {
		name, asked string
		header      []string
		status      int
		says        string
	}{
		{"a URL", `{"url": "mem:a"}`, nil, 201, `"id"`},
		{"with blanks around it", `{"url": "  mem:a\n"}`, nil, 201, `"id"`},
		{"a name", `{"url": "film"}`, nil, 201, `"id"`},
		{"without the token", `{"url": "mem:a"}`, []string{"X-Spate-Token", ""}, 403, `"stale":true`},
		{"with another token", `{"url": "mem:a"}`, []string{"X-Spate-Token", "x"}, 403, `"stale":true`},
		{"no JSON", `url=mem:a`, nil, 400, "cannot be read"},
		{"nothing", ``, nil, 400, "cannot be read"},
		{"two in one", `{"url": "mem:a"} {"url": "mem:b"}`, nil, 400, "cannot be read"},
		{"less than nothing to skip", `{"url": "mem:a", "skip": -1}`, nil, 400, "cannot be read"},
		{"too much", `{"url": "mem:` + strings.Repeat("a", 64<<10) + `"}`, nil, 400, "cannot be read"},
		{"no URL", `{"url": "film2"}`, nil, 400, "that is no URL"},
		{"an empty one", `{"url": ""}`, nil, 400, "that is no URL"},
		{"a URL that may not be viewed", `{"url": "http://forbidden/"}`, nil, 403, "nobody may"},
	}
	atDesk(t, o, shelf{"mem:a": has("a")}, func(t *testing.T, d *desk) {
		for _, tt := range tests {
			status, answer := d.ask("POST", "/view/", tt.asked, tt.header...)
			if status != tt.status || !strings.Contains(answer, tt.says) {
				t.Errorf("%s: got %d, %s; want %d with %s", tt.name, status, answer, tt.status, tt.says)
			}
		}
	})
}

// TestNoView: of what is no view, or no more, there is nothing.
func TestNoView(t *testing.T) {
	atDesk(t, viewer.Options{}, shelf{"mem:a": has("a")}, func(t *testing.T, d *desk) {
		ended := d.start("mem:a")
		if status, _ := d.ask("DELETE", ended, ""); status != http.StatusNoContent {
			t.Errorf("DELETE: got %d", status)
		}
		synctest.Wait()
		for _, view := range []string{"/view/x", ended} {
			for _, request := range []string{"GET /opened", "GET /events", "GET /outcome", "GET /body", "POST /play", "DELETE "} {
				method, what, _ := strings.Cut(request, " ")
				if status, answer := d.ask(method, view+what, ""); status != http.StatusNotFound || !strings.Contains(answer, "no such view") {
					t.Errorf("%s of %s: got %d, %s", request, view, status, answer)
				}
			}
		}
	})
}

func TestBody(t *testing.T) {
	text := strings.Repeat("0123456789", 20_000)
	atDesk(t, viewer.Options{}, shelf{"mem:a": has(text)}, func(t *testing.T, d *desk) {
		view := d.start("mem:a")
		resp := d.do(t.Context(), "GET", view+"/body?as=image/png", "")
		got, err := io.ReadAll(resp.Body)
		if resp.Body.Close(); err != nil || string(got) != text {
			t.Errorf("got %d bytes, %v", len(got), err)
		}
		if mediaType, policy := resp.Header.Get("Content-Type"), resp.Header.Get("Content-Security-Policy"); mediaType != "image/png" ||
			policy != "default-src 'none'; sandbox" {
			t.Errorf("header: %q, %q", mediaType, policy)
		}
		if status, outcome := d.ask("GET", view+"/outcome", ""); status != 200 || !strings.Contains(outcome, `"type":"done"`) {
			t.Errorf("outcome: %d, %s", status, outcome)
		}
		for _, request := range []string{"GET /body", "POST /play"} {
			method, what, _ := strings.Cut(request, " ")
			if status, answer := d.ask(method, view+what, ""); status != http.StatusConflict {
				t.Errorf("%s, once more: got %d, %s", request, status, answer)
			}
		}
		resp = d.do(t.Context(), "GET", d.start("mem:a")+"/body?as=text/html", "")
		if mediaType := resp.Header.Get("Content-Type"); mediaType != "application/octet-stream" {
			t.Errorf("it is sent as %q", mediaType)
		}
		resp.Body.Close()
	})
}

// TestBodyThatIsCut: what came is sent, to the last byte, and the outcome is that there is more.
func TestBodyThatIsCut(t *testing.T) {
	for _, text := range []string{"a", strings.Repeat("a", 100_000)} {
		cut := &source.Error{Op: "read", URL: "mem:a", Kind: source.KindNetwork, Err: io.ErrUnexpectedEOF}
		opens := 0
		src := source.Func(func(ctx context.Context, url string, rng source.Range) (*source.Resource, error) {
			if opens++; opens > 1 {
				return nil, &source.Error{Op: "open", URL: url, Kind: source.KindNetwork, Err: errors.New("it is gone")}
			}
			return shelf{"mem:a": breaks(text, cut)}.Open(ctx, url, rng)
		})
		atDesk(t, viewer.Options{}, src, func(t *testing.T, d *desk) {
			view := d.start("mem:a")
			resp := d.do(t.Context(), "GET", view+"/body", "")
			got, err := io.ReadAll(resp.Body)
			if resp.Body.Close(); err != nil || string(got) != text {
				t.Errorf("got %d of %d bytes, %v", len(got), len(text), err)
			}
			_, outcome := d.ask("GET", view+"/outcome", "")
			if !strings.Contains(outcome, `"type":"error"`) || !strings.Contains(outcome, `"kind":"network"`) {
				t.Errorf("outcome: %s", outcome)
			}
		})
	}
}

// TestFirstLine: what comes slowly is there as soon as it begins, and nothing is lost between the beginning and the rest.
func TestFirstLine(t *testing.T) {
	src := shelf{}
	atDesk(t, viewer.Options{}, src, func(t *testing.T, d *desk) {
		out, in := io.Pipe()
		src["mem:a"] = func(context.Context) io.ReadCloser { return out }
		view := d.start("mem:a")
		for _, text := range []string{"h", "i\n"} {
			if _, err := io.WriteString(in, text); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		if status, opened := d.ask("GET", view+"/opened", ""); status != http.StatusOK || !strings.Contains(opened, `"head":"aGkK"`) {
			t.Errorf("got %d, %s", status, opened)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("it is told after %v", took)
		}
		body := d.do(t.Context(), "GET", view+"/body", "").Body
		for _, text := range []string{"", "and ", "more of it, much more than the first line\n"} {
			if _, err := io.WriteString(in, text); err != nil {
				t.Fatal(err)
			}
			if text == "" {
				text = "hi\n"
			}
			got := make([]byte, len(text))
			if _, err := io.ReadFull(body, got); err != nil || string(got) != text {
				t.Errorf("got %q, %v", got, err)
			}
		}
		if err := in.Close(); err != nil {
			t.Error(err)
		}
		if rest, err := io.ReadAll(body); err != nil || len(rest) > 0 {
			t.Errorf("at the end there is %q, %v", rest, err)
		}
		body.Close()
	})
}

// TestNothingToOpen: the page is told why.
func TestNothingToOpen(t *testing.T) {
	atDesk(t, viewer.Options{}, shelf{}, func(t *testing.T, d *desk) {
		view := d.start("mem:a")
		for _, what := range []string{"/opened", "/outcome", "/events"} {
			_, answer := d.ask("GET", view+what, "")
			if !strings.Contains(answer, `"type":"error"`) || !strings.Contains(answer, "open mem:a: 404 Not Found") {
				t.Errorf("%s: %s", what, answer)
			}
		}
		if status, _ := d.ask("GET", view+"/body", ""); status != http.StatusBadGateway {
			t.Errorf("its body: got %d", status)
		}
	})
}

func TestMaxViews(t *testing.T) {
	atDesk(t, viewer.Options{MaxViews: 2}, shelf{"mem:a": has("a")}, func(t *testing.T, d *desk) {
		first := d.start("mem:a")
		d.start("mem:a")
		if status, answer := d.ask("POST", "/view/", `{"url": "mem:a"}`); status != http.StatusTooManyRequests || !strings.Contains(answer, "2 are being viewed") {
			t.Errorf("one more: got %d, %s", status, answer)
		}
		d.ask("DELETE", first, "")
		synctest.Wait()
		d.start("mem:a")
	})
}

// TestDeserted: a view that nobody asks for anything ends, and its request with it.
func TestDeserted(t *testing.T) {
	src := shelf{}
	atDesk(t, viewer.Options{}, src, func(t *testing.T, d *desk) {
		open, ended := stalls("a beginning, no more")
		src["mem:a"] = open
		view := d.start("mem:a")
		listening, leave := context.WithCancel(t.Context())
		events := d.do(listening, "GET", view+"/events", "")
		time.Sleep(time.Hour) // somebody listens
		select {
		case <-ended:
			t.Error("it has ended although somebody listens")
		default:
		}
		leave()
		events.Body.Close()
		left := time.Now()
		<-ended
		if after := time.Since(left); after != 30*time.Second {
			t.Errorf("it has ended after %v", after)
		}
		if !d.isOver(view) {
			t.Error("the view is still there")
		}
	})
}

// TestBodyThatNobodyReads: a view ends with the connection of its body, also while nothing comes.
func TestBodyThatNobodyReads(t *testing.T) {
	src := shelf{}
	atDesk(t, viewer.Options{}, src, func(t *testing.T, d *desk) {
		open, ended := stalls("a beginning, no more")
		src["mem:a"] = open
		view := d.start("mem:a")
		reading, leave := context.WithCancel(t.Context())
		defer leave()
		resp := d.do(reading, "GET", view+"/body", "")
		if _, err := io.ReadFull(resp.Body, make([]byte, 10)); err != nil {
			t.Fatal(err)
		}
		leave()
		<-ended
		resp.Body.Close()
		if !d.isOver(view) {
			t.Error("the view is still there")
		}
	})
}

// TestClose: views end with the Viewer, also those whose pages are paused and take nothing.
func TestClose(t *testing.T) {
	origin := farm.New()
	defer origin.Close()
	origin.Serve("/endless", farm.Resource{Gen: func(_ int64, p []byte) int { return len(p) }})
	origin.Serve("/hangs", farm.Resource{HangHeader: true})
	src := httpsource.New(nil)
	defer src.CloseIdleConnections()
	v := viewer.New(&viewer.Options{Client: &spate.Client{Source: src}})
	server := httptest.NewServer(v)
	defer server.Close()
	d := newDesk(t, server.Client(), server.URL)
	paused := d.do(t.Context(), "GET", d.start(origin.URL("/endless"))+"/body", "")
	defer paused.Body.Close()
	if _, err := io.ReadFull(paused.Body, make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	d.start(origin.URL("/hangs")) // and nobody asks
	playing := d.start(origin.URL("/endless"))
	if status, answer := d.ask("POST", playing+"/play", ""); status != http.StatusNoContent {
		t.Errorf("play: %d, %s", status, answer)
	}
	closed := make(chan error)
	go func() { closed <- v.Close() }()
	select {
	case err := <-closed:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Fatal("Close waits for who does not read")
	}
	if status, answer := d.ask("POST", "/view/", `{"url": "mem:a"}`); status != http.StatusServiceUnavailable || !strings.Contains(answer, "ending") {
		t.Errorf("another view: %d, %s", status, answer)
	}
}

// TestSkip: who has lost the connection goes on behind what he has, if it is still the same.
func TestSkip(t *testing.T) {
	const text = "a few bytes, and a few more of them"
	sum := func(s string) uint32 { return crc32.ChecksumIEEE([]byte(s)) }
	tests := []struct {
		name  string
		asked string
		want  string // "changed": that it is not what it was
	}{
		{"from the beginning", `"skip": 0`, text},
		{"in the middle", fmt.Sprintf(`"skip": 5, "crc32": %d`, sum(text[:5])), text[5:]},
		{"not compared", `"skip": 5`, text[5:]},
		{"all of it", fmt.Sprintf(`"skip": %d, "crc32": %d`, len(text), sum(text)), ""},
		{"more than there is", fmt.Sprintf(`"skip": %d, "crc32": %d`, len(text)+1, sum(text)), "changed"},
		{"it has changed", fmt.Sprintf(`"skip": 5, "crc32": %d`, sum("other")), "changed"},
	}
	atDesk(t, viewer.Options{}, shelf{"mem:a": has(text)}, func(t *testing.T, d *desk) {
		for _, tt := range tests {
			view := d.startWith(`{"url": "mem:a", ` + tt.asked + `}`)
			status, got := d.ask("GET", view+"/body", "")
			if tt.want != "changed" && (status != http.StatusOK || got != tt.want) {
				t.Errorf("%s: got %d, %q", tt.name, status, got)
			}
			if _, outcome := d.ask("GET", view+"/outcome", ""); strings.Contains(outcome, `"kind":"changed"`) != (tt.want == "changed") {
				t.Errorf("%s: %s", tt.name, outcome)
			}
		}
	})
}

// TestMirrors: of a name's mirrors the first is viewed that can be read.
func TestMirrors(t *testing.T) {
	broken := &source.Error{Op: "read", URL: "mem:b", Kind: source.KindNetwork, Err: io.ErrUnexpectedEOF}
	o := viewer.Options{Named: map[string][]string{"film": {"mem:a", "mem:b", "mem:c"}, "none": {"mem:a", "mem:b"}}}
	atDesk(t, o, shelf{"mem:b": breaks("", broken), "mem:c": has("it is here")}, func(t *testing.T, d *desk) {
		view := d.start("film")
		if status, got := d.ask("GET", view+"/body", ""); status != http.StatusOK || got != "it is here" {
			t.Errorf("got %d, %q", status, got)
		}
		if _, opened := d.ask("GET", view+"/opened", ""); !strings.Contains(opened, `"play":"film"`) {
			t.Errorf("opened: %s", opened)
		}
		_, why := d.ask("GET", d.start("none")+"/opened", "")
		for _, cause := range []string{`"causes":["`, "open mem:a: 404 Not Found", "mem:b: "} {
			if !strings.Contains(why, cause) {
				t.Errorf("%q is not in %s", cause, why)
			}
		}
	})
}

// TestEvents: they come as they happen, numbered; who comes again is told what he has missed, and nothing twice.
func TestEvents(t *testing.T) {
	atDesk(t, viewer.Options{}, shelf{"mem:a": has("a")}, func(t *testing.T, d *desk) {
		view := d.start("mem:a")
		resp := d.do(t.Context(), "GET", view+"/events", "")
		if mediaType := resp.Header.Get("Content-Type"); mediaType != "text/event-stream" {
			t.Errorf("it is %s", mediaType)
		}
		told := bufio.NewScanner(resp.Body)
		last := nextEvent(t, told, "")
		if !strings.Contains(last.data, `"type":"part"`) || last.id != "1" {
			t.Errorf("the first is %+v", last)
		}
		d.ask("GET", view+"/body", "")
		for last.id == "1" || !strings.Contains(last.data, `"type":"done"`) {
			last = nextEvent(t, told, last.id)
		}
		if told.Scan() && told.Text() != "" {
			t.Errorf("behind the end there is %q", told.Text())
		}
		resp.Body.Close()
		if status, again := d.ask("GET", view+"/events", "", "Last-Event-ID", "1"); status != http.StatusOK || strings.Contains(again, "id: 1\n") ||
			!strings.Contains(again, "id: 2\n") || !strings.HasSuffix(again, "id: "+last.id+"\ndata: "+last.data+"\n\n") {
			t.Errorf("from 2 on: %d, %s", status, again)
		}
		if status, more := d.ask("GET", view+"/events", "", "Last-Event-ID", last.id); status != http.StatusNoContent || more != "" {
			t.Errorf("behind the last: %d, %q", status, more)
		}
		for _, odd := range []string{"x", "-7"} {
			if status, all := d.ask("GET", view+"/events", "", "Last-Event-ID", odd); status != http.StatusOK || !strings.Contains(all, "id: 1\n") {
				t.Errorf("Last-Event-ID %s: %d, %s", odd, status, all)
			}
		}
	})
}

type told struct{ id, data string }

// nextEvent is the next of server-sent events, whose number is one more than that of the last.
func nextEvent(t *testing.T, lines *bufio.Scanner, last string) (e told) {
	t.Helper()
	for lines.Scan() {
		field, value, _ := strings.Cut(lines.Text(), ": ")
		switch field {
		case "id":
			e.id = value
			if last != "" && next(last) != value {
				t.Fatalf("behind %s comes %s", last, value)
			}
		case "data":
			e.data = value
			return e
		}
	}
	t.Fatalf("there are no more events: %v", lines.Err())
	return e
}

func next(id string) string {
	var n int
	_, _ = fmt.Sscan(id, &n) // what is none is 0
	return fmt.Sprint(n + 1)
}

// TestEventsWhileNothingHappens: a word is said now and then, so that who is not there any more is noticed.
func TestEventsWhileNothingHappens(t *testing.T) {
	src := shelf{}
	atDesk(t, viewer.Options{}, src, func(t *testing.T, d *desk) {
		open, _ := stalls("a beginning, no more")
		src["mem:a"] = open
		resp := d.do(t.Context(), "GET", d.start("mem:a")+"/events", "")
		defer resp.Body.Close()
		lines := bufio.NewReader(resp.Body)
		synctest.Wait()
		for range 10 {
			began := time.Now()
			for said := ""; said != ":\n"; {
				var err error
				if said, err = lines.ReadString('\n'); err != nil {
					t.Fatal(err)
				}
			}
			if silence := time.Since(began); silence > 16*time.Second {
				t.Errorf("nothing was said for %v", silence)
			}
		}
	})
}

// TestOutcomeOfWhatIsEnded: who waits learns that it was ended.
func TestOutcomeOfWhatIsEnded(t *testing.T) {
	src := shelf{}
	atDesk(t, viewer.Options{}, src, func(t *testing.T, d *desk) {
		open, ended := stalls("a beginning, no more")
		src["mem:a"] = open
		view := d.start("mem:a")
		outcome := make(chan string)
		go func() {
			_, answer := d.ask("GET", view+"/outcome", "")
			outcome <- answer
		}()
		synctest.Wait()
		d.ask("DELETE", view, "")
		if got := <-outcome; got != "null\n" {
			t.Errorf("got %q", got)
		}
		<-ended
	})
}

// TestDiscreet: who looks is not told where the bytes come from, however it goes.
func TestDiscreet(t *testing.T) {
	origin := farm.New()
	defer origin.Close()
	dead := farm.Dead()
	origin.Serve("/inner.parts", farm.Resource{Body: []byte(dead + "/secret-c\n" + origin.URL("/secret-b") + "\n")})
	origin.Serve("/secret.parts", farm.Resource{Body: []byte(dead + "/secret-a\n" + origin.URL("/secret-404") + "\n" + origin.URL("/secret-b") +
		"\n--\n" + origin.URL("/inner.parts") + "\n")})
	origin.Serve("/secret-b", farm.Resource{Body: []byte("well then")})
	origin.Serve("/fails.parts", farm.Resource{Body: []byte(dead + "/secret-a\n" + origin.URL("/secret-404") + "\n")})
	origin.Serve("/cut", farm.Resource{Body: make([]byte, 100), BreakAt: 50})
	named := map[string][]string{}
	for _, name := range []string{"secret.parts", "fails.parts", "cut", "404"} {
		named[name] = []string{origin.URL("/" + name)}
	}
	src := httpsource.New(nil)
	defer src.CloseIdleConnections()
	v := viewer.New(&viewer.Options{Client: &spate.Client{Source: src}, Named: named, Discreet: true})
	server := httptest.NewServer(v)
	defer server.Close()
	d := newDesk(t, server.Client(), server.URL)
	for name := range named {
		view := d.start(name)
		all := ""
		for _, what := range []string{"/opened", "/body", "/outcome", "/events"} {
			resp := d.do(t.Context(), "GET", view+what, "")
			answer, _ := io.ReadAll(resp.Body) // some are cut
			resp.Body.Close()
			all += string(answer)
		}
		for _, secret := range []string{origin.Addr(), strings.TrimPrefix(dead, "http://"), "secret", "connection refused"} {
			if strings.Contains(strings.ReplaceAll(all, `"play":"`+name+`"`, ""), secret) {
				t.Errorf("%s: %q is in %s", name, secret, all)
			}
		}
		if strings.Contains(name, "secret") != strings.Contains(all, `"type":"done"`) {
			t.Errorf("%s: %s", name, all)
		}
	}
	if err := v.Close(); err != nil {
		t.Error(err)
	}
}

// TestHeaders: whatever is answered says what a browser must not do with it.
func TestHeaders(t *testing.T) {
	atDesk(t, viewer.Options{}, shelf{"mem:a": has("a")}, func(t *testing.T, d *desk) {
		view := d.start("mem:a")
		for _, path := range []string{"/", "/static/main.js", "/view/samples", "/nothing", view + "/opened", view + "/events", view + "/body"} {
			resp := d.do(t.Context(), "GET", path, "")
			resp.Body.Close()
			policy := resp.Header.Get("Content-Security-Policy")
			for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
				"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin"} {
				if got := resp.Header.Get(name); got != want {
					t.Errorf("%s: %s is %q", path, name, got)
				}
			}
			if !strings.HasPrefix(policy, "default-src 'none'; ") || strings.Contains(policy, "unsafe") {
				t.Errorf("%s: Content-Security-Policy is %q", path, policy)
			}
		}
	})
}

// TestWhoStarts: what the page's address says starts by itself only where the user, or the page itself, has led there.
func TestWhoStarts(t *testing.T) {
	atDesk(t, viewer.Options{}, shelf{}, func(t *testing.T, d *desk) {
		for site, start := range map[string]string{"none": "auto", "same-origin": "auto", "same-site": "ask", "cross-site": "ask", "": "ask", "x": "ask"} {
			_, page := d.ask("GET", "/", "", "Sec-Fetch-Site", site)
			if !strings.Contains(page, `name="spate-start" content="`+start+`"`) {
				t.Errorf("Sec-Fetch-Site %q: %s", site, page)
			}
		}
	})
}
