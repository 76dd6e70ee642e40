package main

import (
	"strings"
	"time"

	"github.com/spf13/pflag"

	"spate"
	"spate/format/checksum"
)

// objectFlags are about what is no manifest: over which connections it comes, from where, and what becomes of what an earlier
// run has left.
type objectFlags struct {
	connections, minRange int64
	mirrors               []string
	retryMax              time.Duration
	verify, order         string
	refreshed             bool
	noDigest              bool
	sums                  checksums
	timeout               time.Duration
}

const retryMaxDefault = 10 * time.Minute

func (f *objectFlags) register(fs *pflag.FlagSet) {
	f.verify, f.order, f.retryMax = "sample", "auto", retryMaxDefault
	fs.VarP(count{&f.connections, 1}, "connections", "s", "connections for one file, opened at once (default: as many as pay)")
	fs.VarP(size{&f.minRange, 1}, "min-split-size", "k", "open no connection for less of a file (default 1MiB)")
	fs.StringArrayVar(&f.mirrors, "mirror", nil, "a further `URL` of the file; one that has other bytes is left aside; may be repeated")
	fs.Var(span{&f.retryMax}, "retry-max-time", "how long a connection that was lost is waited for; 0 is not at all")
	fs.VarP(timeout{&f.timeout, fs}, "timeout", "t", "--header-timeout and --idle-timeout in one")
	fs.Var(choice{&f.verify, []string{"sample", "strict"}}, "verify", "how much of what an earlier run has left is read again: strict is all")
	fs.Var(choice{&f.order, []string{"auto", "head-tail", "sequential"}}, "order", "what of a file is fetched first: head-tail has its last MiB early")
	fs.BoolVar(&f.refreshed, "refresh-url", false, "the URL is a fresh one of what an earlier run has left: compare bytes, not what the origin calls its version")
	fs.BoolVar(&f.noDigest, "no-digest", false, "compute no SHA-256 but of what was promised, or told by the origin, to have a digest, which is checked in any case")
	fs.Var(&f.sums, "checksum", "the digest that the file must have, as sha-256=HEX; auto looks for it at URL.sha256 and in SHA256SUMS; may be repeated")
	fs.BoolP("continue", "c", true, "go on with what an earlier run has left, which is the default")
}

// timeout is the value of --timeout, which is that of two other flags.
type timeout struct {
	d  *time.Duration
	fs *pflag.FlagSet
}

func (t timeout) Set(text string) error {
	for _, name := range []string{"header-timeout", "idle-timeout"} {
		if err := t.fs.Lookup(name).Value.Set(text); err != nil {
			return err
		}
	}
	return span{t.d}.Set(text)
}

func (t timeout) Type() string { return "TIME" }

func (t timeout) String() string {
	if t.d == nil || *t.d == 0 {
		return ""
	}
	return t.d.String()
}

// checksums are the value of --checksum.
type checksums struct {
	sums []checksum.Sum
	auto bool
	text []string
	all  checksum.Set // no bytes have two of one algorithm
}

func (c *checksums) Set(text string) error {
	if text == "auto" {
		c.auto = true
	} else {
		sum, err := checksum.Parse(text)
		if err == nil {
			err = c.all.Expect(sum)
		}
		if err != nil {
			return err
		}
		c.sums = append(c.sums, sum)
	}
	c.text = append(c.text, text)
	return nil
}

func (c *checksums) Type() string   { return "ALG=HEX" }
func (c *checksums) String() string { return strings.Join(c.text, " ") }

// put puts what the flags say into o.
func (f *objectFlags) put(o *spate.GetOptions) {
	o.Connections, o.MinRange = int(f.connections), f.minRange
	o.VerifyAll, o.Refreshed, o.NoDigest = f.verify == "strict", f.refreshed, f.noDigest
	o.Order = map[string]spate.Order{"head-tail": spate.OrderHeadTail, "sequential": spate.OrderSequential}[f.order]
	o.FindChecksum = f.sums.auto
	if o.RetryMax = f.retryMax; f.retryMax == 0 {
		o.RetryMax = -1
	}
}
