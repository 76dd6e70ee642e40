package journal

import (
	"hash/crc32"
	"testing"
)

// The example of RFC 3720 §B.4, and the check value of the catalogues.
func TestChecksum(t *testing.T) {
	for in, want := range map[string]uint32{"": 0, string(make([]byte, 32)): 0x8a9136aa, "123456789": 0xe3069283} {
		if got := Checksum([]byte(in)); got != want {
			t.Errorf("Checksum(%q) = %08x, want %08x", in, got, want)
		}
	}
}

func TestCombine(t *testing.T) {
	rnd := seeded(t)
	for _, n := range []int{0, 1, 2, 7, 8, 9, 255, 256, 257, 65535, 65536, 1 << 20} {
		for _, m := range []int{0, 1, 3, 1000} {
			a, b := random(rnd.Uint32, m), random(rnd.Uint32, n)
			want := Checksum(append(append([]byte(nil), a...), b...))
			if got := Combine(Checksum(a), Checksum(b), int64(n)); got != want {
				t.Errorf("%d and %d bytes: %08x, want %08x", m, n, got, want)
			}
		}
	}
}

func random(next func() uint32, n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(next())
	}
	return p
}

// No length is too long: combining is associative, and that tells of lengths that nobody can try.
func TestCombineLong(t *testing.T) {
	for _, n := range []int64{1 << 31, 1<<32 - 1, 1 << 40, 1<<62 - 1} {
		const a, b, c = 0x12345678, 0x9abcdef0, 0x0f1e2d3c
		left := Combine(Combine(a, b, n), c, n)
		right := Combine(a, Combine(b, c, n), 2*n)
		if left != right {
			t.Errorf("%d: %08x, %08x", n, left, right)
		}
	}
}

func FuzzCombine(f *testing.F) {
	f.Add([]byte("6.009"), []byte(" rules!"))
	f.Add([]byte(""), []byte{0})
	f.Fuzz(func(t *testing.T, a, b []byte) {
		want := crc32.Update(Checksum(a), castagnoli, b)
		if got := Combine(Checksum(a), Checksum(b), int64(len(b))); got != want {
			t.Errorf("%08x, want %08x", got, want)
		}
	})
}

func BenchmarkCombine(b *testing.B) {
	for b.Loop() {
		Combine(1, 2, 65536)
	}
}
