package httpsource

import (
	"encoding/base64"
	"strings"
)

// A dictMember is one of a dictionary of structured fields (RFC 9651 §3.2). value is nil where it is no byte sequence.
type dictMember struct {
	key   string
	value []byte
}

// A scanner reads a text of structured fields from its beginning. Each of its functions takes off what it knows, and
// reports whether that was there.
type scanner struct{ rest string }

// parseDictionary reads a dictionary of items; ok is false where it is malformed, or has an inner list, which no field
// that is read here may have. Of members with the same key the last one counts, in the place of the first.
func parseDictionary(text string) (dict []dictMember, ok bool) {
	s := &scanner{strings.Trim(text, " ")}
	for {
		m, ok := s.member()
		if !ok {
			return nil, false
		}
		dict = put(dict, m)
		s.blanks(" \t")
		if s.rest == "" {
			return dict, true
		}
		if !s.take(',') {
			return nil, false
		}
		s.blanks(" \t")
	}
}

func put(dict []dictMember, m dictMember) []dictMember {
	for i := range dict {
		if dict[i].key == m.key {
			dict[i] = m
			return dict
		}
	}
	return append(dict, m)
}

func (s *scanner) member() (m dictMember, ok bool) {
	if m.key, ok = s.key(); !ok {
		return m, false
	}
	if s.take('=') {
		if m.value, ok = s.item(); !ok {
			return m, false
		}
	}
	return m, s.parameters()
}

// parameters are read over: they mean nothing here.
func (s *scanner) parameters() bool {
	for s.take(';') {
		s.blanks(" ")
		if _, ok := s.key(); !ok {
			return false
		}
		if !s.take('=') {
			continue
		}
		if _, ok := s.item(); !ok {
			return false
		}
	}
	return true
}

const (
	lower  = "abcdefghijklmnopqrstuvwxyz"
	upper  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits = "0123456789"
)

func (s *scanner) key() (string, bool) {
	if s.rest == "" || !strings.Contains(lower+"*", s.rest[:1]) {
		return "", false
	}
	return s.while(lower + digits + "_-.*"), true
}

// item is a bare item, its value where that is a byte sequence.
func (s *scanner) item() (value []byte, ok bool) {
	switch {
	case s.take(':'):
		return s.bytes()
	case s.take('"'):
		return nil, s.quoted()
	case s.take('?'):
		return nil, s.take('0') || s.take('1')
	case s.take('@'), s.rest != "" && strings.Contains("-"+digits, s.rest[:1]):
		return nil, s.number()
	case s.rest != "" && strings.Contains(lower+upper+"*", s.rest[:1]):
		s.while(lower + upper + digits + "!#$%&'*+-.^_`|~:/")
		return nil, true
	}
	return nil, false
}

func (s *scanner) bytes() ([]byte, bool) {
	text, rest, ok := strings.Cut(s.rest, ":")
	if !ok || strings.ContainsAny(text, "\r\n") { // which base64 reads over
		return nil, false
	}
	s.rest = rest
	value, err := base64.StdEncoding.Strict().DecodeString(text)
	return value, err == nil
}

// quoted is a string, behind its first quote.
func (s *scanner) quoted() bool {
	for i := 0; i < len(s.rest); i++ {
		switch c := s.rest[i]; {
		case c == '"':
			s.rest = s.rest[i+1:]
			return true
		case c == '\\':
			if i++; i == len(s.rest) || s.rest[i] != '"' && s.rest[i] != '\\' {
				return false
			}
		case c < ' ' || c > '~':
			return false
		}
	}
	return false
}

func (s *scanner) number() bool {
	s.take('-')
	whole := s.while(digits)
	if !s.take('.') {
		return whole != "" && len(whole) <= 15
	}
	fraction := s.while(digits)
	return whole != "" && len(whole) <= 12 && fraction != "" && len(fraction) <= 3
}

func (s *scanner) take(c byte) bool {
	if s.rest == "" || s.rest[0] != c {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

func (s *scanner) blanks(set string) { s.while(set) }

// while takes off all that is of set.
func (s *scanner) while(set string) string {
	rest := strings.TrimLeft(s.rest, set)
	taken := s.rest[:len(s.rest)-len(rest)]
	s.rest = rest
	return taken
}
