package demo

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"testing"

	"spate"
	"spate/assemble"
	"spate/format/sequence"
	"spate/source"
)

// TestWhatGoesWrong: what is there to show failures fails, for the reasons that it says, and after what it says.
func TestWhatGoesWrong(t *testing.T) {
	s := open(t)
	client := &spate.Client{}
	defer client.CloseIdleConnections()

	stream, err := client.Open(t.Context(), find(t, s, "broken").URL)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	got, err := io.ReadAll(stream)
	part, ok := errors.AsType[*assemble.PartError](err)
	if !ok || len(part.Errs) != 4 || string(got) != verse1 {
		t.Fatalf("broken: %q, %v", got, err)
	}
	for i, kind := range []source.Kind{source.KindNetwork, source.KindStatus, source.KindStatus, source.KindCorrupt} {
		if source.KindOf(part.Errs[i]) != kind {
			t.Errorf("mirror %d: %v", i+1, part.Errs[i])
		}
	}

	files := 0
	for f, fileErr := range client.Files(t.Context(), find(t, s, "cut short").URL) {
		if err = fileErr; err == nil {
			_, err = io.Copy(io.Discard, f)
		}
		if err == nil {
			files++
		}
	}
	if cut, ok := errors.AsType[*sequence.CutError](err); !ok || cut.Index != 3 || files != 2 {
		t.Errorf("cut short: %d files, %v", files, err)
	}

	if _, err := client.Open(t.Context(), find(t, s, "missing").URL); !errors.Is(err, fs.ErrNotExist) {
		t.Error("missing:", err)
	}
}

// TestWhatIsSlow: its first bytes can be seen while most of it is still to come.
func TestWhatIsSlow(t *testing.T) {
	picture, _, err := draw()
	if err != nil {
		t.Fatal(err)
	}
	s := open(t)
	for name, whole := range map[string][]byte{"slow text": []byte(taleText()), "slow image": picture} {
		e := find(t, s, name)
		resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request(t, e.URL))
		if err != nil {
			t.Fatal(err)
		}
		first := make([]byte, 16)
		_, err = io.ReadFull(resp.Body, first)
		log := s.origins[0].Log()
		sent := log[len(log)-1].Bytes
		resp.Body.Close()
		if err != nil || !bytes.Equal(first, whole[:16]) || resp.ContentLength != int64(len(whole)) {
			t.Errorf("%s: %q, %v, %d bytes", name, first, err, resp.ContentLength)
		}
		if sent > int64(len(whole))/2 {
			t.Errorf("%s: %d bytes were sent at once", name, sent)
		}
	}
}

func request(t *testing.T, url string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
