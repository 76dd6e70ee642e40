package main

import "testing"

func TestMeant(t *testing.T) {
	for arg, want := range map[string]string{
		"host.example/x": "https://host.example/x", "host.example": "https://host.example", "localhost/x": "https://localhost/x",
		"127.0.0.1:80/x": "https://127.0.0.1:80/x", "host:8080": "https://host:8080", "[::1]:80/x": "https://[::1]:80/x",
		"u:p@host.example/x": "https://u:p@host.example/x", "host.example?q": "https://host.example?q",
		"//host/x": "https://host/x", "///host/x": "https://host/x", "://host/x": "https://host/x", "//host.example": "https://host.example",

		"http:/host/x": "http://host/x", "http:host/x": "http://host/x", "http:///host/x": "http://host/x", "https//host": "https://host",
		"https;//host": "https://host", "https:://host": "https://host", `https:\\host\x`: `https://host\x`, "HTTPS:host": "https://host",
		"htps://host": "https://host", "htttp://host": "http://host", "ttps://host": "https://host", "hptt://host": "",

		"nothere": "", "/no/such.file": "", "./no.file": "", "../no.file": "", "no such.file": "", "mailto:x": "",
		"mailto:x@host.example": "", "magnet:?xt=urn:x": "", "data:,x": "", "https://": "", "//": "", ":": "",
		"http:http://host/x": "http://host/x", "tp": "", "http": "", "https": "",
	} {
		if want != "" {
			want = "did you mean " + want + "?"
		} else {
			want = whatIsWanted
		}
		if got := meant(arg); got != want {
			t.Errorf("%q: %s, want %s", arg, got, want)
		}
	}
	for _, arg := range []string{"ftp://host/x", "http://host:port/", "http://[::1", "https://host/100%.txt"} {
		if got := meant(arg); got != howURLsAre {
			t.Errorf("%q: %s", arg, got)
		}
	}
}
