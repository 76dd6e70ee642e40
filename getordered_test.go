package spate

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"spate/event"
	"spate/format/checksum"
	"spate/format/manifest"
	"spate/internal/farm"
	"spate/source"
)

// parted is a stream of parts under /0, /1 and so on of an origin, listed by /m.parts. The text of each differs.
type parted struct {
	*farm.Farm
	texts []string
}

func newParted(t *testing.T, parts int) *parted {
	p := &parted{Farm: newFarm(t)}
	var lines []string
	for i := range parts {
		p.texts = append(p.texts, strings.Repeat(fmt.Sprintf("part %d, ", i), 1000+10*i))
		p.Serve(fmt.Sprint("/", i), farm.Resource{Body: []byte(p.texts[i])})
		lines = append(lines, fmt.Sprint(i))
	}
	p.list(strings.Join(lines, "\n--\n"))
	return p
}

func (p *parted) list(text string) { p.Serve("/m.parts", farm.Resource{Body: []byte(text)}) }

func (p *parted) whole() string { return strings.Join(p.texts, "") }

// cut gets the first n bytes of the stream into dir.
func (p *parted) cut(t *testing.T, dir string, n int) {
	t.Helper()
	res, err := newClient(t).Get(t.Context(), p.URL("/m.parts"), filepath.Join(dir, "FILE"), &GetOptions{Limits: Limits{Bytes: int64(n)}})
	if !errors.Is(err, ErrLimit) || res.Bytes != int64(n) {
		t.Fatalf("%+v, %v", res, err)
	}
}

// goOn gets all of it, and tells what was asked for meanwhile: how often, and how many bytes.
func (p *parted) goOn(t *testing.T, dir string, opts *GetOptions) (res *Result, asked map[string]int, sent int64, err error) {
	t.Helper()
	before := len(p.Log())
	res, err = newClient(t).Get(t.Context(), p.URL("/m.parts"), filepath.Join(dir, "FILE"), opts)
	asked = map[string]int{}
	for _, r := range p.Log()[before:] {
		asked[r.Path]++
		if r.Path != "/m.parts" {
			sent += r.Bytes
		}
	}
	return res, asked, sent, err
}

// Of what is there nothing is asked for, but for the manifest.
func TestGetManifestGoesOn(t *testing.T) {
	p := newParted(t, 5)
	at := len(p.texts[0]) + len(p.texts[1]) + 100
	for name, n := range map[string]int{"within a part": at, "at the end of one": at - 100, "within the first": 7, "all but a byte": len(p.whole()) - 1} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			p.cut(t, dir, n)
			var rec recorder
			res, asked, sent, err := p.goOn(t, dir, &GetOptions{Events: rec.sink})
			must(t, err)
			wantFiles(t, dir, map[string]string{"FILE": p.whole()})
			wantResult(t, res, p.whole())
			if res.Resumed != int64(n) || sent != int64(len(p.whole())-n) {
				t.Errorf("%d bytes were there, %d were sent; asked for %v", res.Resumed, sent, asked)
			}
			begun := rec.of(event.Begin)
			if len(begun) != 1 || begun[0].Bytes != int64(n) || begun[0].Size != -1 || begun[0].URL != p.URL("/m.parts") {
				t.Errorf("begun: %+v", begun)
			}
			for path, times := range asked {
				if times != 1 {
					t.Errorf("%d requests for %s", times, path)
				}
			}
		})
	}
}

// What a call has left is gone on with as often as need be, and what comes after it is as if it had come at once.
func TestGetManifestGoesOnAgain(t *testing.T) {
	p := newParted(t, 4)
	dir := t.TempDir()
	for n := 3000; n < len(p.whole()); n += 5003 {
		p.cut(t, dir, n)
	}
	res, _, _, err := p.goOn(t, dir, nil)
	must(t, err)
	wantFiles(t, dir, map[string]string{"FILE": p.whole()})
	wantResult(t, res, p.whole())
}

// left is what a call has left.
func left(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, name := range []string{"FILE.part", "FILE.spate"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		must(t, err)
		files[name] = string(b)
	}
	return files
}

