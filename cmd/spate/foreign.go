package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// foreign has the flags of curl, wget, aria2, axel, lftp and rclone that are not ours, by name without dashes, with
// what to do instead. Where a name means different things in those programs the answer covers all.
var foreign = []struct{ names, hint string }{
	// The output.
	{"O o remote-name remote-name-all default-page", nameHint},
	{"J remote-header-name content-disposition", dispositionHint},
	{"trust-server-names",
		"not there: the name comes from Content-Disposition or from the URL that was asked for; -o FILE chooses another"},
	{"P", dirHint},
	{"d", dirHint + "; there is nothing to send, and --json tells what happens"},
	{"create-dirs", "not needed: spate get -d DIR makes the directory"},
	{"nd nH no-directories no-host-directories force-directories cut-dirs protocol-directories",
		"not needed: spate get makes no directories after URLs; -d DIR says where to write"},
	{"nc no-clobber clobber allow-overwrite auto-file-renaming ignore-existing skip-existing backups unlink", existsHint},
	{"file-allocation no-file-allocation-limit allocate", "not there: a file grows as its bytes arrive"},
	{"adjust-extension html-extension restrict-file-names",
		"not there: the name is that of the URL, made safe; -o FILE chooses another"},

	// Going on, trying again.
	{"C continue-at start-pos always-resume remove-control-file", resumeHint},
	{"r range", rangeHint},
	{"tries retry max-tries retry-wait retry-delay retry-connrefused retry-all-errors retry-on-http-error waitretry " +
		"retries low-level-retries max-file-not-found", retryHint},
	{"wait random-wait", waitHint},

	// Connections.
	{"n", "--netrc reads ~/.netrc; connections: " + connectionHint},
	{"parallel parallel-max parallel-immediate " +
		"piece-length num-connections transfers multi-thread-streams checkers uri-selector", connectionHint},
	{"http-proxy https-proxy ftp-proxy no-proxy noproxy preproxy proxytunnel socks4 socks4a socks5 socks5-hostname",
		proxyHint},
	{"proxy-user proxy-password proxy-passwd http-proxy-user http-proxy-passwd https-proxy-user https-proxy-passwd all-proxy-user all-proxy-passwd " +
		"proxy-basic proxy-digest proxy-ntlm proxy-anyauth proxy-header", proxyHint + "; user and password go into its URL"},
	{"L location location-trusted max-redirs max-redirect", redirectHint},
	{"max-download-limit", "aria2's is for each download; ours is --limit-rate, for everything together, which is the same for one"},
	{"rate", "not there: requests are not counted by time; --limit-rate bounds the bytes a second"},
	{"buffer-size disk-cache", "ours is --budget, memory for bytes read ahead; --cache-memory is for parts marked (*)"},
	{"prefer-family interface bind-address local-port connect-to dns-servers doh-url " +
		"async-dns disable-ipv6 unix-socket", addressHint},
	{"0 http0.9 http1.0 http1.1 http2 http2-prior-knowledge http3 http3-only no-http-keep-alive no-keepalive keepalive-time " +
		"enable-http-keep-alive enable-http-pipelining", httpHint},
	{"1 2 3 tlsv1 tlsv1.0 tlsv1.1 tlsv1.2 tlsv1.3 tls-max sslv2 sslv3 secure-protocol min-tls-version ciphers tls13-ciphers",
		tlsHint},
	{"no-buffer", bufferHint},
	{"N", bufferHint + "; " + ageHint},
	{"timestamping conditional-get z time-cond etag-save etag-compare update xattr", "not there: " + ageHint},
	{"no-use-server-timestamps no-remote-time", "not needed: " + ageHint},

	// Time, and how much.
	{"T read-timeout dns-timeout contimeout speed-limit speed-time lowest-speed-limit Y y", timeHint},
	{"m", timeHint + "; spate mirrors no sites"},
	{"Q quota", "ours are --max-bytes, for each URL, Metalink file, or entry of a list, and get --max-filesize, for each file"},

	// What is asked.
	{"proto proto-default", "not there: a URL has its scheme, and redirects are followed to http and https only"},
	{"e", "ours is --referer URL; spate runs no commands"},
	{"A", agentHint + "; there are no links to choose from"},
	{"U", agentHint + "; a proxy's user goes into the URL of --proxy"},
	{"cookie-jar save-cookies keep-session-cookies junk-session-cookies no-cookies", jarHint},
	{"b", cookieHint + "; the shell's & puts it into the background"},
	{"http-user ftp-user password http-passwd http-password ftp-password ask-password use-askpass basic digest anyauth " +
		"netrc-optional no-netrc auth-no-challenge http-auth-challenge", userHint},
	{"ntlm negotiate aws-sigv4", "not there: of authorisation there is user and password, -u, and --bearer TOKEN"},
	{"check-certificate proxy-insecure", insecureHint},
	{"hostpubsha256 hostpubmd5 ssh-host-key-md", hostKeyHints},
	{"pubkey", "not needed: the public key is computed; the private one is --identity FILE"},
	{"capath ca-directory ca-native pinnedpubkey crlfile crl-file", trustHint},
	{"cert-type key-type pass certificate-type private-key-type", certHint},
	{"E", certHint + "; the name of a file stays as it is"},
	{"compressed compression http-accept-gzip tr-encoding",
		"not needed, and wrong for bytes that are joined: spate asks for the identity coding"},
	{"X method request data data-raw data-binary data-urlencode data-ascii post-data post-file body-data body-file F form form-string " +
		"upload-file append G get use-head", methodHint},
	{"I include head spider server-response dump-header simulate", inspectHint},
	{"S", inspectHint + "; errors are shown in any case"},
	{"D", inspectHint + "; spate is no daemon"},
	{"check-integrity hash-check-only realtime-chunk-checksum",
		"ours is get --checksum; pieces of a Metalink file are checked as they come; a part of a manifest has URL#sha256=HEX"},
	{"url B next force-html", listHint},
	{"K config no-config no-conf conf-path disable", "not there: a flag has a form in the environment, as SPATE_MAX_BYTES=10M"},
	{"g globoff", "not needed: brackets and braces in a URL are as they are"},
	{"M metalink-file input-metalink follow-metalink", "ours is get --metalink FILE, or just get FILE.meta4; --no-metalink fetches the file itself"},
	{"torrent-file follow-torrent seed-time seed-ratio", "not there: spate speaks no BitTorrent"},

	// Other pages than the one that was named.
	{"np no-parent recursive l level list-only page-requisites convert-links span-hosts relative domains exclude-domains " +
		"accept reject accept-regex reject-regex include-directories exclude-directories exclude follow-tags ignore-tags delete-after",
		recursiveHint},
	{"p", recursiveHint + "; " + proxyHint},

	// Talk.
	{"no-verbose nv", "ours is -q"},
	{"v verbose debug trace trace-ascii trace-time console-log-level human-readable", talkHint},
	{"stderr output-file append-output log logfile", logHint},
	{"a", logHint},
	{"on-download-complete on-bt-download-complete on-download-start on-download-stop on-download-pause on-download-error post-process",
		"ours is get --on-complete PROGRAM, which has what is to be known in its environment"},
	{"show-error", "not needed: errors are shown in any case, also with -q"},
	{"f fail fail-with-body fail-early", "not needed: an error of the server is an error of spate, exit 8"},
	{"show-progress progress-bar # no-progress-meter progress-meter show-console-readout summary-interval stats stats-one-line alternate",
		progressHint},
	{"background daemon", "not there: the shell's & puts a command into the background"},
	{"V version", "ours is spate version"},
}

