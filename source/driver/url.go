package driver

import (
	"errors"
	"strings"
)

var errBlank = errors.New("malformed URL: a blank or control character in it")

// CheckURL refuses a URL that has a blank or a control character: no protocol could send it, or it would be sent as two words or lines.
func CheckURL(rawURL string) error {
	if strings.ContainsFunc(rawURL, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return errBlank
	}
	return nil
}
