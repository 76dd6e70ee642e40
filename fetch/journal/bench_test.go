package journal

import (
	"bytes"
	"testing"
)

// What it costs to record 64 KiB, in order and over 16 connections.
func BenchmarkAdd(b *testing.B) {
	const step = 64 << 10
	for name, connections := range map[string]int64{"1": 1, "16": 16} {
		b.Run(name, func(b *testing.B) {
			j, err := Create(b.TempDir()+"/"+name, &State{Header: Header{Size: -1}})
			if err != nil {
				b.Fatal(err)
			}
			defer j.Close()
			b.SetBytes(step)
			for i := int64(0); b.Loop(); i++ {
				off := i%connections*(1<<40) + i/connections*step
				if err := j.Add(sp(off, off+step), 0); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkRead(b *testing.B) {
	disk := newDisk()
	j, err := create(disk, name, &State{Header: Header{Size: -1}})
	if err != nil {
		b.Fatal(err)
	}
	for i := range int64(slack) {
		j.Add(sp(i<<16, (i+1)<<16), 0)
	}
	b.SetBytes(int64(len(disk.text())))
	for b.Loop() {
		if _, err := decode(bytes.NewReader(disk.text())); err != nil {
			b.Fatal(err)
		}
	}
}
