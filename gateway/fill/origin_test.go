package fill

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"sync"
	"testing"
	"time"

	"spate/fetch"
	"spate/internal/farm"
	"spate/source"
)

const gib = 1 << 30

// The last KiB of a cold 1 GiB file costs the origin at most 2 MiB, whether or not it is known where it is.
func TestTailOfLargeFile(t *testing.T) {
	for name, at := range map[string]int64{"asked for by its offset": gib - 1024, "asked for from the end": -1} {
		t.Run(name, func(t *testing.T) {
			o := origin(t)
			o.Serve("/f", farm.Resource{Gen: sized(1, gib), Size: gib, ETag: `"1"`})
			f := open(t, pool(t, Options{}), at, o.URL("/f"))
			if size := f.Info().Size; size != gib {
				t.Fatalf("size %d", size)
			}
			want := make([]byte, 1024)
			generate(1)(gib-1024, want)
			wants(t, f, gib-1024, -1, want)
			if n := sent(o); n > 2<<20 {
				t.Errorf("the origin sent %d bytes", n)
			}
			for _, r := range o.Log() {
				if r.Method != http.MethodGet {
					t.Errorf("a %s", r.Method)
				}
			}
		})
	}
}

// What the file is comes with the first range that was wanted.
func TestIdentityComesWithTheFirstRange(t *testing.T) {
	o := origin(t)
	body := content(4 * blk)
	o.Serve("/f", farm.Resource{Body: body, ETag: `"1"`, MediaType: "video/mp4"})
	f := open(t, pool(t, Options{}), 2*blk+7, o.URL("/f"))
	wants(t, f, 2*blk+7, 100, body[2*blk+7:][:100])
	info := f.Info()
	if info.Size != 4*blk || info.Validator != `"1"` || info.MediaType != "video/mp4" {
		t.Errorf("%+v", info)
	}
	if log := o.Log(); len(log) != 1 || log[0].Range != "bytes=524288-" {
		t.Errorf("%+v", log)
	}
}

// Who says where its range ends has the origin asked for the blocks of that, and for no more.
func TestFirstRequestEndsWithTheRange(t *testing.T) {
	for _, tt := range []struct {
		off, n int64
		asked  string
	}{{7, 1, "bytes=0-262143"}, {2*blk + 7, 100, "bytes=524288-786431"}, {blk - 1, 2, "bytes=0-524287"}, {0, blk, "bytes=0-262143"},
		{4*blk - 1, 5, "bytes=786432-1310719"}, {8 * blk, 1, "bytes=2097152-2359295"}} {
		o := origin(t)
		body := content(4*blk + 1)
		o.Serve("/f", farm.Resource{Body: body, ETag: `"1"`})
		f, err := pool(t, Options{}).Open(within(t), What{Mirrors: []string{o.URL("/f")}, At: tt.off, End: tt.off + tt.n})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		wants(t, f, tt.off, tt.n, body[min(tt.off, int64(len(body))):min(tt.off+tt.n, int64(len(body)))])
		if f.Info().Size != int64(len(body)) {
			t.Errorf("size %d", f.Info().Size)
		}
		if log := o.Log(); log[0].Range != tt.asked || len(log) > 1 && tt.off < int64(len(body)) {
			t.Errorf("%d bytes from %d: want %s alone: %+v", tt.n, tt.off, tt.asked, log)
		}
		wants(t, f, 0, -1, body)
	}
}

// A range that has an end says nothing of what the file is where the origin has no ranges, or tells no size.
func TestFirstRangeOfOddOrigins(t *testing.T) {
	body := content(3*blk + 5)
	for name, r := range map[string]farm.Resource{"no ranges": {NoRange: true}, "nor a length": {NoRange: true, NoLength: true}, "no total": {NoTotal: true},
		"less than asked for": {RangeMax: 100_000}, "to the end": {RangeOpen: true}} {
		o := origin(t)
		r.Body, r.ETag = body, `"1"`
		o.Serve("/f", r)
		f, err := pool(t, Options{}).Open(within(t), What{Mirrors: []string{o.URL("/f")}, At: blk + 1, End: blk + 3})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		t.Cleanup(func() { f.Close() })
		wants(t, f, blk+1, 2, body[blk+1:blk+3])
		wants(t, f, 0, -1, body)
		if n := o.Requests("/f"); n > 40 {
			t.Errorf("%s: %d requests", name, n)
		}
	}
}

