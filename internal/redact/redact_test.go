package redact

import (
	"net/url"
	"strings"
	"testing"

	"spate/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

func TestURL(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"empty", "", ""},
		{"nothing secret", "http://host:8080/a/b.parts?x=1&y=2#sha256=00ff&size=3", "http://host:8080/a/b.parts?x=1&y=2#sha256=00ff&size=3"},
		{"password", "http://user:pw@host/a", "http://user:xxxxx@host/a"},
		{"user without password", "http://user@host/a", "http://user@host/a"},
		{"empty password", "http://user:@host/a", "http://user:@host/a"},
		{"password without user", "http://:pw@host/a", "http://:xxxxx@host/a"},
		{"password with @ and :", "http://user:p@w:d@host/a", "http://user:xxxxx@host/a"},
		{"@ in the path", "https://host:8080/pkg@1.2.3/file", "https://host:8080/pkg@1.2.3/file"},
		{"@ in the path, no port", "https://host/pkg@1.2.3", "https://host/pkg@1.2.3"},
		{"colon and @ in the path", "https://host/a:b@c", "https://host/a:b@c"},
		{"empty port", "https://host:/a@b", "https://host:/a@b"},
		{"IPv6", "http://[::1]:80/a@b", "http://[::1]:80/a@b"},
		{"IPv6 with userinfo", "http://u:p@[::1]:80/a", "http://u:xxxxx@[::1]:80/a"},
		{"file", "file:///a:b/c@d", "file:///a:b/c@d"},
		{"path alone", "/a:b/c@d", "/a:b/c@d"},

		{"token", "http://h/a?token=abc&x=1", "http://h/a?token=xxxxx&x=1"},
		{"empty value", "http://h/a?token=&x=1", "http://h/a?token=&x=1"},
		{"key without value", "http://h/a?token&x=1", "http://h/a?token&x=1"},
		{"semicolons", "http://h/a?x=1;key=abc;y=2", "http://h/a?x=1;key=xxxxx;y=2"},
		{"upper case", "http://h/a?TOKEN=abc", "http://h/a?TOKEN=xxxxx"},
		{"escaped key", "http://h/a?%74oken=abc", "http://h/a?%74oken=xxxxx"},
		{"broken escape in the key", "http://h/a?token%zz=abc", "http://h/a?token%zz=xxxxx"},
		{"api key", "http://h/a?api-key=abc&apiKey=def&AWSAccessKeyId=ghi", "http://h/a?api-key=xxxxx&apiKey=xxxxx&AWSAccessKeyId=xxxxx"},
		{"sig", "http://h/a?sv=1&sig=a%2Bb", "http://h/a?sv=1&sig=xxxxx"},
		{"amazon", "http://h/a?X-Amz-Date=1&X-Amz-Signature=2&x-amz-credential=3", "http://h/a?X-Amz-Date=xxxxx&X-Amz-Signature=xxxxx&x-amz-credential=xxxxx"},
		{"the words of the contract", "?token=1&key=1&sig=1&signature=1&password=1&secret=1&auth=1&credential=1", "?token=xxxxx&key=xxxxx&sig=xxxxx&signature=xxxxx&password=xxxxx&secret=xxxxx&auth=xxxxx&credential=xxxxx"},
		{"words that only look alike", "http://h/a?author=a&monkey=b&design=c&passage=d&side=e", "http://h/a?author=a&monkey=b&design=c&passage=d&side=e"},
		{"short words", "http://h/?pw=1&pwd=2&pass=3&passwd=4&sas=5&code=6&policy=7&bearer=8&otp=9&cookie=0", "http://h/?pw=xxxxx&pwd=xxxxx&pass=xxxxx&passwd=xxxxx&sas=xxxxx&code=xxxxx&policy=xxxxx&bearer=xxxxx&otp=xxxxx&cookie=xxxxx"},
		{"sessions", "http://h/?PHPSESSID=1&jsessionid=2&session_id=3&sid=4&ASPSESSIONIDX=5", "http://h/?PHPSESSID=xxxxx&jsessionid=xxxxx&session_id=xxxxx&sid=xxxxx&ASPSESSIONIDX=xxxxx"},
		{"words of several", "http://h/?my_token=1&access-token=2&user.pass=3&user[pw]=4&x-auth-y=5&Key-Pair-Id=6", "http://h/?my_token=xxxxx&access-token=xxxxx&user.pass=xxxxx&user[pw]=xxxxx&x-auth-y=xxxxx&Key-Pair-Id=xxxxx"},
		{"camel case and digits", "http://h/?userPw=1&authKey=2&key1=3&KEY2=4&MySig=5&monkeyBar=6", "http://h/?userPw=xxxxx&authKey=xxxxx&key1=xxxxx&KEY2=xxxxx&MySig=xxxxx&monkeyBar=6"},
		{"of other clouds", "http://h/?x-oss-security-token=1&q-signature=2&X-Goog-Date=3&OSSAccessKeyId=4", "http://h/?x-oss-security-token=xxxxx&q-signature=xxxxx&X-Goog-Date=xxxxx&OSSAccessKeyId=xxxxx"},
		{"in the path", "http://h/a;jsessionid=abc;v=1/b;n=2?x=1", "http://h/a;jsessionid=xxxxx;v=1/b;n=2?x=1"},
		{"in the path, empty", "http://h/a;jsessionid=/b;;token=/c;", "http://h/a;jsessionid=/b;;token=/c;"},
		{"value with =", "http://h/a?token=ab==&x=1", "http://h/a?token=xxxxx&x=1"},
		{"second question mark", "http://h/a?b?token=c", "http://h/a?b?token=xxxxx"},
		{"fragment", "http://h/a#access_token=abc&x=1", "http://h/a#access_token=xxxxx&x=1"},
		{"fragment without pairs", "http://h/a#top", "http://h/a#top"},
		{"empty query and fragment", "http://h/a?#", "http://h/a?#"},

		{"nested, raw", "http://h/?url=http://u:p@i/?x=1", "http://h/?url=http://u:xxxxx@i/?x=1"},
		{"nested, raw, token", "http://h/?url=http://i/?token=abc", "http://h/?url=http://i/?token=xxxxx"},
		{"nested, escaped", "http://h/?url=" + url.QueryEscape("http://u:p@i/?token=abc&x=1"), "http://h/?url=" + url.QueryEscape("http://u:xxxxx@i/?token=xxxxx&x=1")},
		{"nested, relative", "http://h/?next=%2Fcb%3Ftoken%3Dabc", "http://h/?next=" + url.QueryEscape("/cb?token=xxxxx")},
		{"nested without a secret stays as written", "http://h/?url=http%3a%2F%2fi%2f%3Fx%3D1", "http://h/?url=http%3a%2F%2fi%2f%3Fx%3D1"},
		{"nested, broken escape", "http://h/?url=http://u:p@i/%zz", "http://h/?url=http://u:xxxxx@i/%zz"},
		{"in the path", "http://archive/web/http://u:p@i/x", "http://archive/web/http://u:xxxxx@i/x"},

		{"control character", "http://u:p@h/\x00", "http://u:xxxxx@h/\x00"},
		{"bad port", "http://u:p@h:port/", "http://u:xxxxx@h:port/"},
		{"slash in the password", "http://u:p/w@h/a", "http://u:xxxxx@h/a"},
		{"slash and @ in the password", "http://u:p/w@w@h/a", "http://u:xxxxx@h/a"},
		{"question mark in the password", "http://u:p?w@h/a?x=1", "http://u:xxxxx@h/a?x=1"},
		{"hash in the password", "http://u:p#w@h/a", "http://u:xxxxx@h/a"},
		{"blank in the password", "http://u:p w@h/a", "http://u:xxxxx@h/a"},
		{"one slash", "http:/u:p@h/a", "http:/u:xxxxx@h/a"},
		{"no slash", "http:u:p@h/a", "http:xxxxx@h/a"},
		{"no scheme", "u:p@h/a", "u:xxxxx@h/a"},
		{"no scheme, slashes", "//u:p@h/a", "//u:xxxxx@h/a"},
		{"no host", "http://u:p@", "http://u:xxxxx@"},
		{"unclosed bracket", "http://u:p@[::1/a", "http://u:xxxxx@[::1/a"},
		{"broken escape", "http://u:%zz@h/?token=%zz", "http://u:xxxxx@h/?token=xxxxx"},
		{"colon missing", "https//u:p@h/?token=abc", "https//u:xxxxx@h/?token=xxxxx"},
		{"colon missing, slash in the password", "https//u:p/w@h/", "https//u:xxxxx@h/"},
		{"colon and slash missing", "https/u:p@h", "https/u:xxxxx@h"},
		{"semicolon for the colon", "https;//u:p@h/", "https;//u:xxxxx@h/"},
		{"three slashes", "https:///u:p@h/", "https:///u:xxxxx@h/"},
		{"colon twice", "https:://u:p@h/", "https:xxxxx@h/"},
		{"backslashes", `https:\\u:p@h`, `https:xxxxx@h`},
		{"no scheme, slash in the password", "u:p/w@h/a", "u:xxxxx@h/a"},
		{"no scheme, question mark in the password", "u:p?w@h/a", "u:xxxxx@h/a"},
		{"no scheme, password of digits", "https//u:1234@h/", "https//u:xxxxx@h/"},
		{"no scheme, empty password", "https//u:@h/", "https//u:@h/"},
		{"no scheme, digits and a slash in the password", "u:1/w@h/a", "u:xxxxx@h/a"},
		{"a flag", "--base=https//u:p@h/", "--base=https//u:xxxxx@h/"},
		{"a place for scp", "u@h:a/b", "u@h:a/b"},
		{"a slash too many in front", "/u:p@h/a", "/u:xxxxx@h/a"},
		{"path beside", "./a:b/c@d", "./a:b/c@d"},
		{"path beside, one element", "../b/u:p@h/c:d", "../b/u:xxxxx@h/c:d"},
		{"only separators", "://?#", "://?#"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := URL(tt.in); got != tt.want {
				t.Errorf("URL(%q)\n got %q\nwant %q", tt.in, got, tt.want)
			}
		})
	}
}

func TestDeepNesting(t *testing.T) {
	s := "hunter2"
	for range 10 {
		s = "http://h/?q=" + url.QueryEscape("http://h/?token="+s)
	}
	if got := URL(s); strings.Contains(got, "hunter2") {
		t.Errorf("secret shown: %s", got)
	}
	s = "http://u:hunter2@h/"
	for range 12 {
		s = "http://h/?q=" + url.QueryEscape(s)
	}
	if got := URL(s); strings.Contains(got, "hunter2") {
		t.Errorf("secret shown: %s", got)
	}
}

func FuzzURL(f *testing.F) {
	for _, s := range []string{"", "http://u:p@h/?a=b#c", "http://h/?u=http%3A%2F%2Fu%3Ap%40h", "%", "://@:@", "#?&=;"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once := URL(s)
		if u, err := url.Parse(s); err == nil && u.User != nil {
			if pw, ok := u.User.Password(); ok && pw != "" && !strings.Contains(once, mask) {
				t.Errorf("password kept: %q", once)
			}
		}
	})
}
