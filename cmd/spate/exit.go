package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"

	"spate"
	"spate/assemble"
	"spate/fetch"
	"spate/format/manifest"
	"spate/format/sequence"
	"spate/gateway/blockcache"
	"spate/source"
	"spate/swarm/peer"
)

// The exit codes. They are part of the interface: docs/spec/cli.md lists them too.
const (
	exitOK       = 0
	exitOther    = 1
	exitUsage    = 2
	exitLocal    = 3
	exitNetwork  = 4
	exitTLS      = 5
	exitAuth     = 6
	exitProtocol = 7
	exitServer   = 8
	exitResume   = 9
	exitCorrupt  = 10
	exitExists   = 11
	exitNoSpace  = 12
	exitInUse    = 13
	exitManifest = 14
	exitLimit    = 15
	exitBatch    = 16
	exitSignal   = 128 // and the signal's number
	exitPipe     = exitSignal + int(syscall.SIGPIPE)
)

var exitMeanings = []struct {
	code    int
	meaning string
}{
	{exitOK, "ok"},
	{exitOther, "another error"},
	{exitUsage, "the command line makes no sense"},
	{exitLocal, "a local file cannot be read or written"},
	{exitNetwork, "network: name, connection, time-out, cut short"},
	{exitTLS, "TLS: handshake or certificate"},
	{exitAuth, "authorisation is missing or refused"},
	{exitProtocol, "an answer that makes no sense"},
	{exitServer, "the server answered an error (404, 5xx)"},
	{exitResume, "what was begun cannot be resumed: it changed"},
	{exitCorrupt, "verification failed"},
	{exitExists, "the output exists"},
	{exitNoSpace, "no space left"},
	{exitInUse, "the output is in use by another process"},
	{exitManifest, "manifest: syntax, depth, no progress"},
	{exitLimit, "stopped by a limit"},
	{exitBatch, "a part of a batch failed"},
	{exitSignal + int(syscall.SIGINT), "interrupted (SIGINT)"},
	{exitPipe, "nobody reads the output (SIGPIPE)"},
	{exitSignal + int(syscall.SIGTERM), "terminated (SIGTERM)"},
}

// exitTable lists the exit codes for the help.
func exitTable() string {
	var b strings.Builder
	for _, e := range exitMeanings {
		fmt.Fprintf(&b, "    %3d  %s\n", e.code, e.meaning)
	}
	return strings.TrimRight(b.String(), "\n")
}

// exitCode is the code that tells of err; nil is exitOK.
func exitCode(err error) int {
	if err == nil {
		return exitOK
	}
	if sig, ok := errors.AsType[*signalError](err); ok {
		return exitSignal + int(sig.sig)
	}
	if code, ok := ownCode(err); ok {
		return code
	}
	if part, ok := errors.AsType[*assemble.PartError](err); ok {
		return partCode(part)
	}
	if mirrors, ok := errors.AsType[*fetch.MirrorsError](err); ok {
		return combined(leaves(mirrors))
	}
	return causeCode(err)
}

// ownCode knows the errors of this side: the command line and the output.
func ownCode(err error) (int, bool) {
	if _, ok := errors.AsType[*usageError](err); ok {
		return exitUsage, true
	}
	if _, ok := errors.AsType[*peer.OptionError](err); ok {
		return exitUsage, true
	}
	switch {
	case isBatch(err):
		return exitBatch, true
	case errors.Is(err, spate.ErrLimit):
		return exitLimit, true
	case errors.Is(err, fetch.ErrInUse), errors.Is(err, peer.ErrInUse), errors.Is(err, blockcache.ErrInUse):
		return exitInUse, true
	case errors.Is(err, spate.ErrExists), errors.Is(err, fs.ErrExist):
		return exitExists, true
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return exitNoSpace, true
	case isClosedPipe(err):
		return exitPipe, true
	}
	return 0, false
}

// isClosedPipe tells whether what reads the output has gone. A remote peer's EPIPE comes inside a [*source.Error].
func isClosedPipe(err error) bool {
	if _, remote := errors.AsType[*source.Error](err); remote {
		return false
	}
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe)
}

