package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"spate"
	"spate/assemble"
	"spate/fetch"
	"spate/fetch/journal"
	"spate/source"
	"spate/source/sftpsource"
)

// hintOf says what the user can do about err; "" where there is nothing to say.
func hintOf(err error) string {
	if u, ok := errors.AsType[*usageError](err); ok {
		return u.hint
	}
	if h, ok := errors.AsType[*hintedError](err); ok {
		return h.hint
	}
	if hint := hostKeyHint(err); hint != "" {
		return hint
	}
	for _, h := range hints {
		if h.is(err) {
			return h.text
		}
	}
	if wait := retryAfter(err); wait > 0 {
		return "come back " + comingBack(wait, time.Now())
	}
	return kindHints[source.KindOf(err)]
}

// A hintedError is an error with something to say about it.
type hintedError struct {
	error
	hint string
}

func (e *hintedError) Unwrap() error { return e.error }

// retryAfter is how long an origin has asked not to be asked again, the shortest of several; 0 if none has.
func retryAfter(err error) (least time.Duration) {
	for _, cause := range leaves(err) {
		e, ok := errors.AsType[*source.Error](cause)
		if ok && e.RetryAfter > 0 && (least == 0 || e.RetryAfter < least) {
			least = e.RetryAfter
		}
	}
	return least
}

// comingBack is "in 2 h 5 min, at 17:03", rounded up to minutes where it is more than one.
func comingBack(wait time.Duration, now time.Time) string {
	if wait <= time.Minute {
		return fmt.Sprintf("in %d s", int64((wait+time.Second-1)/time.Second))
	}
	minutes := int64((wait + time.Minute - 1) / time.Minute)
	var in []string
	if h := minutes / 60; h > 0 {
		in = append(in, fmt.Sprintf("%d h", h))
	}
	if m := minutes % 60; m > 0 {
		in = append(in, fmt.Sprintf("%d min", m))
	}
	at := now.Add(wait + time.Minute - 1).Local()
	text := "in " + strings.Join(in, " ") + ", at " + at.Format("15:04")
	if at.Format(time.DateOnly) != now.Local().Format(time.DateOnly) {
		text += " on " + at.Format("2 January")
	}
	return text
}

func isErr(target error) func(error) bool {
	return func(err error) bool { return errors.Is(err, target) }
}

// hostKeyHint says how a host becomes known, or known anew, "" if err is about something else. Whether the fingerprint is the right
// one, only who runs the host can tell.
func hostKeyHint(err error) string {
	e, ok := errors.AsType[*sftpsource.HostKeyError](err)
	if !ok {
		return ""
	}
	host, port, err := net.SplitHostPort(e.Host)
	if err != nil {
		host, port = e.Host, "22"
	}
	host = strings.Trim(host, "[]")
	switch {
	case e.Revoked:
		return "known_hosts says that this key is not to be trusted"
	case e.Changed:
		return "if the host has a new key for a good reason, ssh-keygen -R '" + e.Host + "' forgets the old one"
	}
	return "if the fingerprint is the right one: --accept-host-key=" + e.Fingerprint + " for this time; for good: ssh -p " + port + " " + host +
		" once, or ssh-keyscan -p " + port + " " + host + " >> ~/.ssh/known_hosts"
}

func isDiffer(err error) bool {
	_, ok := errors.AsType[*fetch.DifferError](err)
	return ok
}

// isErrIrregular tells an output that exists and that no option replaces: a device, a FIFO.
func isErrIrregular(err error) bool {
	e, ok := errors.AsType[*fs.PathError](err)
	if !ok || !errors.Is(err, fs.ErrExist) {
		return false
	}
	info, err := os.Stat(e.Path)
	return err == nil && !info.Mode().IsRegular()
}

// isFolderToWrite tells a folder where a file was to be written from one that was to be read.
func isFolderToWrite(err error) bool {
	e, ok := errors.AsType[*fs.PathError](err)
	return ok && errors.Is(err, syscall.EISDIR) && e.Op != "read"
}

// isNoFolder tells that there is no folder for the output.
func isNoFolder(err error) bool {
	e, ok := errors.AsType[*fs.PathError](err)
	return ok && e.Op == "stat" && errors.Is(err, fs.ErrNotExist)
}

// isNoTLS tells an answer that is none of TLS.
func isNoTLS(err error) bool {
	_, ok := errors.AsType[tls.RecordHeaderError](err)
	return ok
}

// hints in the order in which they are tried.
var hints = []struct {
	is   func(error) bool
	text string
}{
	{isErr(spate.ErrLimit), ""},
	{isDiffer, "URLs that are named together are mirrors of one file; with -Z each is a file of its own, and a --mirror that differs is left aside"},
	{isErr(fetch.ErrVersions), versionsHint + "; if it has changed: --if-exists=overwrite begins anew"},
	{isErr(source.ErrChanged), "--if-exists=overwrite begins anew, and drops what an earlier run has left; -o FILE writes another file"},
	{isErr(fetch.ErrInUse), "wait for the other process, or choose another name: -o FILE"},
	{isErrIrregular, "it is no regular file and is never replaced; -o FILE writes another; spate cat URL > FILE writes into it"},
	{isErr(fs.ErrExist), "--if-exists=overwrite replaces it, skip leaves it, rename and -o FILE write another"},
	{isErr(syscall.ENAMETOOLONG), "-o FILE chooses a shorter name, of 245 bytes at most with most file systems"},
	{isFolderToWrite, "-d DIR writes into a directory"},
	{isNoFolder, "-d DIR makes the folder that it names"},
	{isNoTLS, "what answers there speaks no TLS: maybe it is http:// in place of https://"},
	{isErr(assemble.ErrDepth), "--max-depth allows more"},
	{isErr(io.ErrNoProgress), "the manifest leads to manifests only; --max-idle-opens allows more opens without a byte"},
	{isErr(journal.ErrCorrupt), "it may be somebody else's, and stays: remove it if it is not, or write another file with -o"},
	{isErr(source.ErrCorrupt), "the origin has other bytes than were promised"},
}

const (
	versionsHint = "if several machines answer to that name: --resolve HOST:PORT:ADDR keeps to one of them, " +
		"-s 1 needs no more than one answer unless that breaks"
	againHint = "what was handed on cannot be taken back: drop it; the same command again begins anew, with what is there now"
)

// handedOnHint is err with what the user can do about it where no file was written: nothing of it can be gone on with, or replaced.
func handedOnHint(err error) error {
	switch {
	case !errors.Is(err, source.ErrChanged) || isDiffer(err):
		return err
	case errors.Is(err, fetch.ErrVersions):
		return &hintedError{err, versionsHint + "; " + againHint}
	}
	return &hintedError{err, againHint}
}

var kindHints = map[source.Kind]string{
	source.KindAuth: userHint,
	source.KindTLS:  insecureHint,
	source.KindTimeout: "--connect-timeout, --header-timeout (first byte) and --idle-timeout (silence) allow more; " +
		"0 is no limit",
}