// What has changed is an error, and what is there stays.
func TestGetManifestChanged(t *testing.T) {
	const list = "0\n--\n1\n--\n2\n--\n3\n"
	other := func(text string) farm.Resource { return farm.Resource{Body: []byte(strings.ToUpper(text))} }
	for _, test := range []struct {
		name   string
		change func(p *parted)
	}{
		{"the manifest's validator", func(p *parted) { p.Serve("/m.parts", farm.Resource{Body: []byte(list), ETag: `"2"`}) }},
		{"another part before", func(p *parted) { p.listed("3\n--\n1\n--\n2\n--\n3\n") }},
		{"one part less before", func(p *parted) { p.listed("1\n--\n2\n--\n3\n") }},
		{"one part more before", func(p *parted) { p.listed("0\n--\n0\n--\n1\n--\n2\n--\n3\n") }},
		{"another part there", func(p *parted) { p.listed("0\n--\n1\n--\n3\n--\n3\n") }},
		{"shorter", func(p *parted) { p.listed("0\n--\n1\n") }},
		{"empty", func(p *parted) { p.listed("") }},
		{"the part there, by validator", func(p *parted) { p.Serve("/2", farm.Resource{Body: []byte(p.texts[2]), ETag: `"2"`}) }},
		{"the part there", func(p *parted) { p.Serve("/2", other(p.texts[2])) }},
		{"the part there is shorter", func(p *parted) { p.Serve("/2", farm.Resource{Body: []byte(p.texts[2][:50]), ETag: `"2"`}) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newParted(t, 4)
			p.listed(list)
			if test.name == "the manifest's validator" {
				p.list(list)
			}
			dir := t.TempDir()
			p.cut(t, dir, len(p.texts[0])+len(p.texts[1])+100)
			was := left(t, dir)
			test.change(p)
			_, asked, _, err := p.goOn(t, dir, nil)
			if !errors.Is(err, source.ErrChanged) {
				t.Errorf("%v, asked for %v", err, asked)
			}
			if now := left(t, dir); !maps.Equal(was, now) {
				t.Errorf("it was %.300q, is %.300q", was, now)
			}
			_, _, _, err = p.goOn(t, dir, &GetOptions{IfExists: ExistsOverwrite})
			must(t, err)
		})
	}
}

// listed serves a manifest that does not tell whether it has changed.
func (p *parted) listed(text string) {
	p.Serve("/m.parts", farm.Resource{Body: []byte(text), ETag: farm.NoETag})
}

// An alternative other than the one that was read goes on if it has the same bytes.
func TestGetManifestGoesOnElsewhere(t *testing.T) {
	for _, test := range []struct {
		name   string
		mirror func(text string) farm.Resource
		want   error
	}{
		{"the same", func(text string) farm.Resource { return farm.Resource{Body: []byte(text), ETag: `"b"`} }, nil},
		{"the same, without ranges", func(text string) farm.Resource { return farm.Resource{Body: []byte(text), NoRange: true} }, nil},
		{"others", func(text string) farm.Resource { return farm.Resource{Body: []byte(strings.ToUpper(text))} }, source.ErrChanged},
		{"others, without ranges", func(text string) farm.Resource {
			return farm.Resource{Body: []byte(strings.ToUpper(text)), NoRange: true}
		}, source.ErrChanged},
		{"too short", func(text string) farm.Resource { return farm.Resource{Body: []byte(text[:10])} }, source.ErrChanged},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newParted(t, 3)
			p.list("0\n--\n1\nb\n--\n2\n")
			dir := t.TempDir()
			p.cut(t, dir, len(p.texts[0])+5000)
			p.Serve("/1", farm.Resource{Status: 404})
			p.Serve("/b", test.mirror(p.texts[1]))
			_, _, _, err := p.goOn(t, dir, nil)
			if !errors.Is(err, test.want) {
				t.Errorf("error %v", err)
			}
			if test.want == nil {
				wantFiles(t, dir, map[string]string{"FILE": p.whole()})
			} else {
				wantFiles(t, dir, map[string]string{"FILE.part": p.whole()[:len(p.texts[0])+5000]})
			}
		})
	}
}

// A mirror of the manifest may list parts of its own, if these have the same bytes.
func TestGetManifestGoesOnWithAMirror(t *testing.T) {
	for _, same := range []bool{true, false} {
		p := newParted(t, 3)
		p.list("a.parts\nb.parts\n")
		p.Serve("/a.parts", farm.Resource{Body: []byte("0\n--\n1\n--\n2\n")})
		dir := t.TempDir()
		at := len(p.texts[0]) + 5000
		p.cut(t, dir, at)
		var list []string
		for i, text := range p.texts {
			if i == 1 && !same {
				text = strings.ToUpper(text)
			}
			p.Serve(fmt.Sprint("/b/", i), farm.Resource{Body: []byte(text), ETag: fmt.Sprintf(`"b%d"`, i)})
			list = append(list, fmt.Sprint("b/", i))
		}
		p.Serve("/b.parts", farm.Resource{Body: []byte(strings.Join(list, "\n--\n"))})
		p.Serve("/a.parts", farm.Resource{Status: 404})
		_, asked, sent, err := p.goOn(t, dir, nil)
		if errors.Is(err, source.ErrChanged) == same || (err == nil) != same {
			t.Errorf("same: %v, error %v", same, err)
		}
		if !same {
			continue
		}
		wantFiles(t, dir, map[string]string{"FILE": p.whole()})
		if most := int64(len(p.whole())-at+5000) + 1000; sent > most || asked["/b/0"] != 1 {
			t.Errorf("%d bytes, want %d at most; asked for %v", sent, most, asked)
		}
	}
}

