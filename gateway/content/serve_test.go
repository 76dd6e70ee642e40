package content_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"

	"spate/gateway/content"
	"spate/source"
)

// get asks a server that was started.
func get(t *testing.T, s *server, lines ...string) (*http.Response, string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		req.Header.Add(name, value)
	}
	resp, err := s.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp, string(body), err
}

func TestHTTP2(t *testing.T) {
	long := strings.Repeat("0123456789", 20<<10)
	t.Run("range", func(t *testing.T) {
		s := serve(t, of(long))
		s.StartTLS()
		resp, body, err := get(t, s, "Range: bytes=5-100004")
		if resp.ProtoMajor != 2 || resp.StatusCode != 206 || body != long[5:100005] || err != nil {
			t.Errorf("%s %s, %d bytes, %v", resp.Proto, resp.Status, len(body), err)
		}
	})
	t.Run("cut", func(t *testing.T) {
		for _, o := range []*object{of(long, breaking(150_000)), of(long, unsized, breaking(150_000))} {
			s := serve(t, o)
			s.StartTLS()
			resp, body, err := get(t, s)
			if resp.StatusCode != 200 || err == nil || len(body) > 150_000 || !strings.HasPrefix(long, body) {
				t.Errorf("%s, %d bytes, %v", resp.Status, len(body), err)
			}
			s.Close()
			if !errors.Is(s.cutBy(), errBroken) || o.stillOpen() != 0 {
				t.Errorf("cut by %v, %d readers are open", s.cutBy(), o.stillOpen())
			}
		}
	})
}

// A digest that is known only in the end stands in a trailer: with the length over HTTP/2, without it over HTTP/1.1.
func TestTrailer(t *testing.T) {
	long := strings.Repeat("0123456789", 20<<10)
	sum := sha256.Sum256([]byte(long))
	want := "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
	for _, tt := range []struct {
		name   string
		start  func(*server)
		object *object
		length int64
	}{
		{"HTTP/1.1", func(s *server) { s.Start() }, of(long), -1},
		{"HTTP/1.1, length not known", func(s *server) { s.Start() }, of(long, unsized), -1},
		{"HTTP/2", func(s *server) { s.StartTLS() }, of(long), int64(len(long))},
		{"HTTP/2, length not known", func(s *server) { s.StartTLS() }, of(long, unsized), -1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, tt.object)
			tt.start(s)
			resp, body, err := get(t, s, "Want-Content-Digest: sha-256=5", "TE: trailers")
			if err != nil || body != long || resp.ContentLength != tt.length {
				t.Errorf("%d bytes of %d, %v", len(body), resp.ContentLength, err)
			}
			if got := resp.Trailer.Get("Content-Digest"); got != want || resp.Header.Get("Content-Digest") != "" {
				t.Errorf("trailer %q, header %q; want %q", got, resp.Header.Get("Content-Digest"), want)
			}
		})
	}
}

// A witness is an answer that says what has been written when.
type witness struct {
	*httptest.ResponseRecorder
	isBegun bool
}

func (w *witness) WriteHeader(status int) {
	w.isBegun = true
	w.ResponseRecorder.WriteHeader(status)
}

// probe is a reader that tells of each read.
type probe struct {
	io.ReadCloser
	before func()
}

func (p probe) Read(b []byte) (int, error) {
	p.before()
	return p.ReadCloser.Read(b)
}

func request(t *testing.T, method string, lines ...string) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "http://h/x", nil)
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	return r
}

func TestHeaderWaitsForTheFirstByte(t *testing.T) {
	for _, lines := range [][]string{nil, {"Range: bytes=3-"}, {"Range: bytes=0-1,-2"}, {"Want-Content-Digest: sha-256=1"}} {
		w, reads := &witness{ResponseRecorder: httptest.NewRecorder()}, 0
		o := thousand()
		o.wrap = func(r io.ReadCloser) io.ReadCloser {
			return probe{r, func() {
				if reads++; reads == 1 && w.isBegun {
					t.Errorf("%v: the header is out", lines)
				}
			}}
		}
		if err := content.Serve(w, request(t, "GET", lines...), o, nil); err != nil || !w.isBegun || reads == 0 {
			t.Errorf("%v: %v, %d reads", lines, err, reads)
		}
	}
}

