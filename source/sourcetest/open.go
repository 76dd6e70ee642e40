package sourcetest

import (
	"errors"
	"io"
	"strings"
	"testing"

	"spate/source"
)

// Read opens url and reads all that there is of rng. The Resource is nil where Open has failed, and closed.
func Read(t *testing.T, src source.Source, url string, rng source.Range) (*source.Resource, string, error) {
	t.Helper()
	res, err := src.Open(t.Context(), url, rng)
	if err != nil {
		return nil, "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return res, string(body), err
}

// Fails opens and reads url, which has to fail with an error of that kind, about that URL and of one line.
func Fails(t *testing.T, src source.Source, url string, rng source.Range, kind source.Kind) *source.Error {
	t.Helper()
	_, body, err := Read(t, src, url, rng)
	e, ok := errors.AsType[*source.Error](err)
	switch {
	case !ok:
		t.Fatalf("got %q, %v, want an error of kind %v", body, err, kind)
	case e.Kind != kind:
		t.Errorf("%v is of kind %v, want %v", err, e.Kind, kind)
	case errors.Is(err, io.EOF):
		t.Errorf("%v looks like io.EOF", err)
	case e.URL != url:
		t.Errorf("%v is about %q, want %q", err, e.URL, url)
	case strings.ContainsAny(err.Error(), "\r\n"):
		t.Errorf("%q is more than one line", err)
	}
	return e
}

// FailsWith is Fails of the whole, with an error that has that status as well.
func FailsWith(t *testing.T, src source.Source, url string, kind source.Kind, status int) *source.Error {
	t.Helper()
	e := Fails(t, src, url, source.From(0), kind)
	if e.Status != status {
		t.Errorf("%v has the status %d, want %d", e, e.Status, status)
	}
	return e
}
