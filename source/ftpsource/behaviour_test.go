package ftpsource

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"
	"time"

	"spate/source"
	"spate/source/sourcetest"
)

const ten = "0123456789"

func fresh(t *testing.T, opts *Options) *Source {
	s := New(opts)
	t.Cleanup(s.CloseIdleConnections)
	return s
}

func TestOriginsThatLackSomething(t *testing.T) {
	tests := []struct {
		name     string
		s        script
		rng      source.Range
		off      int64
		size     int64
		seekable bool
		want     string
	}{
		{"everything there", nil, source.From(0), 0, 10, true, ten},
		{"everything there, from 4", nil, source.From(4), 4, 10, true, ten[4:]},
		{"no SIZE", script{"SIZE": "500 what"}, source.From(0), 0, -1, false, ten},
		{"no SIZE, from 4", script{"SIZE": "502 no"}, source.From(4), 0, -1, false, ten},
		{"no SIZE, up to 4", script{"SIZE": "502 no"}, source.Range{Off: 0, Len: 4}, 0, -1, false, ten[:4]},
		{"SIZE of nonsense", script{"SIZE": "213 many"}, source.From(0), 0, -1, false, ten},
		{"SIZE below 0", script{"SIZE": "213 -5"}, source.From(0), 0, -1, false, ten},
		{"no REST", script{"REST": "502 no", "FEAT": "500 what"}, source.From(4), 0, 10, false, ten},
		{"no FEAT", script{"FEAT": "500 what"}, source.From(0), 0, 10, false, ten},
		{"no FEAT, from 4", script{"FEAT": "500 what"}, source.From(4), 4, 10, true, ten[4:]},
		{"no MDTM", script{"MDTM": "500 what"}, source.From(0), 0, 10, true, ten},
		{"MDTM of nonsense", script{"MDTM": "213 yesterday"}, source.From(0), 0, 10, true, ten},
		{"another confirmation", script{"done": "250 done"}, source.From(0), 0, 10, true, ten},
		{"hangs up instead of a confirmation", script{"done": "-"}, source.From(0), 0, 10, true, ten},
		{"silence instead of a confirmation", script{"done": ""}, source.From(0), 0, 10, true, ten},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake(t, tt.s)
			res, body, err := sourcetest.Read(t, fresh(t, nil), f.url("x"), tt.rng)
			if err != nil {
				t.Fatal(err)
			}
			if body != tt.want || res.Off != tt.off || res.Size != tt.size || res.Seekable != tt.seekable {
				t.Errorf("%q from %d of %d, seekable: %v", body, res.Off, res.Size, res.Seekable)
			}
		})
	}
}

