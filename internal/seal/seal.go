// Package seal encrypts blocks that go to a disk but must not be readable there: AES-256-GCM under a key that
// lives only in memory.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"sync/atomic"
)

// Overhead is by how many bytes a sealed block is longer than its plaintext.
const Overhead = nonceSize + 16

const nonceSize = 12

// ErrOpen is the error of a sealed block that was changed, or was sealed for another place or by another Box.
var ErrOpen = errors.New("seal: block does not open")

// A Box seals and opens blocks under one random key. It is safe for concurrent use.
type Box struct {
	aead  cipher.AEAD
	count atomic.Uint64 // the nonce: never used twice under one key
}

// New returns a Box with a fresh random key, which is kept nowhere else.
func New() (*Box, error) {
	key := make([]byte, 32)
	rand.Read(key) // never fails (crypto/rand, Go 1.24)
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	return &Box{aead: aead}, nil
}

// Seal appends the sealed plain to dst. place binds it: it opens only for the same place.
func (b *Box) Seal(dst, plain []byte, place uint64) []byte {
	var nonce [nonceSize]byte
	binary.BigEndian.PutUint64(nonce[4:], b.count.Add(1))
	return b.aead.Seal(append(dst, nonce[:]...), nonce[:], plain, bind(place))
}

// Open appends the plaintext of sealed to dst. The error is [ErrOpen].
func (b *Box) Open(dst, sealed []byte, place uint64) ([]byte, error) {
	if len(sealed) < Overhead {
		return nil, ErrOpen
	}
	plain, err := b.aead.Open(dst, sealed[:nonceSize], sealed[nonceSize:], bind(place))
	if err != nil {
		return nil, ErrOpen
	}
	return plain, nil
}

func bind(place uint64) []byte { return binary.BigEndian.AppendUint64(nil, place) }
