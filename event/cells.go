package event

// Cells is how a Map divides a file of that size, which must not be below 0: cell i is the bytes from Cells(size)[i] on and before
// the next of them, the last of which is size. None is empty.
func Cells(size int64) []int64 {
	n := min(size, MapCells)
	bounds := make([]int64, n+1)
	for i := range n + 1 {
		bounds[i] = size/max(n, 1)*i + size%max(n, 1)*i/max(n, 1)
	}
	return bounds
}
