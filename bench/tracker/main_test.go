package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"spate/swarm/tracker"
	"spate/swarm/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestPlan(t *testing.T) {
	p := plan{clients: 30, registrations: 3000}
	if err := p.check(); err != nil {
		t.Fatal(err)
	}
	count := map[int]map[int]bool{}
	for client := range p.clients {
		for j := range p.each() {
			chunk := p.chunk(client, j)
			if count[chunk] == nil {
				count[chunk] = map[int]bool{}
			}
			count[chunk][client] = true
		}
	}
	for chunk := 1; chunk <= p.chunks(); chunk++ {
		if len(count[chunk]) != holders {
			t.Errorf("chunk %d has %d holders", chunk, len(count[chunk]))
		}
	}
	if len(count) != p.chunks() {
		t.Errorf("%d chunks, not %d", len(count), p.chunks())
	}
	for _, bad := range []plan{{9, 900}, {30, 0}, {30, 3010}, {50000, 500000}} {
		if bad.check() == nil {
			t.Errorf("%+v: no error", bad)
		}
	}
}

func TestQuestion(t *testing.T) {
	p := plan{clients: 10, registrations: 1000}
	m := wire.Message{Command: wire.GetChunkFrom, Chunk: 7}
	for client := range holders {
		m.Addrs = append(m.Addrs, wire.Addr{Host: host, Port: firstPort + client})
	}
	answer := string(m.Append(nil))
	if q := p.where(7, true); q.length != len(answer) || !strings.HasPrefix(answer, q.prefix) || string(q.text) != "WHERE_CHUNK,7\n" {
		t.Errorf("%+v, and the answer is %q", q, answer)
	}
	if q := p.where(7, false); string(q.text) != "WHERE_CHUNK,7" {
		t.Errorf("%q", q.text)
	}
	if q := p.sync(); string(q.text) != "WHERE_CHUNK,101\n" || q.prefix != "CHUNK_LOCATION_UNKNOWN,101" || q.length != len(q.prefix) {
		t.Errorf("%+v", q)
	}
}

func TestQuantile(t *testing.T) {
	var values []int64
	for i := range 200 {
		values = append(values, int64(200-i))
	}
	for percent, want := range map[int]int64{0: 1, 1: 2, 50: 100, 99: 198, 100: 200} {
		if got := quantile(values, percent); got != want {
			t.Errorf("%d %%: %d, want %d", percent, got, want)
		}
	}
	if got := quantile([]int64{5}, 99); got != 5 {
		t.Errorf("of one value: %d", got)
	}
}

// serve is a tracker that ends with the test.
func serve(t *testing.T) (*tracker.Server, string) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	s, err := tracker.Listen(ctx, &tracker.Options{Addr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return s, s.Addrs()[0].String()
}

// Two processes' worth of clients go through all phases, as they are ordered to.
func TestPhases(t *testing.T) {
	s, addr := serve(t)
	p := plan{clients: 20, registrations: 400}
	phases := []string{"connect", "register", "bare", "ended", "flood", "phases"}
	var told [2]*json.Decoder
	var order [2]*json.Encoder
	var ended [2]chan error
	for i := range 2 {
		o := options{plan: p, processes: 2, fleet: addr, number: i}
		in, orders := io.Pipe()
		results, out := io.Pipe()
		told[i], order[i], ended[i] = json.NewDecoder(results), json.NewEncoder(orders), make(chan error, 1)
		go func() {
			err := o.drive(t.Context(), in, out)
			out.CloseWithError(err)
			ended[i] <- err
		}()
		defer func() {
			orders.Close()
			if err := <-ended[i]; err != nil {
				t.Error(err)
			}
		}()
	}
	want := map[string][2]int{"connect": {20, 0}, "register": {400, 0}, "bare": {800, 800}, "ended": {8000, 8000}, "flood": {600, 600}, "phases": {60, 100}}
	for _, phase := range phases {
		var count, answers int
		for i := range 2 {
			if err := order[i].Encode(phase); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 2 {
			var r result
			if err := told[i].Decode(&r); err != nil {
				t.Fatal(phase, err)
			}
			count, answers = count+r.Count, answers+len(r.Micros)
		}
		if got := [2]int{count, answers}; got != want[phase] {
			t.Errorf("%s: %v, want %v", phase, got, want[phase])
		}
	}
	st := s.Stats()
	if st.Registrations != p.registrations || st.Chunks != p.chunks() || st.Peers != p.clients || st.Garbage != 0 {
		t.Errorf("%+v", st)
	}
}

func TestUnknownPhase(t *testing.T) {
	o := options{plan: plan{clients: 10, registrations: 100}, processes: 1, fleet: "127.0.0.1:1"}
	if err := o.drive(t.Context(), strings.NewReader(`"dance"`), io.Discard); err == nil || !strings.Contains(err.Error(), "dance") {
		t.Errorf("%v", err)
	}
}

// An answer that is not the expected one is no answer.
func TestWrongAnswer(t *testing.T) {
	_, addr := serve(t)
	f := fleet{plan: plan{clients: 10, registrations: 100}, tracker: addr, end: 10}
	defer f.close()
	if _, err := f.connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	q := f.sync()
	q.prefix = strings.Replace(q.prefix, "UNKNOWN", "FORGOTTEN", 1)
	if _, err := q.put(f.conns[0]); err == nil || !strings.Contains(err.Error(), "CHUNK_LOCATION_UNKNOWN") {
		t.Errorf("%v", err)
	}
}

func TestReport(t *testing.T) {
	var out bytes.Buffer
	r := report{&out}
	r.phase("all ask", "questions", result{Count: 300, Micros: []int64{1000, 2500, 40000}}, 2*time.Second, 3<<20)
	r.line("it stops", "%.2f s", 0.5)
	want := fmt.Sprintf("%s|%s", "all ask 300 questions 150/s 2.50 ms 40.00 ms 3.0 MiB", "it stops 0.50 s")
	var got []string
	for line := range strings.Lines(out.String()) {
		got = append(got, strings.Join(strings.Fields(line), " "))
	}
	if strings.Join(got, "|") != want {
		t.Errorf("%q, want %q", got, want)
	}
}
