package gateway

import (
	"strings"
	"testing"
)

// TestSecretsOfTargets: whatever way a URL is written in a request, the log has no secret of it.
func TestSecretsOfTargets(t *testing.T) {
	tests := map[string]string{
		"/s/http://h/a?x=1":                                  "/s/http://h/a?x=1",
		"/s/http://u:s3cret@h/a?token=s3cret":                "/s/http://u:xxxxx@h/a?token=xxxxx",
		"/s/http%3A%2F%2Fu%3As3cret%40h%2Fa%3Fsig%3Ds3cret":  "/s/http://u:xxxxx@h/a?sig=xxxxx",
		"/s/http%3A%2F%2Fh%2Fa?sig=s3cret":                   "/s/http://h/a?sig=xxxxx",
		"/file/2/http://u:s3cret@h/a-seq?x=1":                "/file/2/http://u:xxxxx@h/a-seq?x=1",
		"/file/2/http%3A%2F%2Fu%3As3cret%40h%2Fa-seq":        "/file/2/http://u:xxxxx@h/a-seq",
		"/file/2/http%3A%2F%2Fu%3As3cret%40h%2Fs%2Fa-seq":    "/file/2/http://u:xxxxx@h/s/a-seq",
		"/file/2/http://u:s3cret@h/s/a-seq":                  "/file/2/http://u:xxxxx@h/s/a-seq",
		"/file/x/http%3A%2F%2Fu%3As3cret%40h%2Fa-seq":        "/file/x/http://u:xxxxx@h/a-seq",
		"/s/http%253A%252F%252Fu%253As3cret%2540h%252F":      "/s/http://u:xxxxx@h/",
		"/s/http%3A%2F%2Fu%3As3cret%40h%0A":                  "/s/http://u:xxxxx@h\n",
		"/s/http%3A%2F%2Fu%3As3cret%40h/%zz":                 "",
		"/s/s3cret@h":                                        "/s/s3cret@h", // a user
		"/s/%25252525252525253As3cret@h":                     "/s/xxxxx",
		"/other?token=s3cret":                                "/other?token=xxxxx",
		"/login?token=s3cret&next=/s/http://h/":              "/login?token=xxxxx&next=/s/http://h/",
		"/.spate/s/http://u:s3cret@h/":                       "/.spate/s/http://u:xxxxx@h/",
		"http://u:s3cret@localhost/s/http://u:s3cret@h/":     "http://u:xxxxx@localhost/s/http://u:xxxxx@h/",
		"/film?u=http%3A%2F%2Fu%3As3cret%40h%2F":             "",
		"http://localhost/s/http%3A%2F%2Fu%3As3cret%40h%2Fa": "http://localhost/s/http://u:xxxxx@h/a",
	}
	for target, want := range tests {
		got := redactTarget(target)
		if strings.Contains(got, "s3cret") && !strings.Contains(want, "s3cret") || want != "" && got != want {
			t.Errorf("%s: got %s, want %s", target, got, want)
		}
	}
}
