package main

import "github.com/spf13/pflag"

// aliases are names of flags in curl, wget, aria2 and axel that mean the same as ours.
var aliases = map[string]string{
	"all-proxy":            "proxy",
	"ca-certificate":       "cacert",
	"certificate":          "cert",
	"inet4-only":           "ipv4",
	"inet6-only":           "ipv6",
	"netrc-path":           "netrc-file",
	"no-check-certificate": "insecure",
	"oauth2-bearer":        "bearer",
	"private-key":          "key",
	"silent":               "quiet",

	"directory-prefix": "dir",
	"out":              "output",
	"output-dir":       "dir",
	"output-document":  "output",

	"max-connection-per-server": "per-host",
	"number_of_threads":         "connections", // of a downloader that spate takes the place of, whose --name is a flag of get
	"split":                     "connections",

	"max-overall-download-limit": "limit-rate",
	"max-speed":                  "limit-rate",
}

// alias is the name of ours that name means.
func alias(_ *pflag.FlagSet, name string) pflag.NormalizedName {
	if own, ok := aliases[name]; ok {
		name = own
	}
	return pflag.NormalizedName(name)
}
