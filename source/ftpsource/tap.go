package ftpsource

import (
	"bytes"
	"errors"
	"strings"
)

// maxTalk bounds what an origin may say on the control connection during one exchange. A line, or a reply of many
// lines, is kept in memory until it ends.
const maxTalk = 64 << 10

var errTalk = errors.New("the origin talks too much")

// A tap hears what goes over the control connection, both ways. The client keeps to itself some of what a tap hears: the
// command that failed, the code of some replies, whether REST is among the features. It also ends what goes on for ever.
type tap struct {
	verb  string // the last command
	code  int    // of the last reply
	rests bool   // FEAT tells of REST STREAM
	heard int    // bytes of this exchange
	line  []byte
}

// begin is for the next exchange.
func (t *tap) begin() { t.heard, t.code = 0, 0 }

// Write hears p. An error ends the connection.
func (t *tap) Write(p []byte) (int, error) {
	if t.heard += len(p); t.heard > maxTalk {
		return 0, errTalk
	}
	t.line = append(t.line, p...)
	for {
		i := bytes.IndexByte(t.line, '\n')
		if i < 0 {
			return len(p), nil
		}
		t.note(string(t.line[:i]))
		t.line = t.line[i+1:]
	}
}

// note notes one line. Those of replies begin with a digit or, between the first and the last, mostly with a blank.
func (t *tap) note(line string) {
	word := strings.TrimRight(line, "\r")
	switch code := replyCode(word); {
	case code > 0:
		t.code = code
	case word == "" || word[0] >= '0' && word[0] <= '9':
	case strings.HasPrefix(strings.ToUpper(strings.TrimSpace(word)), "REST STREAM"):
		t.rests = t.rests || t.verb == "FEAT"
	case word[0] >= 'A' && word[0] <= 'Z' && word != "QUIT": // with which the client leaves after what failed
		t.verb, _, _ = strings.Cut(word, " ")
	}
}

// replyCode is the code of the last line of a reply (RFC 959 §4.2), 0 if it is none.
func replyCode(line string) int {
	if len(line) < 3 || len(line) > 3 && line[3] != ' ' {
		return 0
	}
	code := 0
	for _, c := range []byte(line[:3]) {
		if c < '0' || c > '9' {
			return 0
		}
		code = code*10 + int(c-'0')
	}
	return code
}
