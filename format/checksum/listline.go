package checksum

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// minDigits is how many hexadecimal digits at the start of a line are a digest: fewer may be a word.
const minDigits = 8

// entry is a line of a list, taken apart but not judged.
type entry struct {
	tag    string // how the line names the algorithm; "" where it does not
	digits string // hexadecimal
	name   string // of the file; "" where there is none
	line   int
}

// parseLine takes a line apart that has no blanks around it. It is false for one that is about no file.
func parseLine(line string) (entry, bool) {
	text, isEscaped := strings.CutPrefix(line, `\`)
	e, ok := parsePlain(text)
	if !ok {
		e, ok = parseTagged(text)
	}
	if ok && isEscaped {
		e.name, ok = unescape(e.name)
	}
	return e, ok
}

// parsePlain reads "HEX  name", "HEX *name" and "HEX". Blanks beyond the two, of lists in columns, are not of the name.
func parsePlain(text string) (entry, bool) {
	n := strings.IndexFunc(text, isNoDigit)
	if n < 0 {
		n = len(text)
	}
	digits, rest := text[:n], text[n:]
	if n < minDigits || rest != "" && rest[0] != ' ' && rest[0] != '\t' {
		return entry{}, false
	}
	rest, isBinary := strings.CutPrefix(rest, " *")
	if !isBinary {
		rest = strings.TrimLeft(rest, " \t")
	}
	return entry{digits: digits, name: rest}, true
}

// parseTagged reads "SHA256 (name) = HEX", with or without the blanks.
func parseTagged(text string) (entry, bool) {
	end := strings.LastIndexByte(text, '=')
	if end < 0 {
		return entry{}, false
	}
	digits := strings.Trim(text[end+1:], " \t")
	text, hasEnd := strings.CutSuffix(strings.TrimRight(text[:end], " \t"), ")")
	tag, name, hasName := strings.Cut(text, "(")
	tag = strings.TrimRight(tag, " \t")
	if !hasEnd || !hasName || name == "" || tag == "" || strings.ContainsAny(tag, " \t") {
		return entry{}, false
	}
	return entry{tag: tag, digits: digits, name: name}, true
}

func isNoDigit(r rune) bool { return !('0' <= r && r <= '9' || 'a' <= r|0x20 && r|0x20 <= 'f') }

// unescape undoes what sha256sum does to the names in lines that begin with a backslash. It is false for what that
// never writes.
func unescape(name string) (string, bool) {
	var b strings.Builder
	for {
		plain, rest, hasEscape := strings.Cut(name, `\`)
		b.WriteString(plain)
		if !hasEscape {
			return b.String(), true
		}
		if rest == "" {
			return "", false
		}
		i := strings.IndexByte(`\nr`, rest[0])
		if i < 0 {
			return "", false
		}
		b.WriteByte("\\\n\r"[i])
		name = rest[1:]
	}
}

// sum is what the line promises.
func (e entry) sum() (Sum, error) {
	if e.tag != "" {
		return parse(e.tag, e.digits)
	}
	for _, name := range []string{MD5, SHA256, SHA512} { // eight digits are as well those of another CRC
		if len(e.digits) == hex.EncodedLen(Size(name)) {
			return parse(name, e.digits)
		}
	}
	return Sum{}, fmt.Errorf("a digest of %d digits is of no algorithm that is known", len(e.digits))
}