func TestOriginsThatFail(t *testing.T) {
	tests := []struct {
		name   string
		s      script
		kind   source.Kind
		status int
		says   string
	}{
		{"too many connections", script{"greeting": "421 too many connections"}, source.KindStatus, 503, "421 too many connections"},
		{"no FTP", script{"greeting": "HTTP/1.1 400 Bad Request"}, source.KindProtocol, 0, ""},
		{"hangs up", script{"greeting": "-"}, source.KindNetwork, 0, ""},
		{"user refused", script{"USER": "530 no anonymous"}, source.KindAuth, 401, "no anonymous"},
		{"password refused", script{"PASS": "530 no"}, source.KindAuth, 401, "530 no"},
		{"an account is asked for", script{"PASS": "332 account"}, source.KindAuth, 401, "332"},
		{"login: too many", script{"PASS": "530 Sorry, the maximum number of clients"}, source.KindStatus, 503, "maximum"},
		{"login: not now", script{"PASS": "421 later"}, source.KindStatus, 503, "later"},
		{"hangs up after the password", script{"PASS": "-"}, source.KindNetwork, 0, ""},
		{"no file", script{"SIZE": "550 no", "RETR": "550 No such file"}, source.KindStatus, 404, "550 No such file"},
		{"no permission", script{"RETR": "550 x: Permission denied"}, source.KindAuth, 403, "Permission denied"},
		{"a directory", script{"RETR": "550 x: Is a directory"}, source.KindStatus, 403, "is a directory"},
		{"busy", script{"RETR": "450 busy"}, source.KindStatus, 503, "450 busy"},
		{"no data connection", script{"RETR": "425 no data connection"}, source.KindNetwork, 0, "425"},
		{"no passive mode", script{"EPSV": "500 what", "PASV": "500 what"}, source.KindProtocol, 0, "500"},
		{"passive nonsense", script{"EPSV": "500 what", "PASV": "227 )1,2,3,4,5,6("}, source.KindProtocol, 0, "no sense"},
		{"extended passive nonsense", script{"EPSV": "229 ||||", "PASV": "227 (1,2)"}, source.KindProtocol, 0, ""},
		{"nonsense", script{"SIZE": "what is it", "RETR": "what is it"}, source.KindProtocol, 0, ""},
		{"other", script{"RETR": "552 quota"}, source.KindStatus, 500, "552 quota"},
		{"a broken transfer", script{"done": "426 broken"}, source.KindNetwork, 0, "unexpected EOF: 426 broken"},
		{"a local error", script{"done": "451 disk"}, source.KindNetwork, 0, "unexpected EOF: 451 disk"},
		{"too short", script{"SIZE": "213 11"}, source.KindNetwork, 0, "unexpected EOF: 1 bytes are missing"},
		{"too long", script{"SIZE": "213 9"}, source.KindChanged, 0, "longer than its size of 9 bytes"},
		{"unknown size, not confirmed", script{"SIZE": "500 what", "done": "-"}, source.KindNetwork, 0, "not confirmed"},
		{"unknown size, broken", script{"SIZE": "500 what", "done": "426 broken"}, source.KindNetwork, 0, "426"},
		{"talks too much", script{"SIZE": "213-" + strings.Repeat("x\r\n", maxTalk)}, source.KindProtocol, 0, "talks too much"},
		{"one long line", script{"SIZE": strings.Repeat("x", 2*maxTalk)}, source.KindProtocol, 0, "talks too much"},
		{"escapes", script{"RETR": "550 \x1b[31mred\x07"}, source.KindStatus, 404, "550 [31mred"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake(t, tt.s)
			err := sourcetest.FailsWith(t, fresh(t, nil), f.url("x"), tt.kind, tt.status)
			if !strings.Contains(err.Error(), tt.says) || strings.ContainsAny(err.Error(), "\x1b\x07") {
				t.Errorf("%v does not say %q", err, tt.says)
			}
			if missing := errors.Is(err, fs.ErrNotExist); missing != (tt.status == 404) {
				t.Errorf("%v: is fs.ErrNotExist: %v", err, missing)
			}
		})
	}
}

// TestPhases: in whatever an origin falls silent, the time-out of that phase ends it, and so does the caller.
func TestPhases(t *testing.T) {
	const short = 50 * time.Millisecond
	tests := []struct {
		name, silent string
		opts         Options
		says         string
	}{
		{"greeting", "greeting", Options{ConnectTimeout: short}, "no connection within"},
		{"login", "PASS", Options{ConnectTimeout: short}, "no connection within"},
		{"size", "SIZE", Options{HeaderTimeout: short}, "no answer within"},
		{"passive", "PASV", Options{HeaderTimeout: short}, "no answer within"},
		{"retrieve", "RETR", Options{HeaderTimeout: short}, "no answer within"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := script{tt.silent: "", "EPSV": ""}
			if tt.silent == "PASV" {
				s["EPSV"] = "500 what"
			}
			f := newFake(t, s)
			err := sourcetest.FailsWith(t, fresh(t, &tt.opts), f.url("x"), source.KindTimeout, 0)
			if !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%v does not say %q", err, tt.says)
			}
			ctx, cancel := context.WithTimeoutCause(t.Context(), short, errors.New("enough"))
			defer cancel()
			_, e := fresh(t, nil).Open(ctx, f.url("x"), source.From(0))
			if !errors.Is(e, context.DeadlineExceeded) {
				t.Errorf("the caller's time is up: %v", e)
			}
		})
	}
	t.Run("body", func(t *testing.T) {
		o := newOrigin(t, plain)
		o.Put("/x", []byte(ten))
		o.Break("/x", 5, true)
		err := sourcetest.FailsWith(t, o.source(t, &Options{IdleTimeout: short}), o.url+"x", source.KindTimeout, 0)
		if !strings.Contains(err.Error(), "silent for 50ms") {
			t.Error(err)
		}
	})
}

