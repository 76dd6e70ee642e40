package main

import (
	"crypto/sha1"
	"fmt"
	"path/filepath"
)

// torrent is the metainfo of a file (BEP 3) with pieces of that length, and the hash by which trackers know it.
func torrent(announce, path string, content []byte, piece int) (meta []byte, hash [sha1.Size]byte) {
	var sums []byte
	for off := 0; off < len(content); off += piece {
		sum := sha1.Sum(content[off:min(off+piece, len(content))])
		sums = append(sums, sum[:]...)
	}
	name := filepath.Base(path)
	info := fmt.Appendf(nil, "d6:lengthi%de4:name%d:%s12:piece lengthi%de6:pieces%d:%se", len(content), len(name), name, piece, len(sums), sums)
	return fmt.Appendf(nil, "d8:announce%d:%s4:info%se", len(announce), announce, info), sha1.Sum(info)
}
