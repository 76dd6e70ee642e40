// Package checksum is what spate knows of digests: their names, how they are written, where lists of them name a file,
// and whether bytes have them.
//
// The package is pure: it opens nothing, starts nothing and reads no clock.
package checksum
