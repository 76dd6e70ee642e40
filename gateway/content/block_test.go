package content

import "testing"

// So many answers have a large block each; the others make do with a small one, until one of those has ended.
func TestBlocks(t *testing.T) {
	take := func(length int64, isWhole bool, want int) func() {
		t.Helper()
		block, giveBack := takeBlock(length, isWhole)
		if len(block) != want {
			t.Errorf("%d bytes for an answer of %d", len(block), length)
		}
		return giveBack
	}
	take(lessBlockSize, false, lessBlockSize)()
	var all []func()
	for i := range mostBlocks {
		all = append(all, take([]int64{-1, lessBlockSize + 1}[i%2], false, blockSize))
	}
	take(-1, false, lessBlockSize)()
	take(mostDigested, true, blockSize)() // its digest has to be known first
	all[0]()
	take(-1, false, blockSize)()
	for _, giveBack := range all[1:] {
		giveBack()
	}
	if n := blocks.inUse.Load(); n != 0 {
		t.Errorf("%d are in use in the end", n)
	}
}
