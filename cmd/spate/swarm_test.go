package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"spate/event"
)

// A command is one that runs beside the test, and tells events.
type command struct {
	events chan event.Event
	stop   context.CancelCauseFunc
	code   chan int
}

// begin runs a command with --json. It is stopped at the end of the test.
func begin(t *testing.T, args ...string) *command {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	c := &command{events: make(chan event.Event, 1000), stop: cancel, code: make(chan int, 1)}
	r, w := io.Pipe()
	var told sync.WaitGroup
	told.Go(func() {
		defer close(c.events)
		for lines := bufio.NewScanner(r); lines.Scan(); {
			var e event.Event
			if err := json.Unmarshal(lines.Bytes(), &e); err == nil {
				c.events <- e
			}
		}
	})
	go func() {
		c.code <- run(ctx, &process{args: append(args, "--json"), stdin: strings.NewReader(""), stdout: io.Discard, stderr: w,
			env: func(string) (string, bool) { return "", false }})
		w.Close()
	}()
	t.Cleanup(func() {
		c.interrupt()
		told.Wait()
	})
	return c
}

// interrupt ends the command as SIGINT would.
func (c *command) interrupt() { c.stop(&signalError{syscall.SIGINT}) }

// await is the next event of that type.
func (c *command) await(t *testing.T, want event.Type) event.Event {
	t.Helper()
	for e := range c.events {
		if e.Type == want {
			return e
		}
	}
	t.Fatalf("it ended without %q", want)
	return event.Event{}
}

// ok runs a command to its end, which has to be a good one, and returns what it prints.
func ok(t *testing.T, args ...string) string {
	t.Helper()
	var out, talk bytes.Buffer
	code := run(t.Context(), &process{args: args, stdin: strings.NewReader(""), stdout: &out, stderr: &talk,
		env: func(string) (string, bool) { return "", false }})
	if code != exitOK {
		t.Fatalf("%q: exit %d: %s", args, code, talk.String())
	}
	return out.String()
}

// A file is dealt out, three peers complete their folders by a tracker, and each folder joins to the file.
func TestSwarm(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	content := make([]byte, 1<<20+1)
	_, _ = rand.Read(content) // never fails
	if err := os.WriteFile(in("file"), content, 0o666); err != nil {
		t.Fatal(err)
	}
	ok(t, "pack", in("file"), "--chunks", "20", "--peers", strings.Join([]string{in("a"), in("b"), in("c")}, ","))

	tracker := begin(t, "tracker", "--listen", "127.0.0.1:0", "--log", in("log"))
	addr := tracker.await(t, event.Listening).Origin
	peers := map[string]*command{}
	for _, name := range []string{"a", "b", "c"} {
		peers[name] = begin(t, "peer", in(name), "--tracker", addr, "--log", in("log"))
	}
	for _, p := range peers {
		p.await(t, event.Done)
	}
	for name, p := range peers {
		p.interrupt()
		if code := <-p.code; code != exitOK {
			t.Errorf("peer %s, which was complete: exit %d", name, code)
		}
		ok(t, "join", in(name), "-o", in(name+".joined"))
		if got, err := os.ReadFile(in(name + ".joined")); err != nil || !bytes.Equal(got, content) {
			t.Errorf("what %s has is not the file: %v", name, err)
		}
	}
	tracker.interrupt()
	if code := <-tracker.code; code != exitOK {
		t.Errorf("tracker: exit %d", code)
	}
	checkLog(t, in("log"))
}

// checkLog looks for each form of line that the assignment's section 5 has.
func checkLog(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\na,LOCAL_CHUNKS,", "\na,WHERE_CHUNK,", "\na,REQUEST_CHUNK,", "\nP2PTracker,GET_CHUNK_FROM,", ",localhost,"} {
		if !strings.Contains("\n"+string(text), want) {
			t.Errorf("the log has no %q", want)
		}
	}
}

// A peer that is interrupted before it is complete has not done what it was for.
func TestPeerInterrupted(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "local_chunks.txt"), []byte("2,LASTCHUNK\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	tracker := begin(t, "tracker", "--listen", "127.0.0.1:0", "--log", "")
	p := begin(t, "peer", dir, "--tracker", tracker.await(t, event.Listening).Origin, "--log", "")
	p.await(t, event.Tracker)
	p.interrupt()
	if code := <-p.code; code != exitSignal+int(syscall.SIGINT) {
		t.Errorf("exit %d", code)
	}
}

// A whole file is served as chunks to a peer that has none, and both have a page of figures.
func TestPeerOfAFile(t *testing.T) {
	dir := t.TempDir()
	file, empty := filepath.Join(dir, "file"), filepath.Join(dir, "empty")
	for name, text := range map[string]string{file: "0123456789", filepath.Join(empty, "local_chunks.txt"): "3,LASTCHUNK"} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o777), os.WriteFile(name, []byte(text), 0o666)); err != nil {
			t.Fatal(err)
		}
	}
	tracker := begin(t, "tracker", "--listen", "127.0.0.1:0", "--log", "", "--metrics", "127.0.0.1:0")
	figures := tracker.await(t, event.Listening).Origin
	addr := tracker.await(t, event.Listening).Origin
	begin(t, "peer", "--file", file, "--chunks", "3", "--tracker", addr, "--log", "").await(t, event.Tracker)
	p := begin(t, "peer", empty, "--tracker", addr, "--log", "", "--once")
	p.await(t, event.Done)
	if code := <-p.code; code != exitOK {
		t.Errorf("--once: exit %d", code)
	}
	bounded := filepath.Join(dir, "bounded")
	if err := errors.Join(os.Mkdir(bounded, 0o777), os.WriteFile(filepath.Join(bounded, "local_chunks.txt"), []byte("3,LASTCHUNK"), 0o666)); err != nil {
		t.Fatal(err)
	}
	few := begin(t, "peer", bounded, "--tracker", addr, "--log", "", "--max-chunk", "1")
	if e := few.await(t, event.Failed); !strings.Contains(e.Error, "more than 1 bytes") {
		t.Errorf("--max-chunk 1: %+v", e)
	}
	joined := filepath.Join(dir, "joined")
	ok(t, "join", empty, "-o", joined)
	if got, err := os.ReadFile(joined); string(got) != "0123456789" {
		t.Errorf("joined to %q, %v", got, err)
	}
	if page := get(t, figures); !strings.Contains(page, "\nspate_tracker_chunks 3\n") {
		t.Errorf("the figures are %s", page)
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	defer http.DefaultClient.CloseIdleConnections()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
