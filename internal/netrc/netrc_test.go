package netrc

import (
	"strings"
	"testing"

	"spate/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

func TestLogin(t *testing.T) {
	const two = "machine a login u password p\nmachine b login v password q\n"
	tests := []struct{ name, text, host, user, password string }{
		{"the first", two, "a", "u", "p"},
		{"the second", two, "b", "v", "q"},
		{"upper case", two, "B", "v", "q"},
		{"neither", two, "c", "-", ""},
		{"part of a name", two, "a.b", "-", ""},
		{"over lines", "machine\n a\r\nlogin\n\tu password p", "a", "u", "p"},
		{"password first", "machine a password p login u", "a", "u", "p"},
		{"no password", "machine a login u\nmachine b password q", "a", "u", ""},
		{"no user", "machine a login u\nmachine b password q", "b", "", "q"},
		{"twice: the first", "machine a login u machine a login v", "a", "u", ""},
		{"the default", two + "default login d password e", "c", "d", "e"},
		{"not the default", two + "default login d password e", "b", "v", "q"},
		{"account", "machine a account x login u", "a", "u", ""},
		{"comments", "# machine a login x\nmachine a # login x\n login u", "a", "u", ""},
		{"a password like a comment", "machine a login u password #p", "a", "u", "#p"},
		{"a password like a keyword", "machine a login login password machine", "a", "login", "machine"},
		{"quoted", `machine a login "u v" password "\"p\\\tq"`, "a", "u v", "\"p\\\tq"},
		{"a quote inside", `machine a login u password p"q`, "a", "u", `p"q`},
		{"empty words", `machine a login "" password ""`, "a", "", ""},
		{"macro", "machine a login u\nmacdef init\ncd x\nmachine b\n\nmachine c login w", "c", "w", ""},
		{"macro that is no machine", "macdef init\nmachine b login v\n\nmachine c login w", "b", "-", ""},
		{"macro up to the end", "machine a login u\nmacdef init\ncd x", "a", "u", ""},
		{"nothing", "", "a", "-", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := Parse(strings.NewReader(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			user, password, ok := f.Login(tt.host)
			if !ok {
				user = "-"
			}
			if user != tt.user || password != tt.password {
				t.Errorf("got %q and %q", user, password)
			}
		})
	}
}

func TestMalformed(t *testing.T) {
	tests := []struct{ text, want string }{
		{"machine", "line 1: a word is missing"},
		{"machine a\nlogin", "line 2: a word is missing"},
		{"login u", "line 1: a login or password without a machine"},
		{"machine a\n\ns3cret p", "line 3: no machine"},
		{`machine "" login u`, "line 1: no machine"},
		{"default login d\nmachine a", "line 2: an entry behind the default"},
		{`"" machine a`, "line 1: no machine"},
		{"machine a password \"s3cret", "line 1: a quote that does not end"},
		{strings.Repeat("#", maxSize+1), "too large"},
	}
	for _, tt := range tests {
		_, err := Parse(strings.NewReader(tt.text))
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%.40q: %v, want %s", tt.text, err, tt.want)
		}
	}
	if _, err := Parse(strings.NewReader(strings.Repeat("#", maxSize))); err != nil {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"machine a login u password p", "macdef x\n\n", `machine "a\`, "default", "#"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if file, err := Parse(strings.NewReader(text)); err == nil {
			file.Login("a")
		}
	})
}
