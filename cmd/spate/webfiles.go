package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	neturl "net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"spate/internal/netrc"
	"spate/source/httpsource"
)

// readNetrc reads the netrc file at path, "" for the user's own.
func readNetrc(path string) (*netrc.File, error) {
	if path == "" {
		path = os.Getenv("NETRC")
	}
	if path == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return nil, err
		}
		path = filepath.Join(home, ".netrc")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	file, err := netrc.Parse(f)
	if err != nil {
		return nil, &fs.PathError{Op: "read", Path: path, Err: err}
	}
	return file, nil
}

// loadCookies puts the cookies of a file in Netscape's format into jar.
func loadCookies(jar http.CookieJar, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := readCookies(jar, f); err != nil {
		return &fs.PathError{Op: "read", Path: path, Err: err}
	}
	return nil
}

// httpOnly begins lines that are no comments.
const httpOnly = "#HttpOnly_"

func readCookies(jar http.CookieJar, r io.Reader) error {
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSuffix(lines.Text(), "\r")
		line, only := strings.CutPrefix(line, httpOnly)
		if strings.TrimSpace(line) == "" || line[0] == '#' && !only {
			continue
		}
		u, c, err := parseCookie(line)
		if err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		jar.SetCookies(u, []*http.Cookie{c})
	}
	return lines.Err()
}

var errCookie = errors.New("no cookie: want domain, TRUE or FALSE, path, TRUE or FALSE, time, name and value with tabs between")

// parseCookie reads the seven fields of a line: domain, whether it is for hosts below as well, path, whether for https
// alone, when it ends in seconds since 1970 (0: with the program), name, value. The URL is that of who has set it.
func parseCookie(line string) (*neturl.URL, *http.Cookie, error) {
	f := strings.Split(line, "\t")
	if len(f) == 6 {
		f = append(f, "") // some leave out a value that is empty
	}
	if len(f) != 7 {
		return nil, nil, errCookie
	}
	ends, err := strconv.ParseFloat(f[4], 64)
	host := strings.ToLower(strings.TrimPrefix(f[0], "."))
	if err != nil || host == "" || f[5] == "" {
		return nil, nil, errCookie
	}
	c := &http.Cookie{Name: f[5], Value: f[6], Path: f[2], Secure: strings.EqualFold(f[3], "TRUE")}
	if strings.EqualFold(f[1], "TRUE") {
		c.Domain = host
	}
	if ends >= 1 {
		c.Expires = time.Unix(int64(min(ends, maxUnix)), 0)
	}
	u := &neturl.URL{Scheme: "http", Host: host, Path: "/"}
	if c.Secure {
		u.Scheme = "https"
	}
	return u, c, nil
}

// maxUnix is the end of the year 9999, the last that a cookie can have.
const maxUnix = 253402300799

// setTLS says whom to trust and what to show.
func (f *webFlags) setTLS(o *httpsource.Options) error {
	if f.cacert != "" || f.insecure {
		o.TLSConfig = &tls.Config{InsecureSkipVerify: f.insecure}
	}
	if f.cacert != "" {
		pem, err := os.ReadFile(f.cacert)
		if err != nil {
			return err
		}
		o.TLSConfig.RootCAs = x509.NewCertPool()
		if !o.TLSConfig.RootCAs.AppendCertsFromPEM(pem) {
			return usage("--cacert "+shown(f.cacert)+": no certificate in it", "it is a file of certificates in PEM")
		}
	}
	if f.certFile == "" {
		return nil
	}
	key := f.keyFile
	if key == "" {
		key = f.certFile
	}
	pair, err := tls.LoadX509KeyPair(f.certFile, key)
	var local *os.PathError
	switch {
	case errors.As(err, &local):
		return err
	case err != nil:
		return usage("--cert "+shown(f.certFile)+": "+err.Error(), "both are PEM, and the key is not encrypted; --key FILE if it is not beside the certificate")
	}
	o.Certificates = []tls.Certificate{pair}
	return nil
}
