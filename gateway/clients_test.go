package gateway_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"spate/internal/farm"
)

// remote is an io.ReaderAt over HTTP, as many programs have one.
type remote struct {
	s    *scene
	t    *testing.T
	path string
}

func (r remote) ReadAt(p []byte, off int64) (int, error) {
	status, got := r.s.get(r.t, r.path, "Range", fmt.Sprintf("bytes=%d-%d", off, off+int64(len(p))-1))
	if status != http.StatusPartialContent {
		return 0, fmt.Errorf("status %d", status)
	}
	if n := copy(p, got); n < len(p) {
		return n, io.EOF
	}
	return len(p), nil
}

// TestZip opens one file of a large archive that is in parts; most of it is never fetched.
func TestZip(t *testing.T) {
	s := stage(t, nil)
	var archive bytes.Buffer
	w := zip.NewWriter(&archive)
	for i := range 30 {
		f, err := w.CreateHeader(&zip.FileHeader{Name: fmt.Sprint("file", i), Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(text(fmt.Sprint("file", i), 1<<20)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for i := 0; archive.Len() > 0; i++ {
		part := bytes.Clone(archive.Next(4_000_000))
		s.put(fmt.Sprint("/part", i), part)
		lines = append(lines, fmt.Sprintf("part%d#size=%d&sha256=%x", i, len(part), sha256.Sum256(part)))
	}
	s.put("/x.zip.parts", parts(lines...))
	size := s.ask(t, http.MethodHead, s.of("/x.zip.parts")).ContentLength
	r, err := zip.NewReader(remote{s, t, s.of("/x.zip.parts")}, size)
	if err != nil {
		t.Fatal(err)
	}
	f, err := r.Open("file17")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got, err := io.ReadAll(f); err != nil || !bytes.Equal(got, text("file17", 1<<20)) {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
	if n := s.pool.Stats().OriginBytes; n > size/2 {
		t.Errorf("%d bytes were fetched of %d", n, size)
	}
}

// TestCurl reads ranges as curl -r asks for them.
func TestCurl(t *testing.T) {
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("curl is not installed")
	}
	s := stage(t, nil)
	film := made(1, 5_000_000)
	s.Serve("/film", film)
	all := some(film, 0, film.Size)
	for rng, want := range map[string][]byte{"0-1": all[:2], "4999999-": all[4_999_999:], "-500": all[len(all)-500:], "0-": all,
		"262143-262144": all[262_143:262_145]} {
		out, err := exec.CommandContext(t.Context(), curl, "-sSf", "-r", rng, s.server.URL+s.of("/film")).Output()
		if err != nil || !bytes.Equal(out, want) {
			t.Errorf("%s: %d bytes, %v", rng, len(out), err)
		}
	}
	out, err := exec.CommandContext(t.Context(), curl, "-sSf", "-C", "4999990", s.server.URL+s.of("/film")).Output()
	if err != nil || !bytes.Equal(out, all[4_999_990:]) {
		t.Errorf("going on: %d bytes, %v", len(out), err)
	}
}

// sound is a WAV of so many seconds. Its title comes behind its samples.
func sound(seconds int) []byte {
	const rate = 48_000
	var samples bytes.Buffer
	for i := range rate * seconds {
		v := int16(8000 * math.Sin(2*math.Pi*440*float64(i)/rate))
		samples.Write(binary.LittleEndian.AppendUint16(nil, uint16(v)))
	}
	chunk := func(name string, data []byte) []byte {
		return append(binary.LittleEndian.AppendUint32([]byte(name), uint32(len(data))), data...)
	}
	format := binary.LittleEndian.AppendUint16(nil, 1) // PCM
	format = binary.LittleEndian.AppendUint16(format, 1)
	format = binary.LittleEndian.AppendUint32(format, rate)
	format = binary.LittleEndian.AppendUint32(format, 2*rate)
	format = binary.LittleEndian.AppendUint16(format, 2)
	format = binary.LittleEndian.AppendUint16(format, 16)
	title := append([]byte("INFO"), chunk("INAM", []byte("a tone at the end\x00"))...)
	body := bytes.Join([][]byte{[]byte("WAVE"), chunk("fmt ", format), chunk("data", samples.Bytes()), chunk("LIST", title)}, nil)
	return chunk("RIFF", body)
}

// TestFfprobe: what plays media finds how long a file is, and what is said at its end, without reading it all.
func TestFfprobe(t *testing.T) {
	probe, err := exec.LookPath("ffprobe")
	if err != nil {
		t.Skip("ffprobe (Debian: ffmpeg) is not installed; make deps does that where apt-get is")
	}
	s := stage(t, nil)
	const seconds = 200
	wav := sound(seconds)
	s.Serve("/tone.wav", farm.Resource{Body: wav, MediaType: "audio/x-wav"})
	s.put("/first", wav[:1_000_000])
	s.put("/second", wav[1_000_000:])
	s.put("/tone.wav.parts", parts("first", "second"))
	for _, path := range []string{"/tone.wav", "/tone.wav.parts"} {
		before := s.pool.Stats().OriginBytes
		out, err := exec.CommandContext(t.Context(), probe, "-v", "error", "-of", "csv=p=0",
			"-show_entries", "format=duration:format_tags=title:stream=codec_name,sample_rate", s.server.URL+s.of(path)).CombinedOutput()
		for _, want := range []string{"pcm_s16le,48000", fmt.Sprintf("%d.000000", seconds), "a tone at the end"} {
			if err != nil || !strings.Contains(string(out), want) {
				t.Errorf("%s: no %q in %q, %v", path, want, out, err)
			}
		}
		if n := s.pool.Stats().OriginBytes - before; n > int64(len(wav))/2 {
			t.Errorf("%s: %d bytes were fetched of %d", path, n, len(wav))
		}
	}
}

// TestBrowser: one that is led to a film, and to a place near its end, seeks there.
func TestBrowser(t *testing.T) {
	browser, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("chromium is not installed")
	}
	s := stage(t, nil)
	s.Serve("/tone.wav", farm.Resource{Body: sound(200), MediaType: "audio/x-wav"})
	answers := make(chan string, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.server.Config.Handler.ServeHTTP(telling{w, func(status int) { answers <- fmt.Sprintf("%d %s", status, r.Header.Get("Range")) }}, r)
	}))
	defer server.Close()
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	cmd := exec.CommandContext(ctx, browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
		"--user-data-dir="+t.TempDir(), "--autoplay-policy=no-user-gesture-required", server.URL+s.of("/tone.wav")+"#t=150")
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { stop(); _ = cmd.Wait() }() // it was killed
	var seen []string
	for {
		select {
		case answer := <-answers:
			seen = append(seen, answer)
			var off int64
			if _, err := fmt.Sscanf(answer, "206 bytes=%d-", &off); err == nil && off > 10_000_000 {
				return
			}
		case <-ctx.Done():
			t.Fatalf("it has not sought: %q", seen)
		}
	}
}

// telling tells the status of an answer.
type telling struct {
	http.ResponseWriter
	tell func(status int)
}

func (w telling) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w telling) WriteHeader(status int) {
	w.tell(status)
	w.ResponseWriter.WriteHeader(status)
}