// An offset behind the end says nothing but the size.
func TestFirstOffsetBehindTheEnd(t *testing.T) {
	o := origin(t)
	body := content(3000)
	o.Serve("/f", farm.Resource{Body: body, ETag: `"1"`})
	f := open(t, pool(t, Options{}), 1<<20, o.URL("/f"))
	if f.Info().Size != 3000 || f.Info().Validator != `"1"` {
		t.Fatalf("%+v", f.Info())
	}
	wants(t, f, 1<<20, 10, nil)
	wants(t, f, 2999, 10, body[2999:])
}

func TestEmptyFile(t *testing.T) {
	for _, r := range []farm.Resource{{}, {NoRange: true}, {NoLength: true, NoRange: true}} {
		o := origin(t)
		o.Serve("/f", r)
		f := open(t, pool(t, Options{}), 0, o.URL("/f"))
		wants(t, f, 0, -1, nil)
		if f.Info().Size != 0 {
			t.Errorf("%+v: size %d", r, f.Info().Size)
		}
	}
}

// The origin dies in the middle, once: what is missing is asked for again, and nothing else.
func TestOriginDiesAndComesBack(t *testing.T) {
	o := origin(t)
	body := content(3<<20 + 5)
	o.Serve("/f", farm.Resource{Body: body, ETag: `"1"`, BreakAt: 1<<20 + 300, BreakTimes: 1})
	p := pool(t, Options{})
	f := open(t, p, 0, o.URL("/f"))
	wants(t, f, 0, -1, body)
	if d := p.Stats().DuplicateBytes; d != 0 {
		t.Errorf("%d bytes came twice", d)
	}
}

// It dies for good, and there is no other: what has come is handed out, then why there is no more.
func TestOriginDies(t *testing.T) {
	o := origin(t)
	body := content(3 << 20)
	o.Serve("/f", farm.Resource{Body: body, ETag: `"1"`, BreakAt: 1<<20 + 300})
	f := open(t, pool(t, Options{}), 0, o.URL("/f"))
	got, err := get(within(t), f, 0, -1)
	if source.KindOf(err) != source.KindNetwork || !bytes.Equal(got, body[:1<<20+300]) {
		t.Errorf("%d bytes, then %v", len(got), err)
	}
}

// It dies for good, and a mirror has the rest.
func TestMirrorTakesOver(t *testing.T) {
	for _, after := range []int64{farm.AtOnce, 100, 1<<20 + 300, 2 << 20} {
		a, b := origin(t), origin(t)
		body := content(3<<20 + 5)
		a.Serve("/f", farm.Resource{Body: body, ETag: `"a"`, BreakAt: after})
		b.Serve("/f", farm.Resource{Body: body, ETag: `"b"`})
		f := open(t, pool(t, Options{}), 0, a.URL("/f"), b.URL("/f"))
		wants(t, f, 0, -1, body)
	}
}