// Before anything is written an error is the caller's, who can serve another object.
func TestErrorLeavesTheAnswerAlone(t *testing.T) {
	changed := &source.Error{Op: "read", URL: "u", Kind: source.KindChanged, Err: errors.New("x")}
	for _, o := range []*object{ten(func(o *object) { o.fails = changed }), ten(func(o *object) { o.breaks, o.at = changed, 0 }),
		ten(func(o *object) { o.breaks, o.at, o.step = changed, 10, 10 })} {
		w := &witness{ResponseRecorder: httptest.NewRecorder()}
		w.Header().Set("Vary", "Origin")
		before := maps.Clone(w.Header())
		err := content.Serve(w, request(t, "GET"), o, nil)
		if !errors.Is(err, source.ErrChanged) || w.isBegun || !maps.EqualFunc(before, w.Header(), func(a,
			b []string) bool {
			return len(a) == len(b)
		}) {
			t.Fatalf("%v, %v", err, w.Header())
		}
		if err := content.Serve(w, request(t, "GET"), of("new"),
			nil); err != nil || w.Body.String() != "new" || w.Header().Get("Vary") != "Origin" {
			t.Errorf("then %v, %q", err, w.Body)
		}
	}
}

// A block goes out before the next one is there: the first of an object, and each of one that gives little at a time.
func TestBlocksGoOutAsTheyCome(t *testing.T) {
	for name, o := range map[string]*object{"sized": ten(), "length not known": ten(unsized)} {
		t.Run(name, func(t *testing.T) {
			next := make(chan struct{})
			o.step = 1
			o.wrap = func(r io.ReadCloser) io.ReadCloser { return probe{r, func() { <-next }} }
			s := serve(t, o)
			s.Start()
			go func() { next <- struct{}{} }()
			resp, err := s.Client().Get(s.URL)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			// The byte before the last goes out once the last has been read: nothing is held back but that.
			for i := range 9 {
				var b [1]byte
				if _, err := io.ReadFull(resp.Body, b[:]); err != nil || b[0] != o.data[i] {
					t.Fatalf("byte %d: %q, %v", i, b, err)
				}
				next <- struct{}{}
			}
			close(next)
			if rest, err := io.ReadAll(resp.Body); string(rest) != "9" || err != nil {
				t.Errorf("%q, %v", rest, err)
			}
		})
	}
}

// A client that leaves in the middle ends what is read for it.
func TestClientLeaves(t *testing.T) {
	for name, change := range map[string]func(*object){"sized": func(*object) {}, "endless": unsized} {
		t.Run(name, func(t *testing.T) {
			o := &endless{object: of(strings.Repeat("x", 1<<20), change)}
			s := serve(t, o)
			s.Start()
			ctx, leave := context.WithCancel(t.Context())
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := s.Client().Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if _, err := io.CopyN(io.Discard, resp.Body, 1000); err != nil {
				t.Fatal(err)
			}
			leave()
			s.Close() // waits for the handler
			if s.cutBy() == nil || o.stillOpen() != 0 {
				t.Errorf("cut by %v, %d readers are open", s.cutBy(), o.stillOpen())
			}
		})
	}
}

// An endless object gives so much, and then nothing until nobody wants more.
type endless struct{ *object }

func (e *endless) Open(ctx context.Context, off, n int64) (io.ReadCloser, error) {
	r, err := e.object.Open(ctx, off, n)
	if err != nil {
		return nil, err
	}
	return &stalling{ReadCloser: r, ctx: ctx}, nil
}

type stalling struct {
	io.ReadCloser
	ctx context.Context
	n   int
}

