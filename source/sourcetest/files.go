package sourcetest

import "testing"

// Files are those of a server, by absolute names.
type Files interface {
	Put(name string, content []byte)
	// Break has a transfer break behind so many bytes, or fall silent there.
	Break(name string, at int, stall bool)
}

// Of is h for what f has, whose root is at that URL, which ends with a slash.
func (h Harness) Of(f Files, root string) Harness {
	broken := func(stall bool) func(*testing.T, string, []byte, int) string {
		return func(_ *testing.T, name string, content []byte, at int) string {
			f.Put("/"+name, content)
			f.Break("/"+name, at, stall)
			return root + name
		}
	}
	h.Put = func(_ *testing.T, name string, content []byte) string {
		f.Put("/"+name, content)
		return root + name
	}
	h.Missing = func(*testing.T) string { return root + "missing" }
	h.Cut, h.Stall = broken(false), broken(true)
	return h
}
