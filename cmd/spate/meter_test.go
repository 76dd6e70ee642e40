package main

import (
	"testing"
	"time"
)

func TestMeter(t *testing.T) {
	var m meter
	at := time.Unix(0, 0)
	if got := m.sample(at, 1000); got != 0 {
		t.Errorf("the first sample gives %v", got)
	}
	if got := m.sample(at.Add(meterStep-1), 9000); got != 0 {
		t.Errorf("a sample that comes too soon gives %v", got)
	}
	if got := m.sample(at.Add(time.Second), 2000); got != 1000 {
		t.Errorf("1000 bytes in a second give %v", got)
	}
	for i := 2; i < 60; i++ {
		m.sample(at.Add(time.Duration(i)*time.Second), 2000)
	}
	if m.rate > 1 {
		t.Errorf("after a minute of silence: %v", m.rate)
	}
	if got := m.sample(at.Add(time.Hour), 0); got < 0 {
		t.Errorf("bytes that were taken back give %v", got)
	}
}