// A part with a promised digest is checked as a whole, without being fetched again; if it is wrong, it is.
func TestGetManifestGoesOnWithADigest(t *testing.T) {
	p := newParted(t, 3)
	p.list("0\n--\n1#sha256=" + hexOf(p.texts[1]) + "\n--\n2\n")
	at := len(p.texts[0]) + 5000
	t.Run("right", func(t *testing.T) {
		dir := t.TempDir()
		p.cut(t, dir, at)
		_, _, sent, err := p.goOn(t, dir, nil)
		must(t, err)
		wantFiles(t, dir, map[string]string{"FILE": p.whole()})
		if want := int64(len(p.whole()) - at); sent != want {
			t.Errorf("%d bytes, want %d", sent, want)
		}
	})
	t.Run("wrong", func(t *testing.T) {
		dir := t.TempDir()
		wrong := strings.ToUpper(p.texts[1])
		p.Serve("/1", farm.Resource{Body: []byte(wrong), ETag: `"1"`, StallAt: 6000})
		p.cut(t, dir, at)
		p.Serve("/1", farm.Resource{Body: []byte(p.texts[1]), ETag: `"1"`})
		res, _, _, err := p.goOn(t, dir, nil)
		must(t, err)
		wantFiles(t, dir, map[string]string{"FILE": p.whole()})
		wantResult(t, res, p.whole())
	})
}

// Manifests inside manifests, found by their media type only, and parts whose size is not told.
func TestGetManifestGoesOnInside(t *testing.T) {
	p := newParted(t, 6)
	p.list("0\n--\ninner\n--\n5\n")
	p.Serve("/inner", farm.Resource{Body: []byte("1\n--\n2\n--\ndeep.parts\n--\n4\n"), MediaType: manifest.MediaType})
	p.Serve("/deep.parts", farm.Resource{Body: []byte("3")})
	p.Serve("/2", farm.Resource{Body: []byte(p.texts[2]), NoLength: true, NoRange: true})
	for n := 1; n < len(p.whole()); n += 7001 {
		dir := t.TempDir()
		p.cut(t, dir, n)
		res, _, _, err := p.goOn(t, dir, nil)
		must(t, err)
		wantFiles(t, dir, map[string]string{"FILE": p.whole()})
		wantResult(t, res, p.whole())
	}
}

// With fewer places than parts, the size of a part is asked for, or promised.
func TestGetManifestOfManyParts(t *testing.T) {
	origin := newFarm(t)
	var manifest, whole strings.Builder
	for i := range 600 {
		text := fmt.Sprintf("the part with number %d\n", i)
		origin.Serve(fmt.Sprint("/", i), farm.Resource{Body: []byte(text)})
		whole.WriteString(text)
		if i%2 == 0 {
			fmt.Fprintf(&manifest, "%d\n--\n", i)
		} else {
			fmt.Fprintf(&manifest, "%d#size=%d\n--\n", i, len(text))
		}
	}
	p := &parted{origin, []string{whole.String()}}
	p.list(manifest.String())
	dir := t.TempDir()
	p.cut(t, dir, whole.Len()-10)
	_, asked, sent, err := p.goOn(t, dir, nil)
	must(t, err)
	wantFiles(t, dir, map[string]string{"FILE": whole.String()})
	if sent > 1000 || len(asked) > 302 || slices.Max(slices.Collect(maps.Values(asked))) > 1 {
		t.Errorf("%d bytes, %d URLs asked for", sent, len(asked))
	}
}

// What has no end goes on as far as the places go, and from there the size of each part is asked for.
func TestGetEndlessManifestGoesOn(t *testing.T) {
	p := newParted(t, 2)
	p.list("0\n--\n1\n--\nm.parts\n")
	lap := p.whole()
	dir := t.TempDir()
	for _, laps := range []int{3, 10, 150, 200} {
		n := laps*len(lap) + len(p.texts[0]) + 5
		before := p.Requests("/0") + p.Requests("/1")
		p.cut(t, dir, n)
		wantFiles(t, dir, map[string]string{"FILE.part": strings.Repeat(lap, laps+1)[:n]})
		if asked := p.Requests("/0") + p.Requests("/1") - before; laps == 10 && asked > 2*7+2+16 {
			t.Errorf("%d requests for 7 laps and what is read ahead", asked)
		}
	}
}

// What has not the digest that was promised is no beginning of anything.
func TestGetManifestOfAnotherDigest(t *testing.T) {
	p := newParted(t, 2)
	dir := t.TempDir()
	p.cut(t, dir, 5000)
	sum := checksum.Sum{Algorithm: checksum.SHA256, Value: make([]byte, 32)}
	_, _, _, err := p.goOn(t, dir, &GetOptions{Checksums: []checksum.Sum{sum}})
	if !errors.Is(err, source.ErrCorrupt) {
		t.Errorf("error %v", err)
	}
	if _, err := os.Lstat(filepath.Join(dir, "FILE.spate")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the journal: %v", err)
	}
}

// The journal of another output of the same name is not gone on with.
func TestGetManifestOverwritten(t *testing.T) {
	p := newParted(t, 3)
	dir := t.TempDir()
	p.cut(t, dir, 5000)
	res, _, sent, err := p.goOn(t, dir, &GetOptions{IfExists: ExistsOverwrite})
	must(t, err)
	wantFiles(t, dir, map[string]string{"FILE": p.whole()})
	if res.Resumed != 0 || sent != int64(len(p.whole())) {
		t.Errorf("%d bytes were there, %d were sent", res.Resumed, sent)
	}
}

func hexOf(text string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(text))) }