// partCode is that of the causes of a part's failure. A URL that was asked for is not combined with anything.
func partCode(part *assemble.PartError) int {
	causes := leaves(part)
	if len(causes) == 0 {
		return exitManifest
	}
	last := causes[len(causes)-1]
	if part.Manifest == "" && len(causes) == 1 {
		return causeCode(last)
	}
	if source.KindOf(last) == source.KindMalformed && !every(causes, hasStatus) && !slices.ContainsFunc(causes, isCorrupt) {
		return exitManifest // the manifest's fault, not the command line's
	}
	return combined(causes)
}

func isCorrupt(err error) bool { return causeCode(err) == exitCorrupt }

// combined is the code of several causes: the server's errors if all are HTTP statuses, else a failed verification if there
// is one, else the last cause.
func combined(causes []error) int {
	if every(causes, hasStatus) {
		return exitServer
	}
	if slices.ContainsFunc(causes, isCorrupt) {
		return exitCorrupt
	}
	return causeCode(causes[len(causes)-1])
}

// leaves are the causes of err that have no causes of several kinds themselves, in order.
func leaves(err error) []error {
	inner, ok := several(err)
	if !ok {
		return []error{err}
	}
	var all []error
	for _, e := range inner {
		all = append(all, leaves(e)...)
	}
	return all
}

// several are the causes that err has, or what it wraps, if there is a list of them. One without an error of a source
// says the same thing twice: these are no causes of their own.
func several(err error) ([]error, bool) {
	for ; err != nil; err = errors.Unwrap(err) {
		if part, ok := err.(*assemble.PartError); ok {
			return part.Errs, true
		}
		if mirrors, ok := err.(*fetch.MirrorsError); ok {
			return mirrors.Errs, true
		}
		if e, ok := err.(*source.Error); ok && e.Kind != source.KindOther {
			return nil, false
		}
		if join, ok := err.(interface{ Unwrap() []error }); ok {
			if _, remote := errors.AsType[*source.Error](err); !remote {
				return nil, false
			}
			return join.Unwrap(), true
		}
	}
	return nil, false
}

func every(errs []error, is func(error) bool) bool {
	for _, err := range errs {
		if !is(err) {
			return false
		}
	}
	return true
}

func hasStatus(err error) bool {
	e, ok := errors.AsType[*source.Error](err)
	return ok && e.Status >= 400
}

// kindCodes has the kinds that have a code of their own.
var kindCodes = map[source.Kind]int{
	source.KindMalformed: exitUsage,
	source.KindRefused:   exitProtocol,
	source.KindNetwork:   exitNetwork,
	source.KindTimeout:   exitNetwork,
	source.KindTLS:       exitTLS,
	source.KindAuth:      exitAuth,
	source.KindStatus:    exitServer,
	source.KindProtocol:  exitProtocol,
	source.KindLocal:     exitLocal,
	source.KindChanged:   exitResume,
	source.KindCorrupt:   exitCorrupt,
}

// causeCode is the code of a single cause; of one that broke and could not be opened again, that of the latter.
func causeCode(err error) int {
	for _, e := range leaves(err) {
		if _, ok := errors.AsType[*source.Error](e); ok {
			err = e
		}
	}
	if code, ok := kindCodes[source.KindOf(err)]; ok {
		return code
	}
	if _, ok := errors.AsType[*manifest.SyntaxError](err); ok {
		return exitManifest
	}
	if _, ok := errors.AsType[*sequence.CutError](err); ok {
		return exitProtocol
	}
	switch {
	case errors.Is(err, assemble.ErrDepth), errors.Is(err, io.ErrNoProgress):
		return exitManifest
	case errors.Is(err, source.ErrCorrupt):
		return exitCorrupt
	case errors.Is(err, source.ErrChanged):
		return exitResume
	case isLocal(err):
		return exitLocal
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, io.ErrUnexpectedEOF):
		return exitNetwork
	}
	return exitOther
}

func isLocal(err error) bool {
	if _, ok := errors.AsType[*fs.PathError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*os.LinkError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*peer.ListError](err); ok {
		return true
	}
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist)
}
