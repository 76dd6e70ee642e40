package httpsource

import (
	"net/http"
	"reflect"
	"testing"
	"time"

	"spate/source"
	"spate/source/sourcetest"
)

func TestInfo(t *testing.T) {
	const modified = "Mon, 02 Jan 2006 15:04:05 GMT"
	when := time.Date(2006, 1, 2, 15, 4, 5, 0, time.UTC)
	tests := []struct {
		name  string
		pairs []string
		want  source.Info
	}{
		{"nothing", []string{"Content-Type", ""}, source.Info{}},
		{"strong tag", []string{"Content-Type", "", "ETag", `"a"`, "Last-Modified", modified}, source.Info{Validator: `"a"`, ETag: `"a"`, ModTime: when}},
		{"weak tag", []string{"Content-Type", "", "ETag", `W/"a"`}, source.Info{Validator: `W/"a"`, ETag: `W/"a"`}},
		{"date", []string{"Content-Type", "", "Last-Modified", modified}, source.Info{Validator: "date " + modified, ModTime: when}},
		{"date of the same second", []string{"Content-Type", "", "Last-Modified", modified, "Date", modified},
			source.Info{Validator: "W/date " + modified, ModTime: when}},
		{"date without another to compare it with", []string{"Content-Type", "", "Last-Modified", modified, "Date", "?"},
			source.Info{Validator: "W/date " + modified, ModTime: when}},
		{"weak tag and date", []string{"Content-Type", "", "ETag", `W/"a"`, "Last-Modified", modified},
			source.Info{ETag: `W/"a"`, Validator: "date " + modified, ModTime: when}},
		{"weak tag and date of the same second", []string{"Content-Type", "", "ETag", `W/"a"`, "Last-Modified", modified, "Date", modified},
			source.Info{ETag: `W/"a"`, Validator: "W/date " + modified, ModTime: when}},
		{"no date", []string{"Content-Type", "", "Last-Modified", "0"}, source.Info{}},
		{"media type", []string{"Content-Type", "Text/HTML; charset=x"}, source.Info{MediaType: "text/html"}},
		{"media type, broken parameters", []string{"Content-Type", "text/x ; ;="}, source.Info{MediaType: "text/x"}},
		{"name", []string{"Content-Type", "", "Content-Disposition", `attachment; filename="a b.txt"`}, source.Info{Name: "a b.txt"}},
		{"name, extended", []string{"Content-Type", "", "Content-Disposition", `attachment; filename*=UTF-8''%e2%82%ac.txt`}, source.Info{Name: "€.txt"}},
		{"name, dangerous", []string{"Content-Type", "", "Content-Disposition", `attachment; filename="../x"`}, source.Info{Name: "../x"}},
		{"no name", []string{"Content-Type", "", "Content-Disposition", `inline`}, source.Info{}},
		{"broken disposition", []string{"Content-Type", "", "Content-Disposition", `attachment; filename="`}, source.Info{}},
		{"ranges", []string{"Content-Type", "", "Accept-Ranges", "bytes"}, source.Info{Seekable: true}},
		{"ranges among others", []string{"Content-Type", "", "Accept-Ranges", "lines, Bytes"}, source.Info{Seekable: true}},
		{"no ranges", []string{"Content-Type", "", "Accept-Ranges", "none"}, source.Info{}},
	}
	o := newOrigin(t, plain)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			url := o.on("/x", header(200, "hello", tt.pairs...))
			res, _, err := sourcetest.Read(t, newSource(t, nil), url+"#fragment", source.From(0))
			if err != nil {
				t.Fatal(err)
			}
			tt.want.URL, tt.want.Size, tt.want.Header = url, 5, res.Header
			if !reflect.DeepEqual(res.Info, tt.want) {
				t.Errorf("got  %+v\nwant %+v", res.Info, tt.want)
			}
		})
	}
}

func TestConn(t *testing.T) {
	o := newOrigin(t, plain)
	url := o.on("/", header(200, "hello"))
	s := newSource(t, nil)
	for i := range 2 {
		res, _, err := sourcetest.Read(t, s, url, source.From(0))
		if err != nil {
			t.Fatal(err)
		}
		if c := res.Conn; c.Addr != o.Listener.Addr().String() || c.Reused != (i > 0) || c.Setup <= 0 {
			t.Errorf("%d: %+v", i, c)
		}
	}
}

func TestParseSpan(t *testing.T) {
	tests := []struct {
		in   string
		want span
		ok   bool
	}{
		{"bytes 0-0/1", span{0, 0, 1}, true},
		{"bytes 0-9/10", span{0, 9, 10}, true},
		{"bytes 5-9/*", span{5, 9, -1}, true},
		{"Bytes 5-9/10", span{5, 9, 10}, true},
		{"bytes */10", span{-1, -1, 10}, true},
		{"bytes */0", span{-1, -1, 0}, true},
		{"bytes */*", span{-1, -1, -1}, true},
		{"bytes 0-9223372036854775806/9223372036854775807", span{0, 1<<63 - 2, 1<<63 - 1}, true},
		{"bytes 0-10/10", span{}, false},
		{"bytes 1-0/10", span{}, false},
		{"bytes 0-9223372036854775808/*", span{}, false},
		{"bytes 0-9", span{}, false},
		{"bytes 0-/10", span{}, false},
		{"bytes -9/10", span{}, false},
		{"bytes +0-9/10", span{}, false},
		{"bytes 0-9/+10", span{}, false},
		{"bytes 0--9/10", span{}, false},
		{"bytes 0 - 9/10", span{}, false},
		{"bytes  0-9/10", span{}, false},
		{"bytes=0-9/10", span{}, false},
		{"bytes 0-9/10/10", span{}, false},
		{"bytes 0x0-9/10", span{}, false},
		{"bytes 1_0-11/20", span{}, false},
		{"lines 0-9/10", span{}, false},
		{"0-9/10", span{}, false},
		{"bytes", span{}, false},
		{"", span{}, false},
	}
	for _, tt := range tests {
		got, err := parseSpan(tt.in)
		if (err == nil) != tt.ok || tt.ok && got != tt.want {
			t.Errorf("%q: %v, %v", tt.in, got, err)
		}
	}
	if _, err := contentRange(http.Header{"Content-Range": {"bytes 0-0/1", "bytes 0-0/1"}}); err == nil {
		t.Error("two lines are accepted")
	}
}

func FuzzParseSpan(f *testing.F) {
	for _, s := range []string{"bytes 0-9/10", "bytes */10", "bytes 0-9/*", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		s, err := parseSpan(in)
		if err == nil && (s.first > s.last || s.size >= 0 && s.last >= s.size || s.first < -1) {
			t.Errorf("%q: %+v", in, s)
		}
	})
}
