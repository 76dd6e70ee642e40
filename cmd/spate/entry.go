package main

import (
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"spate/format/manifest"
	"spate/internal/redact"
	"spate/source"
)

// An entry is what inspect found out about one URL: the one that was asked for, or an alternative.
type entry struct {
	URL   string `json:"url"`             // absolute; as it stands in the manifest where it cannot be resolved
	State string `json:"state"`           // ok, failed, unasked
	Is    string `json:"is,omitempty"`    // manifest, sequence, file
	Final string `json:"final,omitempty"` // where redirects led, if elsewhere

	Size      int64      `json:"size"` // -1: not known
	MediaType string     `json:"media_type,omitempty"`
	Ranges    bool       `json:"ranges"` // the origin answers ranges
	Validator string     `json:"validator,omitempty"`
	Name      string     `json:"name,omitempty"` // as the origin proposes, not sanitised
	Modified  *time.Time `json:"modified,omitempty"`

	PromisedSize   *int64 `json:"promised_size,omitempty"` // by the fragment
	PromisedSHA256 string `json:"promised_sha256,omitempty"`

	Error  string `json:"error,omitempty"`
	Kind   string `json:"kind,omitempty"`   // of the error
	Status int    `json:"status,omitempty"` // of the HTTP answer that is the error

	Shown    bool  `json:"shown,omitempty"` // a manifest that is shown elsewhere in the tree
	Manifest *tree `json:"manifest,omitempty"`

	open string // the URL to open, with its secrets
	arg  string // as it was asked for: the argument, or the line of a manifest
	err  error

	vouched bool // a local manifest names its host
}

// The states of an entry.
const (
	stateOK      = "ok"
	stateFailed  = "failed"
	stateUnasked = "unasked"
)

// What an entry is.
const (
	isManifest = "manifest"
	isSequence = "sequence"
	isFile     = "file"
)

// A tree is the content of a manifest.
type tree struct {
	Parts    []partEntry `json:"parts"`
	Complete bool        `json:"complete"` // Parts are all there are
	Warnings []warning   `json:"warnings"` // what a strict reader would reject
}

type partEntry struct {
	Line         int      `json:"line"`
	Cacheable    bool     `json:"cacheable,omitempty"`
	Alternatives []*entry `json:"alternatives"`
}

type warning struct {
	Line int    `json:"line"`
	Msg  string `json:"msg"`
}

func (e *entry) fail(err error) {
	e.State, e.err, e.Error = stateFailed, err, clean(oneLine(err.Error()))
	e.Kind = source.KindOf(err).String()
	if se, ok := errors.AsType[*source.Error](err); ok {
		e.Status = se.Status
	}
}

// answer takes over what an origin told.
func (e *entry) answer(info *source.Info) {
	e.State, e.Is = stateOK, e.whatIs(info)
	if info.URL != withoutFragment(e.open) {
		e.Final = redact.URL(info.URL)
	}
	e.Size, e.MediaType, e.Ranges = info.Size, info.MediaType, info.Seekable
	e.Validator, e.Name = info.Validator, info.Name
	if !info.ModTime.IsZero() {
		t := info.ModTime.UTC()
		e.Modified = &t
	}
}

// whatIs judges by the requested and the final URL and by the media type.
func (e *entry) whatIs(info *source.Info) string {
	switch {
	case manifest.IsManifest(e.open, info.MediaType), manifest.IsManifest(info.URL, ""):
		return isManifest
	case namesSequence(e.arg):
		return isSequence
	}
	return isFile
}

// promise notes what the fragment of an alternative promises.
func (e *entry) promise(a *manifest.Alternative) {
	if a.Size >= 0 {
		e.PromisedSize = &a.Size
	}
	e.PromisedSHA256 = hex.EncodeToString(a.Digest)
}

func withoutFragment(url string) string {
	url, _, _ = strings.Cut(url, "#")
	return url
}