func (s *stalling) Read(p []byte) (int, error) {
	if s.n > 100_000 {
		<-s.ctx.Done()
		return 0, s.ctx.Err()
	}
	n, err := s.ReadCloser.Read(p)
	s.n += n
	return n, err
}

func TestFailToNobody(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := &witness{ResponseRecorder: httptest.NewRecorder()}
	defer func() {
		if got := recover(); got != http.ErrAbortHandler || w.isBegun {
			t.Errorf("panics with %v, begun: %v", got, w.isBegun)
		}
	}()
	content.Fail(w, request(t, "GET").WithContext(ctx), errBroken)
	t.Error("answered")
}

// A null takes what is written and keeps nothing.
type null struct {
	header http.Header
	n      int64
}

func (w *null) Header() http.Header { return w.header }
func (w *null) WriteHeader(int)     {}
func (w *null) Flush()              {}
func (w *null) Write(p []byte) (int, error) {
	w.n += int64(len(p))
	return len(p), nil
}

// A block allocates nothing.
func TestAllocations(t *testing.T) {
	allocs := func(size int) float64 {
		o := of(strings.Repeat("x", size))
		r := request(t, "GET", fmt.Sprintf("Range: bytes=0-%d", size-1))
		return testing.AllocsPerRun(20, func() {
			o.opened = o.opened[:0]
			w := &null{header: make(http.Header)}
			if err := content.Serve(w, r, o, nil); err != nil || w.n != int64(size) {
				t.Fatalf("%d bytes, %v", w.n, err)
			}
		})
	}
	// A garbage collection may take the buffer in between, which is one allocation more.
	if small, large := allocs(1<<10), allocs(16<<20); large > small+2 {
		t.Errorf("%v allocations for 1 KiB, %v for 16 MiB", small, large)
	}
}

// Random ranges, read as a client would, are the bytes of the object.
func TestRangesAtRandom(t *testing.T) {
	seed := rand.Uint64()
	rnd := rand.New(rand.NewPCG(seed, 0))
	data := make([]byte, 200_000)
	for i := range data {
		data[i] = byte(rnd.Uint32())
	}
	s := serve(t, of(string(data)))
	s.Start()
	for range 100 {
		var set []string
		for range 1 + rnd.IntN(4) {
			first := rnd.IntN(len(data))
			set = append(set, fmt.Sprintf("%d-%d", first, first+rnd.IntN(50_000)))
		}
		resp, body, err := get(t, s, "Range: bytes="+strings.Join(set, ","))
		if err != nil || resp.ContentLength != int64(len(body)) {
			t.Fatalf("seed %d: %v: %v, %d bytes of %d", seed, set, err, len(body), resp.ContentLength)
		}
		if problem := compare(resp, body, data); problem != "" {
			t.Fatalf("seed %d: %v: %s", seed, set, problem)
		}
	}
}

// compare says what is wrong about a 200 or 206 of data.
func compare(resp *http.Response, body string, data []byte) string {
	kind, params, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	switch {
	case err != nil:
		return err.Error()
	case resp.StatusCode == http.StatusOK:
		if body != string(data) {
			return "another whole"
		}
		return ""
	case kind != "multipart/byteranges":
		return comparePart(resp.Header.Get("Content-Range"), body, data)
	}
	parts := 0
	for r := multipart.NewReader(strings.NewReader(body), params["boundary"]); ; parts++ {
		p, err := r.NextRawPart()
		if err == io.EOF && parts > 1 {
			return ""
		}
		if err != nil {
			return err.Error()
		}
		text, err := io.ReadAll(p)
		if err != nil {
			return err.Error()
		}
		if problem := comparePart(p.Header.Get("Content-Range"), string(text), data); problem != "" {
			return problem
		}
	}
}

func comparePart(contentRange, body string, data []byte) string {
	var first, last, size int
	if _, err := fmt.Sscanf(contentRange, "bytes %d-%d/%d", &first, &last, &size); err != nil || size != len(data) {
		return contentRange
	}
	if body != string(data[first:last+1]) {
		return contentRange + ": other bytes"
	}
	return ""
}