const (
	nameHint        = "ours is spate get -o FILE; without it the name comes from the URL; spate cat writes to stdout"
	dispositionHint = "not needed: spate get follows Content-Disposition, unless --no-content-disposition"
	dirHint         = "ours is spate get -d DIR"
	existsHint      = "ours is get --if-exists=resume|skip|overwrite|rename|fail|newer"
	resumeHint      = "not needed: what an earlier run has left, FILE.part with FILE.spate, is gone on with, unless --if-exists says otherwise"
	retryHint       = "ours is get --retry-max-time, how long a connection that was lost is waited for; an origin that never answers is tried three times"
	rangeHint       = "spate has no ranges and no recursion into pages: it fetches one stream, whole; --max-bytes ends it early"
	waitHint        = "not there: between parts nothing waits; what a transfer was like is told by get -w"
	addressHint     = "not there: the address is chosen by itself; -4 and -6 are for IPv4 and IPv6, --resolve HOST:PORT:ADDR names one"
	httpHint        = "not needed: it is HTTP/2 where the server offers it over TLS, else HTTP/1.1, and connections are kept"
	tlsHint         = "not there: the version of TLS, from 1.2 on, and its ciphers are negotiated"
	bufferHint      = "not needed: spate cat writes bytes as they arrive"
	ageHint         = "get -R gives a file the time that it has at its origin; without it that is not looked at"
	connectionHint  = "ours are get -s N, connections for one file, -x N, connections to one host, -j N, files at once, and --ahead, parts opened ahead"
	proxyHint       = "ours is --proxy URL; without it the proxy comes from HTTP_PROXY, HTTPS_PROXY and NO_PROXY"
	redirectHint    = "not needed: up to 20 redirects are followed"
	timeHint        = "ours are --connect-timeout, --header-timeout (first byte), --idle-timeout (silence) and --max-time"
	agentHint       = "ours is --user-agent TEXT"
	cookieHint      = "ours are --cookie NAME=VALUE and --load-cookies FILE"
	jarHint         = cookieHint + "; none are written to a file"
	userHint        = "ours are -u USER:PASSWORD, --bearer TOKEN and --netrc; a URL can have user and password before its host; SSH has --identity FILE"
	insecureHint    = "--cacert FILE, or SSL_CERT_FILE, has the certificates to trust; --insecure checks none"
	hostKeyHints    = "ours is --accept-host-key=SHA256:…; --known-hosts FILE has the keys of many"
	trustHint       = "ours is --cacert FILE; without it SSL_CERT_FILE and SSL_CERT_DIR name the certificates to trust"
	certHint        = "ours are --cert FILE and --key FILE, in PEM"
	methodHint      = "not there: spate only fetches"
	inspectHint     = "ours are spate inspect URL and spate get --dry-run URL"
	listHint        = "ours is get -i LIST, in aria2's format; - is stdin"
	recursiveHint   = "not there: spate fetches one stream and follows no links; manifests name its parts"
	talkHint        = "not there: --json prints each event, get --log-level debug logs more, spate inspect shows what a URL is"
	logHint         = "ours is get --log-file FILE, which is appended to; what is told goes to stderr, which 2>FILE keeps"
	progressHint    = "ours is --progress=auto|plain|json|none"
)