func TestAllMirrorsFail(t *testing.T) {
	a, b := origin(t), origin(t)
	a.Serve("/f", farm.Resource{Status: 404})
	b.Serve("/f", farm.Resource{Status: 503})
	p := pool(t, Options{})
	_, err := p.Open(within(t), What{Mirrors: []string{a.URL("/f"), b.URL("/f")}})
	all, ok := errors.AsType[*fetch.MirrorsError](err)
	if !ok || len(all.Errs) != 2 || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
	if n := b.Requests("/f"); n != tries {
		t.Errorf("the mirror that has too much to do was asked %d times", n)
	}
	if _, err := p.Open(within(t), What{Mirrors: []string{a.URL("/f")}}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
	a.Serve("/f", farm.Resource{Body: []byte("back")})
	wants(t, open(t, p, 0, a.URL("/f")), 0, -1, []byte("back"))
}

// A mirror of another size, or other bytes, is not used.
func TestMirrorThatDiffers(t *testing.T) {
	body := content(2 << 20)
	other := bytes.Clone(body)
	for i := range other {
		other[i] ^= 1
	}
	for name, r := range map[string]farm.Resource{
		"size":      {Body: append(bytes.Clone(body), 'x'), ETag: `"b"`},
		"bytes":     {Body: other, ETag: `"b"`},
		"validator": {Body: other, ETag: `"a"`},
	} {
		t.Run(name, func(t *testing.T) {
			a, b, c := origin(t), origin(t), origin(t)
			a.Serve("/f", farm.Resource{Body: body, ETag: `"a"`, BreakAt: 1 << 20})
			b.Serve("/f", r)
			c.Serve("/f", farm.Resource{Body: body, ETag: `"c"`})
			p := pool(t, Options{})
			f := open(t, p, 0, a.URL("/f"), b.URL("/f"), c.URL("/f"))
			wants(t, f, 0, -1, body)
			if n := p.Stats().Aside; n != 1 {
				t.Errorf("%d mirrors are set aside", n)
			}
		})
	}
}

// An origin that changes: who reads fails, who comes later has the new version, and nobody has both.
func TestVersionChanges(t *testing.T) {
	for name, tags := range map[string][2]string{"strong": {`"1"`, `"2"`}, "none": {farm.NoETag, farm.NoETag}, "weak": {`W/"1"`, `W/"1"`}} {
		t.Run(name, func(t *testing.T) {
			o := origin(t)
			was, now := content(4<<20), make([]byte, 4<<20)
			generate(7)(0, now)
			o.Serve("/f", farm.Then(farm.Resource{Body: was, ETag: tags[0], BreakAt: 1<<20 + 9}, farm.Resource{Body: now, ETag: tags[1]}))
			p := pool(t, Options{Cache: newShelf(1)})
			f := open(t, p, 0, o.URL("/f"))
			got, err := get(within(t), f, 0, -1)
			if !errors.Is(err, source.ErrChanged) || !bytes.HasPrefix(was[:1<<20+9], got) {
				t.Errorf("%d bytes, then %v", len(got), err)
			}
			wants(t, open(t, p, 0, o.URL("/f")), 0, -1, now)
		})
	}
}

// A range is ignored: one stream from the beginning feeds all.
func TestIgnoredRange(t *testing.T) {
	for _, chunked := range []bool{false, true} {
		o := origin(t)
		body := content(5<<20 + 1)
		o.Serve("/f", farm.Resource{Body: body, ETag: `"1"`, NoRange: true, NoLength: chunked})
		p := pool(t, Options{Cache: newShelf(1)})
		f := open(t, p, 3<<20, o.URL("/f"))
		var wg sync.WaitGroup
		for i := range int64(8) {
			wg.Go(func() {
				off := i * 700_000
				got, err := get(within(t), f, off, 300_000)
				if err != nil || !bytes.Equal(got, body[off:min(off+300_000, int64(len(body)))]) {
					t.Errorf("%d bytes from %d, %v", len(got), off, err)
				}
			})
		}
		wg.Wait()
		wants(t, f, 0, -1, body)
		if f.Info().Size != int64(len(body)) {
			t.Errorf("size %d", f.Info().Size)
		}
		if n := o.Requests("/f"); n != 1 {
			t.Errorf("%d requests", n)
		}
	}
}

// Of what has no known end the bytes come as they are sent, to those that come later as well, and nothing is the end but the end.
func TestUnknownLength(t *testing.T) {
	o := origin(t)
	body := content(2<<20 + 77)
	stalled := make(chan struct{})
	o.Serve("/f", farm.Resource{Body: body, NoRange: true, NoLength: true, ETag: `"1"`, StallAt: 1 << 20, Release: stalled})
	p := pool(t, Options{})
	var readers []io.ReadCloser
	for range 2 {
		f := open(t, p, 0, o.URL("/f"))
		if f.Info().Size != -1 {
			t.Errorf("size %d", f.Info().Size)
		}
		r, err := f.Open(within(t), 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		head := make([]byte, 1<<20)
		if _, err := io.ReadFull(r, head); err != nil || !bytes.Equal(head, body[:1<<20]) {
			t.Fatal(err)
		}
		readers = append(readers, r)
	}
	close(stalled)
	for _, r := range readers {
		rest, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(rest, body[1<<20:]) {
			t.Errorf("%d bytes, %v", len(rest), err)
		}
	}
	f := open(t, p, 0, o.URL("/f"))
	wants(t, f, 1<<20-5, 10, body[1<<20-5:][:10])
	if n := o.Requests("/f"); n != 1 || f.Info().Size != int64(len(body)) {
		t.Errorf("%d requests, size %d", n, f.Info().Size)
	}
}

// A body of unknown length that breaks has not ended.
func TestUnknownLengthBreaks(t *testing.T) {
	o := origin(t)
	body := content(1 << 20)
	o.Serve("/f", farm.Resource{Body: body, NoRange: true, NoLength: true, ETag: farm.NoETag, BreakAt: 600_000})
	p := pool(t, Options{})
	f := open(t, p, 0, o.URL("/f"))
	got, err := get(within(t), f, 0, -1)
	if err == nil || f.Info().Size != -1 || !bytes.Equal(got, body[:600_000]) {
		t.Errorf("%d bytes of %d, %v", len(got), f.Info().Size, err)
	}
}

// What never ends is closed when nobody reads it any more, and begun anew for who comes then.
func TestEndless(t *testing.T) {
	o := origin(t)
	o.Serve("/f", farm.Resource{Gen: generate(1), ETag: `"1"`})
	cache := newShelf(1)
	p := pool(t, Options{Cache: cache, Unknown: 1 << 20})
	f := open(t, p, 0, o.URL("/f"))
	r, err := f.Open(within(t), 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	got, want := make([]byte, 40<<20), make([]byte, 40<<20)
	generate(1)(0, want)
	if _, err := io.ReadFull(r, got); err != nil || !bytes.Equal(got, want) {
		t.Fatal(err)
	}
	g := open(t, p, 0, o.URL("/f")) // the beginning has gone
	wants(t, g, 0, 1000, want[:1000])
	r.Close()
	f.Close()
	g.Close()
	if err := o.Wait(within(t), farm.Ended, "/f", 2); err != nil {
		t.Error(err)
	}
	if n := cache.blocks(); n > 2*(1<<20)/blk {
		t.Errorf("%d blocks were put into the cache", n)
	}
}

// A reader that leaves holds up nobody, and what nobody needs is not fetched.
func TestReaderLeaves(t *testing.T) {
	o := origin(t)
	o.Serve("/f", farm.Resource{Gen: sized(1, gib), Size: gib, ETag: `"1"`})
	p := pool(t, Options{})
	f := open(t, p, 0, o.URL("/f"))
	r, err := f.Open(within(t), 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(r, make([]byte, 2*blk)); err != nil {
		t.Fatal(err)
	}
	r.Close()
	if _, err := r.Read(make([]byte, 1)); err != ErrClosed {
		t.Errorf("a reader that is closed says %v", err)
	}
	if err := o.Wait(within(t), farm.Ended, "/f", 1); err != nil {
		t.Fatal(err)
	}
	if n := p.Stats().OriginBytes; n > 2<<20 {
		t.Errorf("%d bytes were read for 512 KiB", n)
	}
	want := make([]byte, 3*blk)
	generate(1)(0, want)
	wants(t, f, 0, 3*blk, want)
}

// A stream that stalls is overtaken by another connection, and by a mirror.
func TestStallIsOvertaken(t *testing.T) {
	for _, mirrors := range []int{1, 2} {
		a, b := origin(t), origin(t)
		body := content(2 << 20)
		stalls := farm.Resource{Body: body, ETag: `"1"`, StallAt: 1<<20 + 1000}
		fine := farm.Resource{Body: body, ETag: `"1"`}
		urls := []string{a.URL("/f"), b.URL("/f")}[:mirrors]
		a.Serve("/f", farm.Then(stalls, fine))
		if mirrors == 2 {
			a.Serve("/f", stalls)
		}
		b.Serve("/f", fine)
		p := pool(t, Options{})
		begun := time.Now()
		wants(t, open(t, p, 0, urls...), 0, -1, body)
		if s := p.Stats(); s.Stalls == 0 || s.Hedges == 0 || time.Since(begun) < minPatience {
			t.Errorf("%d mirrors: %+v", mirrors, s)
		}
	}
}

// A file that is all there is asked about once it has not been confirmed for a while.
func TestFresh(t *testing.T) {
	for name, tag := range map[string]string{"strong": `"1"`, "none": farm.NoETag} {
		t.Run(name, func(t *testing.T) {
			o := origin(t)
			was, now := content(blk), make([]byte, blk)
			generate(7)(0, now)
			o.Serve("/f", farm.Resource{Body: was, ETag: tag})
			p := pool(t, Options{})
			at := []string{o.URL("/f")}
			wants(t, open(t, p, 0, at...), 0, -1, was)
			wants(t, open(t, p, 0, at...), 0, -1, was)
			if n := o.Requests("/f"); n != 1 {
				t.Errorf("%d requests", n)
			}
			f, err := p.Open(within(t), What{Mirrors: at, Fresh: time.Nanosecond})
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if n := o.Requests("/f"); n != 2 {
				t.Errorf("%d requests", n)
			}
			other := tag
			if tag == `"1"` {
				other = `"2"`
			}
			o.Serve("/f", farm.Resource{Body: now, ETag: other})
			g, err := p.Open(within(t), What{Mirrors: at, Fresh: time.Nanosecond})
			if err != nil {
				t.Fatal(err)
			}
			defer g.Close()
			wants(t, g, 0, -1, now)
			if p.Stats().Changed != 1 {
				t.Errorf("%+v", p.Stats())
			}
		})
	}
}

func TestAcceptRefuses(t *testing.T) {
	a, b := origin(t), origin(t)
	a.Serve("/f", farm.Resource{Body: []byte("a list"), MediaType: "text/x-list"})
	b.Serve("/f", farm.Resource{Body: []byte("bytes")})
	errList := errors.New("a manifest")
	p := pool(t, Options{})
	what := What{Mirrors: []string{a.URL("/f"), b.URL("/f")}, Accept: func(i *source.Info) error {
		if i.MediaType == "text/x-list" {
			return errList
		}
		return nil
	}}
	f, err := p.Open(within(t), what)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	wants(t, f, 0, -1, []byte("bytes"))
	what.Mirrors = what.Mirrors[:1]
	if _, err := p.Open(within(t), what); !errors.Is(err, errList) {
		t.Error(err)
	}
}

// A mirror that does not answer holds nobody up for longer than 2 s.
func TestSilentMirror(t *testing.T) {
	a, b := origin(t), origin(t)
	body := content(2 * blk)
	a.Serve("/f", farm.Resource{HangHeader: true})
	b.Serve("/f", farm.Resource{Body: body, ETag: `"1"`})
	p := pool(t, Options{})
	f := open(t, p, 0, a.URL("/f"), b.URL("/f"))
	wants(t, f, 0, -1, body)
	if s := p.Stats(); s.Hedges == 0 {
		t.Errorf("%+v", s)
	}
	if err := a.Wait(within(t), farm.Ended, "/f", 1); err != nil { // it is let go
		t.Error(err)
	}
}

// An origin that answers a range with less of it, or with more, or lies about it.
func TestOddRanges(t *testing.T) {
	body := content(3*blk + 5)
	for name, r := range map[string]farm.Resource{
		"less than asked for":  {RangeMax: 100_000},
		"to the end":           {RangeOpen: true},
		"no total":             {NoTotal: true},
		"no length":            {NoLength: true},
		"no total, no length":  {NoTotal: true, NoLength: true},
		"cut after each 90000": {BreakAfter: 90_000},
	} {
		for _, tag := range []string{`"1"`, farm.NoETag} {
			t.Run(name+tag, func(t *testing.T) {
				o := origin(t)
				r.Body, r.ETag = body, tag
				o.Serve("/f", r)
				f := open(t, pool(t, Options{}), blk, o.URL("/f"))
				wants(t, f, blk, 2*blk, body[blk:3*blk])
				wants(t, f, 0, -1, body)
			})
		}
	}
	large := content(24 * blk)
	for name, r := range map[string]farm.Resource{"shifted": {RangeShift: 5}, "another total": {TotalOff: 7}} {
		t.Run(name, func(t *testing.T) {
			o := origin(t)
			o.Serve("/f", farm.Resource{Body: large, ETag: `"1"`})
			f := open(t, pool(t, Options{}), 0, o.URL("/f"))
			wants(t, f, 0, 10, large[:10])
			r.Body, r.ETag = large, `"1"`
			o.Serve("/f", r)
			got, err := get(within(t), f, 20*blk, -1)
			if len(got) > 0 || err == nil {
				t.Errorf("%d bytes, %v", len(got), err)
			}
		})
	}
}
