//go:build !unix

package journal

// openFlags: openRegular has looked.
const openFlags = 0
