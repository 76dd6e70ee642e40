package main

import (
	"fmt"
	"hash/maphash"
	"path/filepath"
	"sync"
)

// maxClaims is of how many files it is known at least who writes them.
const maxClaims = 1 << 16

// claims tell which entry of a batch writes which file: two of one name would be one file in the end. They remember the last ones, of
// which there may be millions. Two names that are taken for one are as likely as a digest of 64 bits has it.
type claims struct {
	mu             sync.Mutex // guards what follows
	seed           maphash.Seed
	recent, before map[uint64]int64 // by the file's name: whose it is
}

func newClaims() *claims { return &claims{seed: maphash.MakeSeed(), recent: map[uint64]int64{}} }

// owner is whose the file at path is: who's, if it was nobody's.
func (c *claims) owner(path string, who int64) int64 {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	key := maphash.String(c.seed, path)
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range []map[uint64]int64{c.recent, c.before} {
		if first, ok := m[key]; ok {
			return first
		}
	}
	if len(c.recent) == maxClaims {
		c.recent, c.before = map[uint64]int64{}, c.recent
	}
	c.recent[key] = who
	return who
}

// claims is what is asked before a file of the entry is written. That is asked of millions of files, and hardly ever in vain: words are
// made where they are needed.
func (b *batch) claims(number int64, r request) func(path string) error {
	who := number
	if r.line > 0 {
		who = r.line
	}
	return func(path string) error {
		first := b.claimed.owner(path, who)
		if first == who {
			return nil
		}
		what, where := "URL", fmt.Sprintf("URL %d", number)
		if r.line > 0 {
			what, where = "line", fmt.Sprintf("%s, line %d", shown(b.c.list), r.line)
		}
		return usage(fmt.Sprintf("%s: %s is the file of %s %d already", where, path, what, first),
			"--if-exists=rename gives each a name of its own; out=NAME in a list, too")
	}
}