// The example of RFC 9110 §14.6, to the byte but for the boundary.
func TestExampleOfRFC(t *testing.T) {
	data := strings.Repeat("x", 8000)
	s := serve(t, of(data, func(o *object) { o.info.MediaType = "application/pdf" }))
	s.Start()
	got := s.ask(t, "GET", "HTTP/1.1", "Range: bytes=500-999,7000-7999")
	want := "--THIS_STRING_SEPARATES\r\nContent-Type: application/pdf\r\nContent-Range: bytes 500-999/8000\r\n\r\n" + data[500:1000] +
		"\r\n--THIS_STRING_SEPARATES\r\nContent-Type: application/pdf\r\nContent-Range: bytes 7000-7999/8000\r\n\r\n" + data[7000:] +
		"\r\n--THIS_STRING_SEPARATES--\r\n"
	want = strings.ReplaceAll(want, "THIS_STRING_SEPARATES", boundary(got))
	if !strings.HasPrefix(got.raw, "HTTP/1.1 206 Partial Content\r\n") || !strings.HasSuffix(got.raw, "\r\n\r\n"+want) {
		t.Errorf("%.400q", got.raw)
	}
	if got.ContentLength != int64(len(want)) {
		t.Errorf("Content-Length %d, want %d", got.ContentLength, len(want))
	}
}

// A readerAt reads a URL by ranges.
type readerAt struct {
	t *testing.T
	s *server
}

func (r readerAt) ReadAt(p []byte, off int64) (int, error) {
	resp, body, err := get(r.t, r.s, fmt.Sprintf("Range: bytes=%d-%d", off, off+int64(len(p))-1))
	switch {
	case resp.StatusCode == http.StatusRequestedRangeNotSatisfiable:
		return 0, io.EOF
	case resp.StatusCode != http.StatusPartialContent:
		return 0, errors.New(resp.Status)
	}
	n := copy(p, body)
	if err == nil && n < len(p) {
		err = io.EOF
	}
	return n, err
}

func TestZip(t *testing.T) {
	var archive bytes.Buffer
	w := zip.NewWriter(&archive)
	want := make(map[string]string)
	for i := range 20 {
		name := fmt.Sprintf("d/%d.txt", i)
		want[name] = strings.Repeat(name+"\n", i*500)
		f, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, want[name]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	s := serve(t, of(archive.String()))
	s.Start()
	r, err := zip.NewReader(readerAt{t, s}, int64(archive.Len()))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.File {
		body, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(body)
		if err != nil || string(text) != want[f.Name] {
			t.Errorf("%s: %d bytes, %v", f.Name, len(text), err)
		}
		if err := body.Close(); err != nil {
			t.Error(err)
		}
	}
	if len(r.File) != len(want) {
		t.Errorf("%d files", len(r.File))
	}
}

func TestCurl(t *testing.T) {
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("there is no curl")
	}
	long := strings.Repeat("0123456789", 20<<10)
	s := serve(t, of(long))
	s.Start()
	for args, want := range map[string]string{"": long, "-r 0-1": long[:2], "-r -5": long[len(long)-5:], "-C 100000": long[100_000:],
		"-0 -r 7-100007": long[7:100_008]} {
		out, err := exec.CommandContext(t.Context(), curl, append(strings.Fields(args), "-sS", "-f", s.URL)...).Output()
		if err != nil || string(out) != want {
			t.Errorf("curl %s: %d bytes, %v", args, len(out), err)
		}
	}
	broken := serve(t, of(long, breaking(100_000)))
	broken.Start()
	err = exec.CommandContext(t.Context(), curl, "-sS", broken.URL).Run()
	if e, ok := errors.AsType[*exec.ExitError](err); !ok || e.ExitCode() != 18 && e.ExitCode() != 56 {
		t.Errorf("of what breaks: %v, want CURLE_PARTIAL_FILE or CURLE_RECV_ERROR", err)
	}
}
