package viewer_test

import (
	"slices"
	"strings"
	"testing"

	"spate/internal/farm"
)

// TestConnectionIsLost: a sequence goes on where it was, no file is missing and none comes twice; and it does not go on as another one.
func TestConnectionIsLost(t *testing.T) {
	t.Parallel()
	film, other := numberedAll(12, 30), numberedAll(12, 30)
	slices.Reverse(other)
	whole := inSequence(film...)
	stalls := farm.Resource{Body: whole, StallAt: int64(len(whole)) / 2}
	tests := []struct {
		name string
		then farm.Resource
		last int
		says string
	}{
		{"the same", farm.Resource{Body: whole}, 12, ""},
		{"another", farm.Resource{Body: inSequence(other...)}, 6, "it is no longer what was shown before the connection was lost"},
		{"shorter", farm.Resource{Body: whole[:len(whole)/3]}, 6, "it is no longer what was shown before the connection was lost"},
		{"gone", farm.Resource{Status: 404}, 6, "404"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := stage(t, nil)
			s.Serve("/film.png-seq", farm.Then(stalls, tt.then))
			p := openWatching(t, s.address("/film.png-seq", "ms", "0"))
			p.waitFrame(6)
			s.server.CloseClientConnections()
			if tt.says == "" {
				p.waitState("complete")
			} else {
				p.waitState("failed")
			}
			p.waitFrame(tt.last)
			p.waitSeen(numbers(1, tt.last)...)
			if says := p.text("#trouble-line"); !strings.Contains(says, tt.says) || tt.says == "" && says != "" {
				t.Errorf("it says %q", says)
			}
		})
	}
}
