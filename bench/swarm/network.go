package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// A network is a hub and its nodes, each a network namespace of its own, with the uplink of each node limited. The hub is a
// router, and has an address itself, for the tracker; its own uplink is not limited. Nothing of it is seen outside.
//
// A switch would not do: each node would have each other as a neighbour, and the kernel keeps 1,024 neighbours at most in all
// namespaces together (gc_thresh3). With 32 peers connections were not made, for 10 s and longer.
//
// The addresses are those set aside for benchmarks (RFC 2544, appendix C.2.2).
type network struct {
	hub   string
	nodes []node
}

// A node is one computer.
type node struct {
	name string // of its namespace
	addr string
}

const (
	prefix  = "spate-swarm-" // of the names of namespaces; then the process, and the node
	hubAddr = "198.18.0.1"
	most    = 250 // nodes
)

// newNetwork makes a hub and a node for each uplink, in bits a second. close it in the end.
func newNetwork(ctx context.Context, uplinks []int64) (*network, error) {
	if len(uplinks) > most {
		return nil, fmt.Errorf("%d nodes at most", most)
	}
	n := &network{hub: prefix + strconv.Itoa(os.Getpid())}
	if err := n.build(ctx, uplinks); err != nil {
		n.close()
		return nil, err
	}
	return n, nil
}

func (n *network) build(ctx context.Context, uplinks []int64) error {
	steps := []string{
		"ip netns add " + n.hub,
		"ip -n " + n.hub + " link set lo up",
		"ip netns exec " + n.hub + " sysctl -q -w net.ipv4.ip_forward=1",
	}
	for i, rate := range uplinks {
		at := node{name: fmt.Sprintf("%s-%d", n.hub, i), addr: fmt.Sprintf("198.18.0.%d", i+2)}
		n.nodes = append(n.nodes, at)
		port := fmt.Sprintf("port%d", i)
		steps = append(steps,
			"ip netns add "+at.name,
			"ip -n "+at.name+" link set lo up",
			"ip -n "+n.hub+" link add "+port+" type veth peer name uplink netns "+at.name,
			"ip -n "+n.hub+" addr add "+hubAddr+" peer "+at.addr+" dev "+port,
			"ip -n "+n.hub+" link set "+port+" up",
			"ip -n "+at.name+" addr add "+at.addr+" peer "+hubAddr+" dev uplink",
			"ip -n "+at.name+" link set uplink up",
			"ip -n "+at.name+" route add default via "+hubAddr,
			// Packets as large as segmentation offload makes them would not pass through a bucket of this size.
			fmt.Sprintf("ip netns exec %s tc qdisc add dev uplink root tbf rate %dbit burst 32kb latency 100ms", at.name, rate))
	}
	for _, s := range steps {
		if err := command(ctx, strings.Fields(s)...); err != nil {
			return err
		}
	}
	return nil
}

// close removes all of it, whatever of it was made.
func (n *network) close() {
	for _, at := range n.nodes {
		_ = command(context.Background(), "ip", "netns", "del", at.name)
	}
	_ = command(context.Background(), "ip", "netns", "del", n.hub)
}

// sweep removes what processes that were killed have left. Where nothing can be removed, nothing can be measured.
func sweep(ctx context.Context) error {
	out, err := exec.CommandContext(ctx, "ip", "netns", "list").Output()
	if err != nil {
		return fmt.Errorf("ip netns list: %w", err)
	}
	for _, name := range abandoned(string(out), isAlive) {
		pids, err := exec.CommandContext(ctx, "ip", "netns", "pids", name).Output()
		if err != nil {
			return fmt.Errorf("ip netns pids %s: %w", name, err)
		}
		for _, text := range strings.Fields(string(pids)) {
			if pid, err := strconv.Atoi(text); err == nil {
				_ = tell(pid, syscall.SIGTERM) // it may have ended
			}
		}
		if err := command(ctx, "ip", "netns", "del", name); err != nil {
			return err
		}
	}
	return nil
}

// abandoned are the namespaces in a list of "ip netns" that a process has made which is no more.
func abandoned(list string, isAlive func(pid int) bool) []string {
	var names []string
	for line := range strings.Lines(list) {
		name, _, _ := strings.Cut(strings.TrimSpace(line), " ") // some have an id behind
		digits, isOurs := strings.CutPrefix(name, prefix)
		digits, _, _ = strings.Cut(digits, "-")
		if pid, err := strconv.Atoi(digits); isOurs && err == nil && !isAlive(pid) {
			names = append(names, name)
		}
	}
	return names
}

func isAlive(pid int) bool { return !errors.Is(tell(pid, syscall.Signal(0)), os.ErrProcessDone) }

func tell(pid int, sig os.Signal) error {
	p, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	defer func() { _ = p.Release() }() // never fails
	return p.Signal(sig)
}

// sent is how many bytes have left a node, headers included.
func (n *network) sent(ctx context.Context, i int) (int64, error) {
	out, err := exec.CommandContext(ctx, "ip", "netns", "exec", n.nodes[i].name, "cat", "/sys/class/net/uplink/statistics/tx_bytes").Output()
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
}

// in is a command that runs in a namespace.
func in(ctx context.Context, namespace, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "ip", append([]string{"netns", "exec", namespace}, args...)...)
	cmd.Dir = dir
	return cmd
}

// command runs a program that says nothing if all is well.
func command(ctx context.Context, args ...string) error {
	if out, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}
