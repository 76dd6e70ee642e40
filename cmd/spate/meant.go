package main

import (
	"slices"
	"strings"
)

const whatIsWanted = "wanted is a URL that begins with https://, http://, ftp://, ftps://, sftp://, peer:// or file://, or the path of a file that exists"

// howURLsAre is for who knows how one begins.
const howURLsAre = "in a URL a blank is %20 and a % is %25, an IPv6 address stands in [], and a port is a number up to 65535"

// meant says what may have been meant by an argument that is neither a URL nor a file.
func meant(arg string) string {
	if arg == "-" {
		return "- is not stdin here; where the system has it as a file it is /dev/stdin"
	}
	if url := almostURL(arg); url != "" && !strings.EqualFold(url, arg) {
		return "did you mean " + url + "?"
	}
	if scheme, host, ok := strings.Cut(arg, "://"); ok && host != "" && slices.Contains(allSchemes, strings.ToLower(scheme)) {
		return howURLsAre
	}
	return whatIsWanted
}

// almostURL is the URL that arg would be with a proper beginning, "" if nothing tells that it is one.
func almostURL(arg string) string {
	rest := strings.TrimLeft(arg, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
	scheme := strings.ToLower(strings.TrimSuffix(arg, rest))
	host := strings.TrimLeft(rest, `:;/\`)
	between := strings.TrimSuffix(rest, host)
	switch {
	case host == "":
		return ""
	case soundsLikeHTTP(scheme) && strings.Contains(host, "://") && almostURL(host) != "": // it was typed twice
		return almostURL(host)
	case between != "" && soundsLikeHTTP(scheme):
		if strings.HasSuffix(scheme, "s") {
			return "https://" + host
		}
		return "http://" + host
	case scheme == "" && strings.Contains(between, "//"):
		return "https://" + host
	case looksLikeHost(arg):
		return "https://" + arg
	}
	return ""
}

// soundsLikeHTTP tells whether scheme is http or https, maybe with letters missing, doubled or exchanged.
func soundsLikeHTTP(scheme string) bool {
	return strings.Contains(scheme, "tp") && strings.Trim(scheme, "htps") == "" && len(scheme) < 8
}

// looksLikeHost tells whether arg may be a URL without its scheme. A file that is not there may look the same.
func looksLikeHost(arg string) bool {
	host := arg
	if i := strings.IndexAny(arg, "/?#"); i >= 0 {
		host = arg[:i]
	}
	if strings.HasPrefix(host, ".") || strings.HasPrefix(host, "mailto:") || strings.ContainsAny(host, " \\\t") {
		return false
	}
	host = host[strings.LastIndexByte(host, '@')+1:]
	name, port, _ := strings.Cut(host, ":")
	hasPort := port != "" && strings.Trim(port, "0123456789") == ""
	return hasPort || name == "localhost" || strings.Contains(name, ".") || strings.HasPrefix(name, "[")
}
