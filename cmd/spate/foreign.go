package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// foreign has the flags of curl, wget, wget2, aria2, axel, lftp and rclone that are not ours, by name without dashes, with
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
	{"nd nH no-directories no-host-directories force-directories cut-dirs protocol-directories directories host-directories",
		"not needed: spate get makes no directories after URLs; -d DIR says where to write"},
	{"nc no-clobber clobber allow-overwrite auto-file-renaming ignore-existing skip-existing backups unlink", existsHint},
	{"file-allocation no-file-allocation-limit allocate enable-mmap max-mmap-limit fsync-policy create-file-mode preserve-permissions",
		"not there: a file grows as its bytes arrive"},
	{"adjust-extension html-extension restrict-file-names cut-url-get-vars cut-file-get-vars content-disposition-default-utf8",
		"not there: the name is that of the URL, made safe; -o FILE chooses another"},

	// Going on, trying again.
	{"C continue-at start-pos always-resume remove-control-file auto-save-interval allow-piece-length-change remove-on-error", resumeHint},
	{"r range", rangeHint},
	{"tries retry max-tries retry-wait retry-delay retry-connrefused retry-all-errors retry-on-http-error waitretry " +
		"retries low-level-retries max-file-not-found max-resume-failure-tries", retryHint},
	{"wait random-wait", waitHint},

	// Connections.
	{"n", "--netrc reads ~/.netrc; connections: " + connectionHint},
	{"parallel parallel-max parallel-immediate " +
		"piece-length num-connections transfers multi-thread-streams checkers uri-selector " +
		"stream-piece-selector reuse-uri deferred-input optimize-concurrent-downloads server-stat-if server-stat-of server-stat-timeout " +
		"max-threads chunk-size parameterized-uri", connectionHint},
	{"http-proxy https-proxy ftp-proxy no-proxy noproxy preproxy proxytunnel socks4 socks4a socks5 socks5-hostname proxy1.0 proxy-method",
		proxyHint},
	{"proxy-user proxy-password proxy-passwd http-proxy-user http-proxy-passwd https-proxy-user https-proxy-passwd all-proxy-user all-proxy-passwd " +
		"proxy-basic proxy-digest proxy-ntlm proxy-anyauth proxy-header " +
		"http-proxy-password ftp-proxy-user ftp-proxy-passwd proxy-negotiate socks5-basic", proxyHint + "; user and password go into its URL"},
	{"L location location-trusted max-redirs max-redirect post301 post302 post303 proto-redir", redirectHint},
	{"max-download-limit", "aria2's is for each download; ours is --limit-rate, for everything together, which is the same for one"},
	{"rate", "not there: requests are not counted by time; --limit-rate bounds the bytes a second"},
	{"buffer-size disk-cache", "ours is --budget, memory for bytes read ahead; --cache-memory is for parts marked (*)"},
	{"prefer-family interface bind-address local-port connect-to dns-servers doh-url " +
		"async-dns disable-ipv6 unix-socket " +
		"abstract-unix-socket async-dns-server enable-async-dns6 delegation dns-caching no-dns-cache dns-interface dns-ipv4-addr dns-ipv6-addr " +
		"doh-cert-status doh-insecure happy-eyeballs-timeout-ms multiple-interface", addressHint},
	{"0 http0.9 http1.0 http1.1 http2 http2-prior-knowledge http3 http3-only no-http-keep-alive no-keepalive keepalive-time " +
		"enable-http-keep-alive enable-http-pipelining " +
		"http-keep-alive http2-request-window alt-svc no-alpn no-npn expect100-timeout tcp-fastopen tcp-nodelay dscp " +
		"socket-recv-buffer-size", httpHint},
	{"1 2 3 tlsv1 tlsv1.0 tlsv1.1 tlsv1.2 tlsv1.3 tls-max sslv2 sslv3 secure-protocol min-tls-version ciphers tls13-ciphers " +
		"curves false-start tls-false-start tls-resume no-sessionid tls-session-file gnutls-options engine egd-file random-file " +
		"signature-extensions ssl-allow-beast ssl-auto-client-cert",
		tlsHint},
	{"no-buffer", bufferHint},
	{"N", bufferHint + "; " + ageHint},
	{"timestamping conditional-get z time-cond etag-save etag-compare update xattr", "not there: " + ageHint},
	{"no-use-server-timestamps no-remote-time", "not needed: " + ageHint},

	// Time, and how much.
	{"T read-timeout dns-timeout contimeout speed-limit speed-time lowest-speed-limit Y y stop stop-with-process", timeHint},
	{"m", timeHint + "; spate mirrors no sites"},
	{"Q quota", "ours are --max-bytes, for each URL, Metalink file, or entry of a list, and get --max-filesize, for each file"},

	// What is asked.
	{"proto proto-default", "not there: a URL has its scheme, and redirects are followed to http and https only"},
	{"e", "ours is --referer URL; spate runs no commands"},
	{"A", agentHint + "; there are no links to choose from"},
	{"U", agentHint + "; a proxy's user goes into the URL of --proxy"},
	{"cookie-jar save-cookies keep-session-cookies junk-session-cookies no-cookies cookies cookie-suffixes", jarHint},
	{"b", cookieHint + "; the shell's & puts it into the background"},
	{"http-user ftp-user password http-passwd http-password ftp-password ask-password use-askpass basic digest anyauth " +
		"netrc-optional no-netrc auth-no-challenge http-auth-challenge ftp-passwd login-options", userHint},
	{"ntlm ntlm-wb negotiate aws-sigv4 krb sasl-authzid sasl-ir service-name tlsauthtype tlsuser tlspassword",
		"not there: of authorisation there is user and password, -u, and --bearer TOKEN"},
	{"check-certificate proxy-insecure", insecureHint},
	{"hostpubsha256 hostpubmd5 ssh-host-key-md", hostKeyHints},
	{"pubkey", "not needed: the public key is computed; the private one is --identity FILE"},
	{"capath ca-directory ca-native pinnedpubkey crlfile crl-file cert-status check-hostname " +
		"ocsp ocsp-file ocsp-stapling ssl-no-revoke ssl-revoke-best-effort", trustHint},
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
	{"torrent-file follow-torrent seed-time seed-ratio bt-detach-seed-only bt-enable-hook-after-hash-check " +
		"bt-enable-lpd bt-exclude-tracker bt-external-ip bt-force-encryption bt-hash-check-seed bt-load-saved-metadata " +
		"bt-lpd-interface bt-max-open-files bt-max-peers bt-metadata-only bt-min-crypto-level bt-prioritize-piece " +
		"bt-remove-unselected-file bt-request-peer-speed-limit bt-require-crypto bt-save-metadata bt-seed-unverified " +
		"bt-stop-timeout bt-tracker bt-tracker-connect-timeout bt-tracker-interval bt-tracker-timeout dht-entry-point " +
		"dht-entry-point6 dht-file-path dht-file-path6 dht-listen-addr6 dht-listen-port dht-message-timeout enable-dht " +
		"enable-dht6 enable-peer-exchange index-out listen-port max-overall-upload-limit max-upload-limit peer-agent " +
		"peer-id-prefix select-file show-files",
		"not there: spate speaks no BitTorrent"},
	{"enable-rpc pause pause-metadata rpc-allow-origin-all rpc-certificate rpc-listen-all rpc-listen-port " +
		"rpc-max-request-size rpc-passwd rpc-private-key rpc-save-upload-metadata rpc-secret rpc-secure rpc-user " +
		"keep-unfinished-download-result max-download-result download-result force-save save-not-found save-session " +
		"save-session-interval",
		"not there: spate is no server, and keeps no session; get --json, --log-file and --on-complete tell what happens"},
	{"metalink-base-uri metalink-enable-unique-protocol metalink-language metalink-location metalink-os " +
		"metalink-preferred-protocol metalink-version force-metalink",
		"not there: all files of a Metalink file are fetched, from all mirrors that it names; " +
			"--metalink FILE takes a file for one, --no-metalink for none"},

	{"proxy-cacert proxy-capath proxy-cert proxy-cert-type proxy-ciphers proxy-crlfile proxy-key proxy-key-type " +
		"proxy-pass proxy-pinnedpubkey proxy-ssl-allow-beast proxy-ssl-auto-client-cert proxy-tls13-ciphers " +
		"proxy-tlsauthtype proxy-tlspassword proxy-tlsuser proxy-tlsv1 proxy-service-name socks5-gssapi socks5-gssapi-nec " +
		"socks5-gssapi-service haproxy-protocol",
		"not there: of a proxy there is its URL, with user and password, --proxy; --cacert and --insecure are for it, too"},
	{"disable-eprt disable-epsv ftp-account ftp-alternative-to-user ftp-create-dirs ftp-method ftp-pasv ftp-port " +
		"ftp-pret ftp-reuse-connection ftp-skip-pasv-ip ftp-ssl-ccc ftp-ssl-ccc-mode ftp-ssl-control ftp-type " +
		"ftps-clear-data-connection ftps-fallback-to-ftp ftps-implicit ftps-resume-ssl no-passive-ftp no-remove-listing " +
		"retr-symlinks ssl ssl-reqd use-ascii crlf quote",
		"not there: FTP is in passive mode, its bytes as they are; ftps:// is TLS for all of it, by AUTH TLS, and from the start on port 990"},
	{"compressed-ssh",
		"not there: over SSH nothing is compressed"},
	{"hsts hsts-file no-hsts hpkp hpkp-file https-only https-enforce default-http-port default-https-port",
		"not there: a URL is asked for by the scheme and port that it has"},
	{"no-cache http-no-cache",
		"not needed: nothing is cached; -H 'Cache-Control: no-cache' asks those between not to"},
	{"content-on-error ignore-length ignore-content-length raw save-headers suppress-connect-headers " +
		"verify-save-failed",
		"not there: what is written is the body of a right answer, as long as that says, and nothing else"},
	{"no-if-modified-since use-server-timestamps",
		"not needed: " + ageHint},
	{"path-as-is request-target url-query disallow-username-in-url no-iri iri local-encoding remote-encoding " +
		"input-encoding no-glob",
		"not needed: a URL is taken as it is given; [] and {} in it mean nothing"},
	{"mail-auth mail-from mail-rcpt mail-rcpt-allowfails telnet-option tftp-blksize tftp-no-options",
		"not there: there are http, https, ftp, ftps, sftp, peer and file"},
	{"gid rlimit-nofile event-poll libcurl local-db local-plugin list-plugins plugin plugin-dirs plugin-help " +
		"plugin-opt execute gnupg-homedir verify-sig truncate-console-readout enable-color styled-output stats-all " +
		"stats-dns stats-ocsp stats-server stats-site stats-tls report-speed force-progress rejected-log",
		"not there; get --json, --log-file and -w tell what happens"},
	{"follow-ftp force-atom force-css force-rss force-sitemap backup-converted convert-file-only filter-mime-type " +
		"filter-urls ignore-case parent regex-type robots strict-comments no-warc-compression no-warc-digests " +
		"no-warc-keep-log warc-cdx warc-dedup warc-file warc-header warc-max-size warc-tempdir",
		recursiveHint},
	{"manual",
		"ours are spate get --help and spate man DIR"},
	{"form-escape",
		methodHint},

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
		return usage(err.Error(), curlHint(err))
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

// ofCurl are letters that curl has for something else, and what that is here, by the flag that they are of ours.
var ofCurl = map[string]string{
	"connections":    "curl's -s is -q",
	"per-host":       "curl's -x is --proxy",
	"min-split-size": "curl's -k is --insecure",
}

// curlHint says what may have been meant by a value that no flag of ours can have: a URL, or the letters that go with curl's -s.
func curlHint(err error) string {
	bad, ok := errors.AsType[*pflag.InvalidValueError](err)
	if !ok || !strings.Contains(bad.GetValue(), "://") && strings.Trim(bad.GetValue(), "SLfkOJ") != "" {
		return ""
	}
	if hint := ofCurl[bad.GetFlag().Name]; hint != "" {
		return "it is -" + bad.GetFlag().Shorthand + " of spate; " + hint
	}
	return ""
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
var serving = []string{"demo", "tracker", "peer", "gateway", "view"}

func hasFlag(flags *pflag.FlagSet, name string) bool {
	if len(name) == 1 {
		return flags.ShorthandLookup(name) != nil
	}
	return flags.Lookup(name) != nil
}
