package farm

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"
)

func TestStuckUntilRelease(t *testing.T) {
	body := letters(100)
	for name, res := range map[string]Resource{
		"header": {HangHeader: true}, "body": {StallAt: 40}, "first byte": {StallAt: AtOnce}, "both": {HangHeader: true, StallAt: 1},
	} {
		t.Run(name, func(t *testing.T) {
			res.Body, res.Release = body, make(chan struct{})
			f, c := grow(t, res)
			done := make(chan answer)
			go func() { done <- ask(t.Context(), c, f.URL("/x")) }()
			if err := f.Wait(t.Context(), Stuck, "/x", 1); err != nil {
				t.Fatal(err)
			}
			if f.Count(Ended, "/x") != 0 || f.Active() != 1 {
				t.Error("ended")
			}
			close(res.Release)
			(<-done).want(t, 200, body)
		})
	}
}

func TestStallSendsWhatIsBefore(t *testing.T) {
	f, c := grow(t, Resource{Body: letters(100), StallAt: 40})
	ctx, cancel := context.WithCancel(t.Context())
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, f.URL("/x"), nil)
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got := make([]byte, 40)
	if _, err := io.ReadFull(resp.Body, got); err != nil || !bytes.Equal(got, letters(40)) {
		t.Error(got, err)
	}
	cancel() // the client leaves: nothing is left of the request
	if err := f.Wait(t.Context(), Ended, "/x", 1); err != nil || f.Active() != 0 {
		t.Error(err, f.Active())
	}
}

func TestDelayEndsWithTheClient(t *testing.T) {
	f, c := grow(t, Resource{Delay: time.Hour})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan answer)
	go func() { done <- ask(ctx, c, f.URL("/x")) }()
	if err := f.Wait(t.Context(), Arrived, "/x", 1); err != nil {
		t.Fatal(err)
	}
	cancel()
	if a := <-done; !errors.Is(a.openErr, context.Canceled) {
		t.Error(a)
	}
	if err := f.Wait(t.Context(), Ended, "/x", 1); err != nil {
		t.Error(err)
	}
}

func TestDelayAndRatesKeepTheContent(t *testing.T) {
	f, c := grow(t, Resource{Body: letters(100_000), Delay: time.Millisecond, Rate: 50 << 20})
	f.SetRate(20 << 20)
	ask(t.Context(), c, f.URL("/x")).want(t, 200, letters(100_000))
}
