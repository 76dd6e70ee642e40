// Package seal encrypts blocks that go to a disk but must not be readable there: AES-256-GCM, or ChaCha20-Poly1305 where
// the processor has no AES, under a key that lives only in memory or is derived from a secret that does.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"runtime"
	"sync/atomic"

	"golang.org/x/crypto/chacha20poly1305"
	"golang.org/x/sys/cpu"
)

// Overhead is by how many bytes a sealed block is longer than its plaintext.
const Overhead = nonceSize + 16

const (
	nonceSize = 12
	keySize   = 32
)

// ErrOpen is the error of a sealed block that was changed, or was sealed for another place or by another Box.
var ErrOpen = errors.New("seal: block does not open")

// A Box seals and opens blocks under one key. It is safe for concurrent use.
type Box struct {
	aead  cipher.AEAD
	count atomic.Uint64 // the nonce: never used twice under one key
}

// New returns a Box with a fresh random key, which is kept nowhere else.
func New() (*Box, error) {
	key := make([]byte, keySize)
	rand.Read(key) // never fails (crypto/rand, Go 1.24)
	return newBox(key, hasAES())
}

// Derive returns the Box of a secret, which must have 32 random bytes, a salt and a use (HKDF-SHA256, RFC 5869). The same
// three on the same kind of processor give a Box that opens what this one has sealed. Only one such Box may ever seal:
// whoever seals after a restart takes a new random salt, or nonces would repeat.
func Derive(secret, salt []byte, use string) (*Box, error) {
	return derive(secret, salt, use, hasAES())
}

func derive(secret, salt []byte, use string, useAES bool) (*Box, error) {
	name := " ChaCha20-Poly1305"
	if useAES {
		name = " AES-256-GCM"
	}
	key, err := hkdf.Key(sha256.New, secret, salt, "spate "+use+name, keySize)
	if err != nil {
		return nil, err
	}
	return newBox(key, useAES)
}

func newBox(key []byte, useAES bool) (*Box, error) {
	if !useAES {
		aead, err := chacha20poly1305.New(key)
		return &Box{aead: aead}, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	return &Box{aead: aead}, err
}

// hasAES is whether AES-GCM is fast here, and its time independent of the key, as crypto/tls asks it.
func hasAES() bool {
	switch runtime.GOARCH {
	case "amd64":
		return cpu.X86.HasAES && cpu.X86.HasPCLMULQDQ
	case "arm64":
		return cpu.ARM64.HasAES && cpu.ARM64.HasPMULL
	case "s390x":
		return cpu.S390X.HasAES && cpu.S390X.HasAESGCM
	}
	return runtime.GOARCH == "ppc64" || runtime.GOARCH == "ppc64le"
}

// Seal appends the sealed plain to dst. place binds it: it opens only for the same place. Where dst has room nothing is
// allocated. plain must not overlap that room.
func (b *Box) Seal(dst, plain, place []byte) []byte {
	start := len(dst)
	dst = binary.BigEndian.AppendUint64(append(dst, 0, 0, 0, 0), b.count.Add(1))
	return b.aead.Seal(dst, dst[start:start+nonceSize], plain, place)
}

// Open appends the plaintext of sealed to dst, whose room must not overlap sealed. The error is [ErrOpen].
func (b *Box) Open(dst, sealed, place []byte) ([]byte, error) {
	if len(sealed) < Overhead {
		return nil, ErrOpen
	}
	plain, err := b.aead.Open(dst, sealed[:nonceSize], sealed[nonceSize:], place)
	if err != nil {
		return nil, ErrOpen
	}
	return plain, nil
}
