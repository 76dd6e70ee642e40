package fetch

import (
	"bytes"
	"context"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"spate/event"
	"spate/source"
)

// An aloof source is busy so often, and wants to be asked again later.
type aloof struct {
	data  []byte
	times int
	wait  time.Duration
}

func (s *aloof) Open(_ context.Context, url string, r source.Range) (*source.Resource, error) {
	if s.times > 0 {
		s.times--
		return nil, &source.Error{Op: "open", URL: url, Kind: source.KindStatus, Status: 503, RetryAfter: s.wait, Err: errors.New("503 Service Unavailable")}
	}
	return &source.Resource{Info: source.Info{URL: url, Size: int64(len(s.data)), Seekable: true}, Len: int64(len(s.data)),
		Body: io.NopCloser(bytes.NewReader(s.data))}, nil
}

// What is waited for is told before the first answer, too, and until when, unless that is soon.
func TestWaitingForTheFirstAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		times int
		wait  time.Duration
		want  []time.Duration // until when, from the beginning
		err   error
	}{
		"five minutes":               {1, 5 * time.Minute, []time.Duration{5 * time.Minute}, nil},
		"twice":                      {2, 2 * time.Minute, []time.Duration{2 * time.Minute, 4 * time.Minute}, nil},
		"not for long":               {1, time.Second - 1, nil, nil},
		"longer than what is waited": {1, 11 * time.Minute, nil, source.ErrUnavailable},
		"not told":                   {2, 0, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				var got []time.Duration
				opts := &ObjectOptions{Events: func(e event.Event) {
					if e.Type != event.Waiting {
						return
					}
					if e.Kind != "status" || e.Error != "open http://a.example/x: 503 Service Unavailable" {
						t.Errorf("%+v", e)
					}
					got = append(got, e.Until.Sub(begin))
				}}
				data := content(10)
				o, err := OpenObject(t.Context(), &aloof{data, c.times, c.wait}, []Mirror{{URL: "http://a.example/x"}}, opts)
				if err == nil {
					defer o.Close()
				}
				if !errors.Is(err, c.err) || !slices.Equal(got, c.want) {
					t.Fatalf("%v, waiting until %v, want %v", err, got, c.want)
				}
				if err != nil {
					return
				}
				file, err := Create(filepath.Join(t.TempDir(), "x"), nil)
				must(t, err)
				if done, err := o.To(file); err != nil || done.Size != 10 {
					t.Errorf("%+v, %v", done, err)
				}
			})
		})
	}
}
