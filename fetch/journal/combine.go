package journal

import "hash/crc32"

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Checksum is the CRC32C of p (RFC 3720 §12.1), as [Journal.Add] wants it.
func Checksum(p []byte) uint32 { return crc32.Checksum(p, castagnoli) }

// Combine is the CRC32C of A followed by B, whose CRC32Cs are crcA and crcB, B being lenB >= 0 bytes long.
//
// A CRC is the remainder of the bytes as a polynomial over GF(2). That of A followed by B is the remainder of A, moved
// up by the bits of B, and that of B. (The complements that a CRC32C begins and ends with cancel out.)
func Combine(crcA, crcB uint32, lenB int64) uint32 {
	return multiply(powerOf(lenB), crcA) ^ crcB
}

// Polynomials are kept as CRC32C keeps them: the highest bit is the coefficient of x^0.
const (
	one = uint32(1) << 31
	x1  = uint32(1) << 30
)

// powers holds x^(2^k), as many as the bits of 2^63 bytes take.
var powers = squares()

func squares() (p [67]uint32) {
	p[0] = x1
	for k := 1; k < len(p); k++ {
		p[k] = multiply(p[k-1], p[k-1])
	}
	return p
}

// powerOf is x^(8n).
func powerOf(n int64) uint32 {
	p := one
	for k := 3; n > 0; k, n = k+1, n>>1 {
		if n&1 != 0 {
			p = multiply(powers[k], p)
		}
	}
	return p
}

// multiply is the product of a and b, modulo the polynomial of CRC32C.
func multiply(a, b uint32) (product uint32) {
	for bit := one; bit != 0; bit >>= 1 {
		if a&bit != 0 {
			product ^= b
		}
		b = b>>1 ^ crc32.Castagnoli&-(b&1)
	}
	return product
}
