package main

import (
	"errors"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// foreign has the flags of curl, wget and aria2 that are not ours, by name without dashes, and what to do instead.
// Where a name means different things in those programs the answer covers both.
var foreign = map[string]string{
	// The output.
	"O": nameHint, "o": nameHint, "output-document": nameHint, "remote-name": nameHint, "remote-name-all": nameHint,
	"out": nameHint, "output": nameHint,
	"J": dispositionHint, "remote-header-name": dispositionHint, "content-disposition": dispositionHint,
	"P": dirHint, "directory-prefix": dirHint, "dir": dirHint, "d": dirHint, "output-dir": dirHint,
	"create-dirs": "not needed: spate get -d DIR makes the directory",
	"nc":          existsHint, "n": existsHint, "no-clobber": existsHint, "allow-overwrite": existsHint,
	"auto-file-renaming": existsHint,

	// Going on, trying again.
	"c": resumeHint, "C": resumeHint, "continue": resumeHint, "continue-at": resumeHint,
	"r": rangeHint, "range": rangeHint,
	"t": retryHint, "tries": retryHint, "retry": retryHint, "max-tries": retryHint, "retry-wait": retryHint,
	"retry-delay": retryHint, "retry-connrefused": retryHint, "retry-all-errors": retryHint, "waitretry": retryHint,
	"w": waitHint, "wait": waitHint, "random-wait": waitHint, "write-out": waitHint,

	// Connections.
	"x": connectionHint + "; a proxy comes from HTTP_PROXY and HTTPS_PROXY",
	"s": connectionHint + "; -q for silence", "split": connectionHint, "j": connectionHint,
	"max-connection-per-server": connectionHint, "max-concurrent-downloads": connectionHint, "k": insecureHint,
	"min-split-size": connectionHint, "Z": connectionHint, "parallel": connectionHint, "parallel-max": connectionHint,
	"proxy": proxyHint, "all-proxy": proxyHint, "http-proxy": proxyHint, "https-proxy": proxyHint,
	"no-proxy": proxyHint,
	"L":        redirectHint, "location": redirectHint, "max-redirs": redirectHint, "max-redirect": redirectHint,
	"limit-rate": rateHint, "max-download-limit": rateHint, "max-overall-download-limit": rateHint,

	"4": addressHint, "6": addressHint, "ipv4": addressHint, "ipv6": addressHint, "inet4-only": addressHint,
	"inet6-only": addressHint,
	"N":          bufferHint, "no-buffer": bufferHint, "timestamping": bufferHint,

	// Time.
	"T": timeHint, "timeout": timeHint, "read-timeout": timeHint, "dns-timeout": timeHint, "m": timeHint,
	"speed-limit": timeHint, "speed-time": timeHint, "lowest-speed-limit": timeHint, "Y": timeHint, "y": timeHint,
	"max-filesize": "ours is --max-bytes", "Q": "ours is --max-bytes", "quota": "ours is --max-bytes",

	// What is asked.
	"H": headerHint, "header": headerHint, "A": agentHint, "user-agent": agentHint, "U": agentHint,
	"e": headerHint, "referer": headerHint, "b": headerHint, "cookie": headerHint, "load-cookies": headerHint,
	"u": userHint, "user": userHint, "http-user": userHint, "password": userHint, "http-passwd": userHint,
	"http-password": userHint, "netrc": userHint,
	"insecure": insecureHint, "no-check-certificate": insecureHint, "check-certificate": insecureHint,
	"cacert": trustHint, "ca-certificate": trustHint,
	"compressed": "not needed, and wrong for bytes that are joined: spate asks for the identity coding",
	"X":          methodHint, "request": methodHint, "data": methodHint, "post-data": methodHint, "F": methodHint,
	"I": inspectHint, "head": inspectHint, "spider": inspectHint, "server-response": inspectHint, "S": inspectHint,
	"checksum": "a digest belongs to the part: URL#sha256=HEX in the manifest; spate pack writes it",
	"i":        listHint, "input-file": listHint, "url": listHint, "K": listHint, "config": listHint,
	"recursive": recursiveHint, "mirror": recursiveHint, "R": recursiveHint,

	// Talk.
	"silent": "ours is -q", "no-verbose": "ours is -q", "nv": "ours is -q", "v": talkHint, "verbose": talkHint,
	"show-progress": progressHint, "progress-bar": progressHint, "#": progressHint, "no-progress-meter": progressHint,
	"show-console-readout": progressHint, "summary-interval": progressHint,
	"f": "not needed: an error of the server is an error of spate, exit 8", "fail": "not needed: an error of the server is an error of spate, exit 8",
}

const (
	nameHint        = "ours is spate get -o FILE; without it the name comes from the URL; spate cat writes to stdout"
	dispositionHint = "not needed: spate get follows Content-Disposition, unless --no-content-disposition"
	dirHint         = "ours is spate get -d DIR"
	existsHint      = "ours is --if-exists=fail|overwrite; fail is the default"
	resumeHint      = "spate resumes what breaks while it runs, by itself; it does not go on with the file of an earlier run"
	retryHint       = "not there: what breaks is resumed by itself, and a part's next alternative is the retry"
	rangeHint       = "spate has no ranges and no recursion into pages: it fetches one stream, whole; --max-bytes ends it early"
	waitHint        = "not there: between parts nothing waits; what a transfer was like is told by --json"
	addressHint     = "not there: the address is chosen by itself, of IPv4 and IPv6 the one that answers first"
	bufferHint      = "not needed: spate cat writes bytes as they arrive; the time of a file at its origin is not looked at"
	connectionHint  = "ours are --ahead, parts opened ahead, and --per-host, connections to one host"
	proxyHint       = "not needed: the proxy comes from HTTP_PROXY, HTTPS_PROXY and NO_PROXY"
	redirectHint    = "not needed: up to 20 redirects are followed"
	rateHint        = "not there: spate has no limit of rate; --budget bounds what is read ahead"
	timeHint        = "ours are --connect-timeout, --header-timeout (first byte), --idle-timeout (silence) and --max-time"
	headerHint      = "not there: spate sends no headers of the user's choice"
	agentHint       = "not there: the user agent is spate"
	userHint        = "user and password go into the URL: https://user:password@host/; they are redacted when printed"
	insecureHint    = "not there: certificates are always checked; SSL_CERT_FILE names others to trust"
	trustHint       = "not there: SSL_CERT_FILE and SSL_CERT_DIR name the certificates to trust"
	methodHint      = "not there: spate only fetches"
	inspectHint     = "ours is spate inspect URL"
	listHint        = "not there: one URL for one command; a manifest joins many"
	recursiveHint   = "not there: spate fetches one stream; manifests name its parts"
	talkHint        = "not there: --json prints each event, spate inspect shows what a URL is"
	progressHint    = "ours is --progress=auto|on|off"
)

// explainFlag turns an error of flag parsing into one that helps: a flag of another program is answered with ours.
func explainFlag(cmd *cobra.Command, err error) error {
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok {
		return usage(err.Error(), "")
	}
	name := unknown.GetSpecifiedName()
	dashed := "--" + name
	if group := unknown.GetSpecifiedShortnames(); group != "" {
		dashed = "-" + name
		if foreign[group] != "" { // wget's -nc is one flag
			name, dashed = group, "-"+group
		}
	}
	return usage("unknown flag "+dashed, hintFor(cmd, name))
}

// hintFor says what to do instead of a flag that cmd does not have.
func hintFor(cmd *cobra.Command, name string) string {
	for _, other := range cmd.Root().Commands() {
		if other != cmd && len(name) > 1 && other.Flags().Lookup(name) != nil && other.Name() != "demo" {
			return "it is a flag of " + other.CommandPath()
		}
	}
	if hint := foreign[name]; hint != "" {
		return hint
	}
	return cmd.CommandPath() + " --help lists the flags"
}