// foreignHint says what to do instead of a flag of another program, "" if it is of none.
func foreignHint(name string) string {
	for _, f := range foreign {
		if slices.Contains(strings.Fields(f.names), name) {
			return f.hint
		}
	}
	return ""
}

// explainFlag turns an error of flag parsing into one that helps: a flag of another program is answered with ours.
func explainFlag(cmd *cobra.Command, err error) error {
	if bad, ok := errors.AsType[*pflag.InvalidValueError](err); ok && isPrivate(bad.GetFlag().Value) {
		return usage(fmt.Sprintf("--%s: %v", bad.GetFlag().Name, errors.Unwrap(bad)), "")
	}
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok {
		return usage(err.Error(), "")
	}
	name := unknown.GetSpecifiedName()
	dashed := "--" + name
	if group := unknown.GetSpecifiedShortnames(); group != "" {
		dashed = "-" + name
		if foreignHint(group) != "" { // wget's -nc is one flag
			name, dashed = group, "-"+group
		}
	}
	return usage("unknown flag "+dashed, hintFor(cmd, name))
}

// hintFor says what to do instead of a flag that cmd does not have.
func hintFor(cmd *cobra.Command, name string) string {
	letter := len(name) == 1
	if hint := foreignHint(name); letter && hint != "" {
		return hint
	}
	for _, other := range cmd.Root().Commands() {
		if other != cmd && !slices.Contains(serving, other.Name()) && hasFlag(other.Flags(), name) {
			return "it is a flag of " + other.CommandPath()
		}
	}
	if hint := foreignHint(name); hint != "" {
		return hint
	}
	return cmd.CommandPath() + " --help lists the flags"
}

// serving are the commands whose flags are no answer to those who want to fetch.
var serving = []string{"demo", "tracker", "peer"}

func hasFlag(flags *pflag.FlagSet, name string) bool {
	if len(name) == 1 {
		return flags.ShorthandLookup(name) != nil
	}
	return flags.Lookup(name) != nil
}
