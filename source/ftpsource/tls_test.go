package ftpsource

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"spate/internal/servers"
	"spate/source"
	"spate/source/sourcetest"
)

func TestImplicitTLS(t *testing.T) {
	o := newOrigin(t, implicit)
	o.Put("/x", []byte(ten))
	s := o.source(t, nil)
	to, err := s.parse(o.url + "x")
	if err != nil {
		t.Fatal(err)
	}
	to.tls = implicitTLS // as on port 990
	res, err := s.try(t.Context(), to, source.From(3))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, err := io.ReadAll(res.Body); err != nil || string(body) != ten[3:] {
		t.Errorf("%q, %v", body, err)
	}
}

func TestTLSThatFails(t *testing.T) {
	t.Run("a certificate nobody trusts", func(t *testing.T) {
		o := newOrigin(t, secure)
		sourcetest.FailsWith(t, fresh(t, nil), o.url+"x", source.KindTLS, 0)
	})
	t.Run("a certificate of another name", func(t *testing.T) {
		o := newOrigin(t, secure)
		o.client.ServerName = "other.example"
		sourcetest.FailsWith(t, o.source(t, nil), o.url+"x", source.KindTLS, 0)
	})
	t.Run("no TLS", func(t *testing.T) {
		f := newFake(t, script{"AUTH": "502 no"})
		url := strings.Replace(f.url("x"), "ftp://", "ftps://", 1)
		if err := sourcetest.FailsWith(t, fresh(t, nil), url, source.KindTLS, 0); !strings.Contains(err.Error(), "no TLS there") {
			t.Error(err)
		}
		if sent := f.commands(); strings.Contains(sent, "USER") {
			t.Errorf("sent in the clear: %s", sent)
		}
	})
	t.Run("nonsense instead of TLS", func(t *testing.T) {
		f := newFake(t, script{"AUTH": "234 go on\r\nnonsense"})
		url := strings.Replace(f.url("x"), "ftp://", "ftps://", 1)
		_, err := fresh(t, &Options{ConnectTimeout: 200 * time.Millisecond}).Open(t.Context(), url, source.From(0))
		if e, ok := errors.AsType[*source.Error](err); !ok || e.Kind != source.KindTLS && e.Kind != source.KindNetwork && e.Kind != source.KindTimeout {
			t.Errorf("%v", err)
		}
	})
	t.Run("TLS is wanted", func(t *testing.T) {
		o := newOrigin(t, secure)
		o.Put("/x", []byte(ten))
		_, err := o.source(t, nil).Open(t.Context(), strings.Replace(o.url, "ftps://", "ftp://", 1)+"x", source.From(0))
		if err == nil {
			t.Error("no error")
		}
	})
}

func TestLogin(t *testing.T) {
	o := newOrigin(t, plain)
	o.Put("/x", []byte(ten))
	s := o.source(t, nil)
	as := func(who string) string { return strings.Replace(o.url, "ftp://", "ftp://"+who+"@", 1) + "x" }
	if _, body, err := sourcetest.Read(t, s, as("user:secret"), source.From(0)); err != nil || body != ten {
		t.Errorf("%q, %v", body, err)
	}
	for _, who := range []string{"user:hunter2", "user", "nobody:hunter2"} {
		if err := sourcetest.FailsWith(t, s, as(who), source.KindAuth, 401); strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%v tells the password", err)
		}
	}
}

func TestPaths(t *testing.T) {
	o := newOrigin(t, plain)
	s := o.source(t, nil)
	for url, path := range map[string]string{
		"a/b": "/a/b", "%2Fc/d": "/c/d", "/e": "/e", "with%20blank": "/with blank", "q%3Fx%23y": "/q?x#y", "%C3%A4": "/ä", "t;type=i": "/t",
		"percent%25": "/percent%",
	} {
		o.Put(path, []byte(path))
		res, body, err := sourcetest.Read(t, s, o.url+url, source.From(0))
		if err != nil || body != path {
			t.Errorf("%s: %q, %v", url, body, err)
			continue
		}
		if res.URL != o.url+url || !res.ModTime.Equal(servers.Modified) {
			t.Errorf("%s is %s, of %v", url, res.URL, res.ModTime)
		}
	}
}

func TestValidatorOfYoungFiles(t *testing.T) {
	o := newOrigin(t, plain)
	o.Put("/old", []byte(ten))
	o.PutAt("/young", []byte(ten), time.Now())
	s := o.source(t, nil)
	for name, strong := range map[string]bool{"old": true, "young": false} {
		res, _, err := sourcetest.Read(t, s, o.url+name, source.From(0))
		if err != nil || res.Validator == "" || res.HasStrongValidator() != strong {
			t.Errorf("%s: %q, %v", name, res.Validator, err)
		}
	}
}
