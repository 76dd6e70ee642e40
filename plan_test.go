package spate

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"spate/fetch"
	"spate/fetch/journal"
	"spate/format/span"
	"spate/internal/farm"
	"spate/source"
)

func TestPlan(t *testing.T) {
	origin := newFarm(t)
	origin.Serve("/text", farm.Resource{Body: []byte("text")})
	origin.Serve("/moved", farm.Resource{Redirect: "/text"})
	origin.Serve("/named", farm.Resource{Body: []byte("named"), Disposition: `attachment; filename="../b.txt"`})
	origin.Serve("/it.parts", farm.Resource{Body: []byte("text\n")})
	origin.Serve("/a-seq", farm.Resource{Body: []byte(packed("one"))})
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "old"), []byte("old"), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "a-seq-file1"), nil, 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "half.part"), []byte("half"), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "begun.part"), []byte("be"), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "begun.spate"), []byte("a journal"), 0o600))
	tests := []struct {
		name, url, path string
		opts            GetOptions
		want            Plan // Path within dir
		size            int64
		err             error
	}{
		{"by the URL", "/text", "", GetOptions{}, Plan{Path: "text"}, 4, nil},
		{"with a path", "/text", "FILE", GetOptions{}, Plan{Path: "FILE"}, 4, nil},
		{"redirected", "/moved", "", GetOptions{}, Plan{Path: "moved"}, 4, nil},
		{"by the origin", "/named", "", GetOptions{}, Plan{Path: "b.txt"}, 5, nil},
		{"a manifest", "/it.parts", "", GetOptions{}, Plan{Path: "it", Manifest: true}, -1, nil},
		{"a sequence", "/a-seq", "x", GetOptions{}, Plan{Path: "x", Sequence: true}, 7, nil},
		{"a sequence that exists", "/a-seq", "", GetOptions{}, Plan{Path: "a-seq", Sequence: true, Exists: true}, 7, ErrExists},
		{"exists", "/text", "old", GetOptions{}, Plan{Path: "old", Exists: true}, 4, ErrExists},
		{"overwritten", "/text", "old", GetOptions{IfExists: ExistsOverwrite}, Plan{Path: "old", Exists: true}, 4, nil},
		{"skipped", "/text", "old", GetOptions{IfExists: ExistsSkip}, Plan{Path: "old", Exists: true, Skipped: true}, 4, nil},
		{"renamed", "/text", "old", GetOptions{IfExists: ExistsRename}, Plan{Path: "old.1"}, 4, nil},
		{"left behind", "/text", "half", GetOptions{}, Plan{Path: "half", Dropped: 4}, 4, nil},
		{"begun, to fail", "/text", "begun", GetOptions{IfExists: ExistsFail}, Plan{Path: "begun"}, 4, ErrExists},
		{"no such folder", "/text", "new/x", GetOptions{}, Plan{Path: "new/x"}, 4, nil},
		{"too large", "/text", "", GetOptions{Limits: Limits{FileSize: 3}}, Plan{Path: "text"}, 4, ErrLimit},
		{"just small enough", "/text", "", GetOptions{Limits: Limits{FileSize: 4}}, Plan{Path: "text"}, 4, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.opts.Dir = dir
			path := test.path
			if path != "" {
				path = filepath.Join(dir, path)
			}
			p, err := planOne(t, newClient(t), origin.URL(test.url), path, &test.opts)
			if !errors.Is(err, test.err) || p == nil {
				t.Fatalf("%+v, %v, want %v", p, err, test.err)
			}
			if p.Info.Size != test.size {
				t.Errorf("size %d, want %d", p.Info.Size, test.size)
			}
			got := *p
			got.Info = source.Info{}
			test.want.Path = filepath.Join(dir, test.want.Path)
			if got.Path != test.want.Path || got.Exists != test.want.Exists || got.Dropped != test.want.Dropped || got.Skipped != test.want.Skipped ||
				got.Manifest != test.want.Manifest || got.Sequence != test.want.Sequence {
				t.Errorf("%+v, want %+v", got, test.want)
			}
			wantFiles(t, dir, map[string]string{"old": "old", "a-seq-file1": "", "half.part": "half", "begun.part": "be"})
		})
	}
}

// planOne is the one Plan of what is no Metalink file; nil for none.
func planOne(t *testing.T, c *Client, url, path string, opts *GetOptions) (*Plan, error) {
	t.Helper()
	plans, err := c.Plan(t.Context(), url, path, opts)
	if len(plans) == 0 {
		return nil, err
	}
	if len(plans) > 1 || !errors.Is(plans[0].Err, err) {
		t.Fatalf("%d plans, of which the first has %v beside %v", len(plans), plans[0].Err, err)
	}
	return plans[0], err
}

func TestPlanOfNothing(t *testing.T) {
	p, err := (&Client{Source: shelf{}}).Plan(t.Context(), "x:missing", "FILE", nil)
	if e, ok := errors.AsType[*source.Error](err); !ok || e.Status != 404 || p != nil {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestPlanWithoutSpace(t *testing.T) {
	origin := newFarm(t)
	origin.Serve("/x", farm.Resource{Gen: func(int64, []byte) int { return 0 }, Size: math.MaxInt64 / 2})
	path := filepath.Join(t.TempDir(), "FILE")
	c := newClient(t)
	_, err := c.Plan(t.Context(), origin.URL("/x"), path, nil)
	if told := runtime.GOOS == "linux"; errors.Is(err, syscall.ENOSPC) != told {
		t.Errorf("error %v", err)
	}
	if _, err := c.Plan(t.Context(), origin.URL("/x"), path, &GetOptions{Limits: Limits{Bytes: 10}}); err != nil {
		t.Errorf("of its first 10 bytes: %v", err)
	}
}

// Space is what the FILE.part takes, and what is gone on with is what it has, whatever its journal says of it.
func TestPlanWithoutSpaceForTheRest(t *testing.T) {
	const size = math.MaxInt64 / 2
	origin := newFarm(t)
	origin.Serve("/x", farm.Resource{Gen: func(int64, []byte) int { return 0 }, Size: size})
	path := filepath.Join(t.TempDir(), "FILE")
	must(t, os.WriteFile(path+fetch.Ext, []byte("some"), 0o600))
	j, err := journal.Create(path+journal.Ext, &journal.State{
		Header: journal.Header{Size: size},
		Ranges: []journal.Range{{Span: span.Span{End: size / 2}}, {Span: span.Span{Off: size / 2, End: size - 1}}},
	})
	must(t, err)
	must(t, j.Close())
	p, err := planOne(t, newClient(t), origin.URL("/x"), path, nil)
	if told := runtime.GOOS == "linux"; p == nil || p.Left != 0 || p.Dropped != 4 || errors.Is(err, syscall.ENOSPC) != told {
		t.Errorf("%+v, %v", p, err)
	}
}
