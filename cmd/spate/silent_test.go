package main

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"os/exec"
	"testing"

	"spate/internal/farm"
)

// Where nobody is told of a digest none is computed for its own sake, but what an origin tells of its bytes is checked all the same.
func TestSilentDigest(t *testing.T) {
	origin := farm.New()
	defer origin.Close()
	wrong := sha256.Sum256([]byte("other"))
	field := "sha-256=:" + base64.StdEncoding.EncodeToString(wrong[:]) + ":"
	origin.Serve("/wrong", farm.Resource{Body: []byte("text"), Header: http.Header{"Repr-Digest": {field}}})
	for _, tt := range []struct {
		name string
		args []string
		exit int
	}{
		{"nobody is told", []string{"-q"}, 10},
		{"none is wanted", []string{"-q", "--no-digest"}, 10},
		{"one is told", nil, 10},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cmd := program(t, t.TempDir(), append(append([]string{"get"}, tt.args...), origin.URL("/wrong"))...)
			out, err := cmd.CombinedOutput()
			if exit, _ := errors.AsType[*exec.ExitError](err); exit == nil && tt.exit != 0 || exit != nil && exit.ExitCode() != tt.exit {
				t.Errorf("%v, want exit code %d: %s", err, tt.exit, out)
			}
		})
	}
}
