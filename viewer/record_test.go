package viewer

import (
	"fmt"
	"strings"
	"testing"
)

// TestRecordIsBounded: of many events, and of large ones, the last are remembered, under their numbers.
func TestRecordIsBounded(t *testing.T) {
	tests := []struct {
		name        string
		size, count int
	}{{"many", 1, 10_000}, {"large", 100 << 10, 100}, {"one that is larger than all may be", 5 << 20, 3}}
	for _, tt := range tests {
		var r record
		name, size, count := tt.name, tt.size, tt.count
		data := strings.Repeat("x", size)
		for i := range count {
			r.add(fmt.Sprint(i+1) + data)
		}
		some, first, _, over := r.since(0)
		bytes := 0
		for i, e := range some {
			if bytes += len(e); !strings.HasPrefix(string(e), fmt.Sprintf(`"%dx`, first+i)) {
				t.Fatalf("%s: under %d there is %.20q", name, first+i, e)
			}
		}
		if last := first + len(some) - 1; last != count || over || len(some) == 0 || len(some) > remembered || bytes > max(rememberedBytes, size+10) {
			t.Errorf("%s: %d events of %d bytes up to %d, over: %v", name, len(some), bytes, last, over)
		}
		if size == 1 && len(some) < remembered/2 {
			t.Errorf("%s: only %d are remembered", name, len(some))
		}
		if none, first, _, _ := r.since(count); len(none) != 0 || first != count+1 {
			t.Errorf("%s: behind the last there are %d, from %d on", name, len(none), first)
		}
		r.finish("the end")
		r.add("more")
		r.finish("another end")
		if some, _, _, over := r.since(count); len(some) != 1 || !over || string(r.outcome()) != `"the end"` {
			t.Errorf("%s: at the end %d events, over: %v, outcome %s", name, len(some), over, r.outcome())
		}
	}
}