func TestNobodyListens(t *testing.T) {
	f := newFake(t, nil)
	f.l.Close()
	sourcetest.FailsWith(t, fresh(t, nil), f.url("x"), source.KindNetwork, 0)
}

func TestWhatIsSent(t *testing.T) {
	f := newFake(t, nil)
	s := fresh(t, nil)
	if _, _, err := sourcetest.Read(t, s, f.url("a/b%20c;type=i"), source.From(4)); err != nil {
		t.Fatal(err)
	}
	const want = "USER anonymous|PASS anonymous@|FEAT|TYPE I|SIZE a/b c|MDTM a/b c|EPSV|REST 4|RETR a/b c"
	if got := f.commands(); got != want {
		t.Errorf("sent %s, want %s", got, want)
	}
}

func TestConnectionsAreUsedAgain(t *testing.T) {
	o := newOrigin(t, plain)
	o.Put("/small", []byte(ten))
	o.Put("/large", make([]byte, 8<<20))
	s := o.source(t, nil)
	steps := []struct {
		name  string
		do    func() error
		conns int
	}{
		{"the first", func() error { return whole(t, s, o.url+"small", 10) }, 1},
		{"the next", func() error { return whole(t, s, o.url+"small", 10) }, 1},
		{"read exactly", func() error { return partly(t, s, o.url+"small", source.From(0), 10) }, 1},
		{"after that", func() error { return whole(t, s, o.url+"small", 10) }, 1},
		{"a missing one", func() error { return missing(t, s, o.url+"none") }, 1},
		{"a directory", func() error { return missing(t, s, o.url+"small/..") }, 1},
		{"an empty range", func() error { return partly(t, s, o.url+"large", source.Range{Off: 5, Len: 0}, 0) }, 1},
		{"left early", func() error { return partly(t, s, o.url+"large", source.From(0), 10) }, 1},
		{"after that", func() error { return whole(t, s, o.url+"small", 10) }, 2},
		{"a range in the middle", func() error { return partly(t, s, o.url+"large", source.Range{Off: 5, Len: 10}, 10) }, 2},
		{"after that", func() error { return whole(t, s, o.url+"small", 10) }, 3},
		{"after the origin hung up", func() error { o.HangUp(); return whole(t, s, o.url+"small", 10) }, 4},
		{"after CloseIdleConnections", func() error { s.CloseIdleConnections(); return whole(t, s, o.url+"small", 10) }, 5},
		{"as somebody else", func() error {
			return whole(t, s, strings.Replace(o.url, "ftp://", "ftp://user:secret@", 1)+"small", 10)
		}, 6},
	}
	for _, step := range steps {
		if err := step.do(); err != nil {
			t.Errorf("%s: %v", step.name, err)
		}
		if got := o.Connections(); got != step.conns {
			t.Errorf("%s: %d connections, want %d", step.name, got, step.conns)
		}
	}
}

func whole(t *testing.T, s source.Source, url string, n int) error {
	_, body, err := sourcetest.Read(t, s, url, source.From(0))
	if err == nil && len(body) != n {
		err = errors.New("not all")
	}
	return err
}

func partly(t *testing.T, s source.Source, url string, rng source.Range, n int64) error {
	res, err := s.Open(t.Context(), url, rng)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	_, err = io.CopyN(io.Discard, res.Body, n)
	return err
}

func missing(t *testing.T, s source.Source, url string) error {
	_, err := s.Open(t.Context(), url, source.From(0))
	if e, ok := errors.AsType[*source.Error](err); ok && (e.Status == 404 || e.Status == 403) {
		return nil
	}
	return errors.Join(errors.New("it is there"), err)
}
