package blockcache

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

const (
	secretSize = 32
	saltSize   = 16
	nameSize   = 16 // of a file, before it is written in hex
)

// keys are the secret that all keys are derived from, and the key of names.
type keys struct {
	secret []byte
	names  []byte
	file   string // "": the secret is gone with the process
}

func newKeys(file string) (*keys, error) {
	secret := make([]byte, secretSize)
	rand.Read(secret)
	if file != "" {
		var err error
		if secret, err = keyFile(file, secret); err != nil {
			return nil, err
		}
	}
	names, err := hkdf.Key(sha256.New, secret, nil, "spate names", sha256.Size)
	return &keys{secret, names, file}, err
}

func (k *keys) persistent() bool { return k.file != "" }

// folder is the name of the folder that lasts; "" if none does.
func (k *keys) folder() string {
	if !k.persistent() {
		return ""
	}
	return keptPrefix + hex.EncodeToString(k.mac("folder")[:folderSize])
}

// mac is the HMAC of what texts and numbers say, each with its length.
func (k *keys) mac(use string, parts ...any) []byte {
	h := hmac.New(sha256.New, k.names)
	fmt.Fprintf(h, "%q", use)
	for _, p := range parts {
		switch p := p.(type) {
		case int64:
			h.Write(binary.BigEndian.AppendUint64([]byte{'i'}, uint64(p)))
		case string:
			h.Write(binary.BigEndian.AppendUint64([]byte{'s'}, uint64(len(p))))
			io.WriteString(h, p)
		}
	}
	return h.Sum(nil)
}

// object is what the blocks of an object are bound to, and the name of its file. With its salt, no two files ever have the
// same: what removes one cannot meet its successor.
func (k *keys) object(id ID, salt []byte) []byte {
	return k.mac("object", string(salt), id.Name, id.Version, id.Size, int64(id.BlockSize))
}

// block is the name of the file of a block.
func (k *keys) block(object []byte, index int64) string {
	return hex.EncodeToString(k.mac("block", string(object), index)[:nameSize])
}

func newSalt() []byte {
	salt := make([]byte, saltSize)
	rand.Read(salt)
	return salt
}

// keyFile reads the key file, which is created with fresh if it is not there.
func keyFile(path string, fresh []byte) ([]byte, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := createKeyFile(path, fresh); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		info, err = os.Stat(path)
	}
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, unusable(path, "not a regular file")
	case runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0: // there the mode tells nothing
		return nil, unusable(path, fmt.Sprintf("mode %04o: others than its owner can get at it, 0600 is wanted", info.Mode().Perm()))
	case info.Size() != secretSize:
		return nil, unusable(path, fmt.Sprintf("%d bytes, %d random ones are wanted", info.Size(), secretSize))
	}
	secret, err := os.ReadFile(path)
	if err == nil && len(secret) != secretSize {
		err = unusable(path, "changed while it was read")
	}
	return secret, err
}

// createKeyFile lets the file appear whole: another process may create it at the same time, or this one die.
func createKeyFile(path string, secret []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".spate-key-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(secret)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Link(f.Name(), path)
	}
	return errors.Join(err, os.Remove(f.Name()))
}

// unusable is why the file at path is no key file.
func unusable(path, why string) error {
	return &fs.PathError{Op: "key file", Path: path, Err: errors.New(why)}
}
