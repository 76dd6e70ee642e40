package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// aria2 is a swarm of BitTorrent (BEP 3), with opentracker.
type aria2 struct{ program, tracker string }

func (aria2) name() string { return "aria2" }

const torrentPort = "6969"

func (a aria2) run(ctx context.Context, n *network, f *field) (*outcome, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := a.describe(f); err != nil {
		return nil, err
	}
	var all processes
	defer all.end()
	if err := all.start(in(ctx, n.hub, f.dir, a.tracker, "-i", hubAddr, "-p", torrentPort, "-P", torrentPort, "-d", f.dir, "-w", allowed)); err != nil {
		return nil, err
	}
	if _, err := a.start(ctx, &all, n, f, 0); err != nil {
		return nil, err
	}
	ends, err := f.await(ctx, func(ctx context.Context, peer int) error {
		dir, err := a.start(ctx, &all, n, f, peer)
		if err != nil {
			return err
		}
		return appears(ctx, filepath.Join(dir, "complete"))
	})
	if err != nil {
		return nil, err
	}
	for i := 1; i <= f.peers; i++ {
		if err := f.check(filepath.Join(f.dir, fmt.Sprintf("aria2-%d", i), "whole")); err != nil {
			return nil, err
		}
	}
	return &outcome{ends: ends, cpu: all.end()}, nil
}

// allowed is the name of the list of what the tracker is for: as Debian builds it, it wants one.
const allowed = "allowed"

// describe writes the metainfo, and the list for the tracker.
func (a aria2) describe(f *field) error {
	meta, hash := torrent("http://"+hubAddr+":"+torrentPort+"/announce", f.file, f.content, max(f.size/f.chunks, 16<<10))
	if err := os.WriteFile(filepath.Join(f.dir, "whole.torrent"), meta, 0o666); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(f.dir, allowed), fmt.Appendf(nil, "%x\n", hash), 0o666)
}

// start starts a node in a folder of its own.
func (a aria2) start(ctx context.Context, all *processes, n *network, f *field, node int) (string, error) {
	dir, err := f.folder("aria2", node)
	if err != nil {
		return "", err
	}
	hook := filepath.Join(dir, "hook")
	if err := os.WriteFile(hook, []byte("#!/bin/sh\n: > '"+filepath.Join(dir, "complete")+"'\n"), 0o777); err != nil {
		return "", err
	}
	args := []string{a.program, "--no-conf", "--quiet", "--dir", dir, "--enable-dht=false", "--enable-dht6=false", "--bt-enable-lpd=false",
		"--follow-torrent=mem", "--file-allocation=none", "--seed-ratio=0.0", "--listen-port=6881", "--bt-tracker-interval=5",
		"--disable-ipv6", "--on-bt-download-complete", hook}
	if node == 0 {
		args = append(args, "--bt-seed-unverified=true")
		if err := os.Symlink(f.file, filepath.Join(dir, filepath.Base(f.file))); err != nil {
			return "", err
		}
	}
	return dir, all.start(in(ctx, n.nodes[node].name, dir, append(args, filepath.Join(f.dir, "whole.torrent"))...))
}

// appears returns when there is such a file. The program that makes it has no other way to tell.
func appears(ctx context.Context, path string) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := os.Stat(path); err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
