package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"

	"spate"
	"spate/assemble"
	"spate/fetch"
	"spate/format/manifest"
	"spate/format/sequence"
	"spate/source"
)

func kind(k source.Kind) error {
	return &source.Error{Op: "open", URL: "http://h/x", Kind: k, Err: errors.New("cause")}
}

func httpStatus(n int) error {
	k := source.KindStatus
	if n == 401 || n == 403 {
		k = source.KindAuth
	}
	return &source.Error{Op: "open", URL: "http://h/x", Kind: k, Status: n, Err: errors.New("cause")}
}

func part(errs ...error) error {
	return &assemble.PartError{Manifest: "http://h/x.parts", Line: 3, Errs: errs}
}

func brokenThen(k source.Kind) error {
	return fmt.Errorf("%w; then %w", kind(source.KindNetwork), kind(k))
}

func asked(err error) error { return &assemble.PartError{Errs: []error{err}} }

func TestExitCode(t *testing.T) {
	syntax := &manifest.SyntaxError{Line: 7, Err: errors.New("too long")}
	cut := &sequence.CutError{Index: 2, Err: io.ErrUnexpectedEOF}
	for _, tt := range []struct {
		name string
		err  error
		want int
	}{
		{"nothing", nil, 0},
		{"anything", errors.New("x"), 1},
		{"cancelled", context.Canceled, 1},
		{"usage", usage("x", ""), 2},
		{"wrapped usage", fmt.Errorf("x: %w", usage("x", "")), 2},
		{"malformed argument", kind(source.KindMalformed), 2},
		{"local source", kind(source.KindLocal), 3},
		{"local file", &fs.PathError{Op: "open", Path: "x", Err: fs.ErrNotExist}, 3},
		{"rename", &os.LinkError{Op: "rename", Old: "x", New: "y", Err: fs.ErrPermission}, 3},
		{"network", kind(source.KindNetwork), 4},
		{"time-out", kind(source.KindTimeout), 4},
		{"deadline", context.DeadlineExceeded, 4},
		{"cut short", fmt.Errorf("read x: %w", io.ErrUnexpectedEOF), 4},
		{"TLS", kind(source.KindTLS), 5},
		{"authorisation", httpStatus(401), 6},
		{"protocol", kind(source.KindProtocol), 7},
		{"refused", kind(source.KindRefused), 7},
		{"cut sequence", cut, 7},
		{"404", httpStatus(404), 8},
		{"500", httpStatus(500), 8},
		{"changed", kind(source.KindChanged), 9},
		{"changed, bare", fmt.Errorf("x: %w", source.ErrChanged), 9},
		{"corrupt", kind(source.KindCorrupt), 10},
		{"corrupt, bare", fmt.Errorf("x: %w", source.ErrCorrupt), 10},
		{"exists", &fs.PathError{Op: "create", Path: "x", Err: fs.ErrExist}, 11},
		{"exists, ours", fmt.Errorf("x: %w", spate.ErrExists), 11},
		{"no space", &fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}, 12},
		{"quota", &fs.PathError{Op: "write", Path: "x", Err: syscall.EDQUOT}, 12},
		{"in use", &fs.PathError{Op: "create", Path: "x", Err: fetch.ErrInUse}, 13},
		{"syntax", fmt.Errorf("read x: %w", syntax), 14},
		{"depth", fmt.Errorf("read x: %w", assemble.ErrDepth), 14},
		{"no progress", fmt.Errorf("read x: %w", io.ErrNoProgress), 14},
		{"limit", fmt.Errorf("x: %w", spate.ErrLimit), 15},
		{"SIGINT", &signalError{syscall.SIGINT}, 130},
		{"SIGTERM", &signalError{syscall.SIGTERM}, 143},
		{"closed pipe", &fs.PathError{Op: "write", Path: "/dev/stdout", Err: syscall.EPIPE}, 141},
		{"broken connection", &source.Error{Kind: source.KindNetwork, Err: syscall.EPIPE}, 4},

		{"broken, then changed", errors.Join(kind(source.KindNetwork), kind(source.KindChanged)), 9},
		{"broken, then changed, and more", errors.Join(errors.Join(kind(source.KindNetwork), kind(source.KindChanged)), errors.New("x")), 9},
		{"broken, then changed, wrapped", fmt.Errorf("sequence file 2: %w", brokenThen(source.KindChanged)), 9},
		{"broken, then a wrong range, wrapped", fmt.Errorf("read x: %w", fmt.Errorf("line 2: %w", brokenThen(source.KindProtocol))), 7},
		{"part: broken, then changed, wrapped", part(fmt.Errorf("read x: %w", brokenThen(source.KindChanged))), 9},
		{"mirrors: none exists", &fetch.MirrorsError{Errs: []error{httpStatus(404), httpStatus(410)}}, 8},
		{"mirrors: dead, and one changed", fmt.Errorf("x: %w", &fetch.MirrorsError{Errs: []error{kind(source.KindNetwork), kind(source.KindChanged)}}), 9},
		{"part in a sequence", fmt.Errorf("sequence file 2: %w", part(httpStatus(404))), 8},
		{"part: no progress for two reasons", part(fmt.Errorf("%w: %w", io.ErrNoProgress, errors.New("x"))), 14},
		{"asked for, 404", asked(httpStatus(404)), 8},
		{"asked for, 403", asked(httpStatus(403)), 6},
		{"asked for, malformed", asked(kind(source.KindMalformed)), 2},

		{"part: one 404", part(httpStatus(404)), 8},
		{"part: all statuses", part(httpStatus(404), httpStatus(403), httpStatus(500)), 8},
		{"part: all statuses, nested", part(httpStatus(404), part(httpStatus(410), httpStatus(401))), 8},
		{"part: status and dead", part(httpStatus(404), kind(source.KindNetwork)), 4},
		{"part: dead and status", part(kind(source.KindNetwork), httpStatus(404)), 8},
		{"part: the last decides", part(kind(source.KindNetwork), kind(source.KindTLS)), 5},
		{"part: authorisation last", part(kind(source.KindNetwork), httpStatus(401)), 6},
		{"part: one is corrupt", part(kind(source.KindCorrupt), kind(source.KindNetwork)), 10},
		{"part: a nested one is corrupt", part(part(kind(source.KindCorrupt), httpStatus(404)), kind(source.KindTLS)), 10},
		{"part: a joined one is corrupt", part(errors.Join(kind(source.KindCorrupt), httpStatus(404)), kind(source.KindTLS)), 10},
		{"part: broken, then 404", part(errors.Join(kind(source.KindNetwork), httpStatus(404))), 8},
		{"part: broken, then TLS", part(errors.Join(httpStatus(404), kind(source.KindTLS))), 5},
		{"part: malformed last", part(kind(source.KindNetwork), kind(source.KindMalformed)), 14},
		{"part: depth last", part(httpStatus(404), fmt.Errorf("x: %w", assemble.ErrDepth)), 14},
		{"part: syntax last", part(kind(source.KindNetwork), syntax), 14},
		{"part: refused", part(kind(source.KindRefused)), 7},
		{"part without causes", part(), 14},
		{"part, wrapped", fmt.Errorf("get: %w", part(httpStatus(404))), 8},
		{"part and full disk", errors.Join(part(httpStatus(404)), &fs.PathError{Op: "write", Err: syscall.ENOSPC}), 12},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := exitCode(tt.err); got != tt.want {
				t.Errorf("exitCode(%v) = %d, want %d", tt.err, got, tt.want)
			}
		})
	}
}

// TestExitTable holds the documentation against the codes.
func TestExitTable(t *testing.T) {
	page, err := os.ReadFile("../../docs/spec/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	table := exitTable()
	for _, e := range exitMeanings {
		if !strings.Contains(table, fmt.Sprintf("%d  %s", e.code, e.meaning)) {
			t.Errorf("the help lacks exit code %d", e.code)
		}
		if !strings.Contains(string(page), fmt.Sprintf("\n| %d | ", e.code)) {
			t.Errorf("docs/spec/cli.md lacks exit code %d", e.code)
		}
	}
}
