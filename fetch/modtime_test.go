package fetch

import (
	"os"
	"testing"
	"time"

	"spate/internal/farm"
	"spate/source/httpsource"
)

var longAgo = time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)

func wantModTime(t *testing.T, path string, want time.Time) {
	t.Helper()
	info, err := os.Stat(path)
	must(t, err)
	if !info.ModTime().Equal(want) {
		t.Errorf("%s is of %v, want %v", path, info.ModTime(), want)
	}
}

func TestModTime(t *testing.T) {
	f, path := begin(t, nil)
	f.SetModTime(longAgo)
	write(t, f, "text")
	must(t, f.Commit())
	wantModTime(t, path, longAgo)
	wantContent(t, path, "text")
}

func TestModTimeOfAFinishedFile(t *testing.T) {
	f, path := begin(t, nil)
	f.SetModTime(longAgo)
	write(t, f, "te")
	must(t, f.Finish())
	must(t, f.Rewind(1))
	write(t, f, "ext")
	must(t, f.Finish())
	must(t, f.Commit())
	wantModTime(t, path, longAgo)
	wantContent(t, path, "text")
}

func TestModTimeOfAnObject(t *testing.T) {
	origin := farm.New()
	defer origin.Close()
	data := content(3 << 20)
	origin.Serve("/x", farm.Resource{Body: data})
	path := t.TempDir() + "/x"
	src := httpsource.New(nil)
	defer src.CloseIdleConnections()
	o, err := OpenObject(t.Context(), src, []Mirror{{URL: origin.URL("/x")}}, &ObjectOptions{Connections: 2})
	must(t, err)
	defer o.Close()
	file := mustCreate(t, path, nil)
	file.SetModTime(longAgo)
	_, err = o.To(file)
	must(t, err)
	wantModTime(t, path, longAgo)
	wantContent(t, path, string(data))
}

// What is not whole is as old as it is.
func TestModTimeOfWhatIsKept(t *testing.T) {
	f, path := begin(t, nil)
	f.SetModTime(longAgo)
	write(t, f, "te")
	must(t, f.Keep())
	info, err := os.Stat(path + Ext)
	must(t, err)
	if info.ModTime().Equal(longAgo) {
		t.Error("FILE.part has the time of the whole")
	}
}
