package spate

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"spate/fetch"
	"spate/fetch/journal"
	"spate/format/span"
	"spate/internal/farm"
	"spate/source"
)

// What is begun over several connections is not dropped by a call that writes in order.
func TestGetInOrderKeepsAnObject(t *testing.T) {
	data := noise(3 << 20)
	origin := newFarm(t)
	origin.Serve("/x", farm.Resource{Body: data})
	for name, c := range map[string]struct {
		url  string
		opts GetOptions
		err  error
	}{
		"a limit of bytes":               {"/x", GetOptions{Limits: Limits{Bytes: 1000}}, source.ErrChanged},
		"a fragment":                     {"/x#chapter", GetOptions{}, source.ErrChanged},
		"a limit of bytes, to overwrite": {"/x", GetOptions{Limits: Limits{Bytes: 1000}, IfExists: ExistsOverwrite}, ErrLimit},
		"gone on with":                   {"/x", GetOptions{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x")
			part := make([]byte, len(data))
			begun := span.Span{Off: 1 << 20, End: 2 << 20}
			copy(part[begun.Off:], data[begun.Off:begun.End])
			must(t, os.WriteFile(path+fetch.Ext, part, 0o666))
			j, err := journal.Create(path+journal.Ext, &journal.State{Header: journal.Header{
				Origins: []journal.Origin{{URL: origin.URL("/x")}}, Size: int64(len(data))}})
			must(t, err)
			must(t, j.Add(begun, journal.Checksum(part[begun.Off:begun.End])))
			must(t, j.Close())
			res, err := newClient(t).Get(t.Context(), origin.URL(c.url), path, &c.opts)
			if !errors.Is(err, c.err) {
				t.Fatalf("%+v, %v; want %v", res, err, c.err)
			}
			if errors.Is(err, source.ErrChanged) {
				left, err := os.ReadFile(path + fetch.Ext)
				must(t, err)
				if s, err := journal.Read(path + journal.Ext); err != nil || len(s.Ranges) != 1 || string(left) != string(part) {
					t.Errorf("%v: what was there is gone", err)
				}
			}
		})
	}
}
