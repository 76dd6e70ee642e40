package peer

import "testing"

func TestTwoPeers(t *testing.T) {
	s := newScene(t, equal(8, 10_000)...)
	a := s.join("client_1", 1, 2, 3, 4)
	b := s.join("client_2", 5, 6, 7, 8)
	s.finishes(a, b)
}
