package procfs

import "testing"

func TestParse(t *testing.T) {
	if n, err := parse("Name:\tspate\nVmHWM:\t   55996 kB\nVmRSS:\t 1 kB\n", "VmHWM"); n != 55996<<10 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := parse("VmRSS:\t 1 kB\n", "VmHWM"); err == nil {
		t.Error("no error")
	}
	if n, err := parse("Name:\tspate\nVmRSS:\t   12 kB\nRssAnon:\t 3 kB\n", "VmRSS"); n != 12<<10 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := parse("Name:\tspate\n", "VmRSS"); err == nil {
		t.Error("no error")
	}
}
