package source

import (
	"context"
	"testing"
)

func TestVouch(t *testing.T) {
	if ctx := context.Background(); IsVouched(ctx) || !IsVouched(Vouch(ctx)) {
		t.Error("a context is vouched for by Vouch, and by nothing else")
	}
}

func TestVouches(t *testing.T) {
	const local, remote = "file:///m.parts", "sftp://h/m.parts"
	tests := []struct {
		name, base string
		vouched    bool
		url        string
		want       bool
	}{
		{"a local manifest", local, false, "sftp://h/x", true},
		{"in capitals", "FILE:///m.parts", false, "sftp://h/x", true},
		{"what was asked for", "", false, "sftp://h/x", false},
		{"a remote manifest", remote, false, "sftp://h/x", false},
		{"one that a local manifest names", remote, true, "sftp://h/x", true},
		{"that as another user", remote, true, "sftp://me@H/x", true},
		{"to another host", remote, true, "sftp://other/x", false},
		{"to another port", remote, true, "sftp://h:22/x", false},
		{"to another scheme", remote, true, "ftp://h/x", false},
		{"no URL", remote, true, "sftp://h:x/y", false},
	}
	for _, tt := range tests {
		if got := Vouches(tt.base, tt.vouched, tt.url); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}
