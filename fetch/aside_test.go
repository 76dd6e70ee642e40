package fetch

import (
	"strings"
	"testing"

	"spate/event"
	"spate/sched"
	"spate/source"
)

// A mirror that is set aside is told of with the reason, also where it has failed with no error of its own.
func TestAsideWithAReason(t *testing.T) {
	for class, want := range map[sched.Class]source.Kind{
		sched.Changed: source.KindChanged, sched.Corrupt: source.KindCorrupt, sched.RangeUnsupported: source.KindProtocol,
		sched.Network: source.KindNetwork,
	} {
		o := &outcome{}
		d := newDriver(t.Context(), nil, []Mirror{{URL: "mem:x"}, {URL: "mem:y"}}, &ObjectOptions{Events: o.note})
		d.mu.Lock()
		d.setAside(sched.Action{Type: sched.SetAside, Source: 1, Class: class})
		d.unlock()
		d.end()
		if len(o.events) != 1 {
			t.Fatalf("%v: %+v", class, o.events)
		}
		e := o.events[0]
		if e.Type != event.Aside || e.URL != "mem:y" || e.Kind != want.String() || !strings.Contains(e.Error, "mem:y: it") {
			t.Errorf("%v: %+v, want a reason of kind %v", class, e, want)
		}
		if err := mirrorsError(d.origins); source.KindOf(err) != want {
			t.Errorf("%v: the error is %v", class, err)
		}
	}
}
