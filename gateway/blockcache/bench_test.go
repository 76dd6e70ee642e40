package blockcache

import (
	"fmt"
	"sync/atomic"
	"testing"
)

func benchmarkModes(b *testing.B, run func(b *testing.B, c *Cache, size int)) {
	for _, size := range []int{small, DefaultBlockSize} {
		for _, perBlock := range []bool{false, true} {
			b.Run(fmt.Sprintf("%dKiB/perBlock=%v", size>>10, perBlock), func(b *testing.B) {
				c := open(b, Options{Dir: b.TempDir(), Max: 64 << 20, perBlock: perBlock})
				b.SetBytes(int64(size))
				b.ReportAllocs()
				run(b, c, size)
			})
		}
	}
}

func BenchmarkGet(b *testing.B) {
	benchmarkModes(b, func(b *testing.B, c *Cache, size int) {
		o := openObject(b, c, ID{Name: "a", Size: -1, BlockSize: size})
		for i := range int64(64) {
			put(b, o, i)
		}
		var next atomic.Int64
		b.ResetTimer()
		b.RunParallel(func(pb *testing.PB) {
			p := make([]byte, size)
			for i := next.Add(17); pb.Next(); i++ {
				if _, ok := o.Get(i%64, 0, p); !ok {
					b.Error("a miss")
					return
				}
			}
		})
	})
}

// Each Put evicts a block, but for the first of them.
func BenchmarkPut(b *testing.B) {
	benchmarkModes(b, func(b *testing.B, c *Cache, size int) {
		o := openObject(b, c, ID{Name: "a", Size: -1, BlockSize: size})
		data := make([]byte, size)
		for i := int64(0); b.Loop(); i++ {
			if err := o.Put(i%10_000, data); err != nil {
				b.Fatal(err)
			}
		}
	})
}
