package source

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"

	"spate/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// named is a Source that says who it is.
func named(name string) Source {
	return Func(func(_ context.Context, url string, _ Range) (*Resource, error) {
		return &Resource{Info: Info{URL: url, Name: name}, Body: io.NopCloser(strings.NewReader(""))}, nil
	})
}

// dialing is a Source with sessions.
type dialing struct{ Source }

type session struct{ Source }

func (session) Close() error { return errors.New("closed") }

func (dialing) Dial(context.Context, string) (Session, error) { return session{named("session")}, nil }

func TestMux(t *testing.T) {
	m := Mux{"a": named("A"), "b": dialing{named("B")}}
	tests := []struct{ url, opened, dialled string }{
		{"a:x", "A", "A"},
		{"A:x", "A", "A"},
		{"a://host/path?q#f", "A", "A"},
		{"b:x", "B", "session"},
		{"c:x", "", ""},
		{"x", "", ""},
		{"", "", ""},
		{"a:%zz", "A", "A"}, // opaque: for its Source to judge
		{"a://%zz/", "", ""},
		{"a:\n", "", ""},
		{":", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.url, func(t *testing.T) {
			res, err := m.Open(t.Context(), tt.url, From(0))
			if got := opened(t, tt.url, res, err); got != tt.opened {
				t.Errorf("opened with %q, want %q", got, tt.opened)
			}
			s, err := m.Dial(t.Context(), tt.url)
			if err == nil {
				res, err = s.Open(t.Context(), tt.url, From(0))
			}
			if got := opened(t, tt.url, res, err); got != tt.dialled {
				t.Errorf("dialled with %q, want %q", got, tt.dialled)
			}
		})
	}
}

// opened is the name of who opened url, "" if nobody did.
func opened(t *testing.T, url string, res *Resource, err error) string {
	t.Helper()
	if err == nil {
		if res.URL != url {
			t.Errorf("was given %q, want %q", res.URL, url)
		}
		return res.Name
	}
	if e, ok := errors.AsType[*Error](err); !ok || e.Kind != KindMalformed || e.URL != url {
		t.Errorf("%q: %#v", url, err)
	}
	return ""
}

func TestDial(t *testing.T) {
	own, err := Dial(t.Context(), named("A"), "a:x")
	if err != nil || own.Close() != nil {
		t.Errorf("its own session: %v", err)
	}
	s, err := Dial(t.Context(), dialing{named("B")}, "b:x")
	if err != nil || s.Close() == nil {
		t.Errorf("a session: %v", err)
	}
}

func TestErrorIs(t *testing.T) {
	sentinels := []error{fs.ErrNotExist, fs.ErrPermission, ErrUnavailable, ErrChanged, ErrCorrupt}
	tests := []struct {
		err  Error
		want error // of the sentinels, this one alone
	}{
		{Error{Kind: KindOther}, nil},
		{Error{Kind: KindMalformed}, nil},
		{Error{Kind: KindRefused}, nil},
		{Error{Kind: KindNetwork}, ErrUnavailable},
		{Error{Kind: KindTimeout}, ErrUnavailable},
		{Error{Kind: KindTLS}, ErrUnavailable},
		{Error{Kind: KindProtocol}, ErrUnavailable},
		{Error{Kind: KindAuth, Status: 401}, fs.ErrPermission},
		{Error{Kind: KindAuth, Status: 403}, fs.ErrPermission},
		{Error{Kind: KindStatus, Status: 404}, fs.ErrNotExist},
		{Error{Kind: KindStatus, Status: 410}, fs.ErrNotExist},
		{Error{Kind: KindStatus, Status: 400}, ErrUnavailable},
		{Error{Kind: KindStatus, Status: 503}, ErrUnavailable},
		{Error{Kind: KindLocal}, nil},
		{Error{Kind: KindLocal, Err: fs.ErrNotExist}, fs.ErrNotExist},
		{Error{Kind: KindLocal, Err: fs.ErrPermission}, fs.ErrPermission},
		{Error{Kind: KindChanged}, ErrChanged},
		{Error{Kind: KindCorrupt}, ErrCorrupt},
	}
	for _, tt := range tests {
		t.Run(tt.err.Kind.String(), func(t *testing.T) {
			if tt.err.Err == nil {
				tt.err.Err = errors.New("cause")
			}
			for _, s := range sentinels {
				if got := errors.Is(&tt.err, s); got != (s == tt.want) {
					t.Errorf("%+v is %v: %v", tt.err, s, got)
				}
			}
		})
	}
}

func TestErrorText(t *testing.T) {
	tests := []struct{ url, cause, want string }{
		{"http://h/a", "no", "open http://h/a: no"},
		{"http://u:pw@h/a", "no", "open http://u:xxxxx@h/a: no"},
		{"http://h/?token=t", "http://h/?token=t says no", "open http://h/?token=xxxxx: http://h/?token=xxxxx says no"},
		{"", "no", "open : no"},
	}
	for _, tt := range tests {
		err := &Error{Op: "open", URL: tt.url, Err: errors.New(tt.cause)}
		if err.Error() != tt.want {
			t.Errorf("got %q, want %q", err, tt.want)
		}
		if errors.Unwrap(err) != err.Err {
			t.Error("does not unwrap")
		}
	}
}

func TestKindString(t *testing.T) {
	for k, want := range map[Kind]string{KindOther: "other", KindMalformed: "malformed", KindCorrupt: "corrupt", -1: "other", KindCorrupt + 1: "other"} {
		if got := k.String(); got != want {
			t.Errorf("%d: %q, want %q", k, got, want)
		}
	}
}

func TestFrom(t *testing.T) {
	if got := From(7); got != (Range{Off: 7, Len: -1}) {
		t.Errorf("got %+v", got)
	}
}

func TestNamesBytes(t *testing.T) {
	for validator, want := range map[string]bool{
		`"1"`: true, "5-1": true, "": false, `W/"1"`: false, Dated + "Wed, 01 Jan 2020 00:00:00 GMT": false, "W/" + Dated + "x": false,
	} {
		if i := (&Info{Validator: validator}); i.NamesBytes() != want {
			t.Errorf("%q: %v", validator, !want)
		}
	}
}
