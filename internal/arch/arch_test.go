package arch

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "spate"

// rooms are the packages and their floors. A package imports lower floors only and, inside a room, the room's own
// parts: a room is the first element of the path, and its parts may be named below it in any order.
//
// The floors are the way the data goes: down to ask, up to answer. Nothing runs back up.
var rooms = map[string]int{
	"cmd/spate":      6,
	"cmd/p2ptracker": 6, // the assignment's two programs
	"cmd/p2pclient":  6,

	"gateway":            5,
	"gateway/content":    5, // RFC 9110 over an Object
	"gateway/fill":       5, // files as blocks, filled on demand
	"gateway/blockcache": 5, // what the gateway keeps on disk
	"internal/demo":      5, // the demo's content and origins: what cmd shows
	"viewer":             5, // the page

	"": 4, // package spate

	"assemble":      3,
	"fetch":         3,
	"fetch/journal": 3,

	"source":            2,
	"source/sourcetest": 2,
	"source/limit":      2,
	"source/budget":     2,
	"source/httpsource": 2,
	"source/filesource": 2,
	"source/ftpsource":  2,
	"source/sftpsource": 2,
	"source/peersource": 2,
	"source/conn":       2, // what these have in common
	"source/driver":     2, // what every driver needs
	"swarm/actionlog":   2,
	"swarm/tracker":     2,
	"swarm/peer":        2,
	"swarm/loopback":    2, // where both programs of a swarm listen
	"internal/farm":     2, // for tests and the demo only, see testOnly
	"internal/servers":  2, // FTP and SFTP, for tests
	"internal/model":    3,
	"internal/seeds":    3, // a swarm, for tests

	"swarm/wire":   1,
	"swarm/choose": 1,

	"format/manifest":    1,
	"format/metalink":    1,
	"format/sequence":    1,
	"format/span":        1,
	"format/bytesize":    1,
	"format/lines":       1, // what the readers of text that others wrote have in common
	"format/urilist":     1,
	"format/checksum":    1,
	"event":              1,
	"sched":              1,
	"internal/seal":      1,
	"internal/redact":    1,
	"internal/netrc":     1,
	"internal/arch":      1,
	"internal/localcert": 1, // of servers on loopback
	"internal/leak":      1,
	"internal/osfile":    1, // locks, and names that are durable
	"internal/sendqueue": 1, // of a connection, in the system
}

// pure packages are functions of their input: no network, no files, no goroutine, no clock.
// All of format/ is.
var pure = []string{"event", "sched", "swarm/wire", "swarm/choose", "internal/redact", "internal/netrc"}

func isPure(room string) bool {
	return strings.HasPrefix(room, "format/") || slices.Contains(pure, room)
}

// testOnly packages are imported by tests, and by the one package named.
var testOnly = map[string]string{
	"internal/farm":     "internal/demo",
	"internal/model":    "",
	"internal/arch":     "",
	"internal/leak":     "",
	"internal/servers":  "",
	"internal/seeds":    "",
	"source/sourcetest": "",
}

// schemeBlind packages open URLs through a Source and know no scheme.
var schemeBlind = []string{"assemble", "fetch", "fetch/journal", "source/limit", "source/budget"}

// namedBy are the packages that one other may name: whoever does without the program does without them.
var namedBy = map[string]string{
	"source/ftpsource":  "cmd/spate",
	"source/sftpsource": "cmd/spate",
	"source/peersource": "cmd/spate",
}

// standsOn are the packages that import one of their own floor, of another room, and that one. A driver speaks a protocol,
// and that of the swarm is what swarm/peer is: the connection to a tracker, and the request of a chunk. It could lie lower
// only if it were split, and had no files, servers and events beside; or the driver in the swarm's room, where it would be
// no driver.
var standsOn = map[string]string{"source/peersource": "swarm/peer"}

type pkg struct {
	ImportPath, Dir string
	GoFiles         []string
	Imports, Deps   []string
}

func (p pkg) room() string { return strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/") }

// list returns the packages that the module is made of.
func list(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,GoFiles,Imports,Deps", module+"/...")
	cmd.Dir = filepath.Join("..", "..")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var pkgs []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs
		} else if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(p.room(), "bench") {
			pkgs = append(pkgs, p)
		}
	}
}

func own(path string) (room string, ok bool) {
	if path == module {
		return "", true
	}
	return strings.CutPrefix(path, module+"/")
}

func sameRoom(a, b string) bool {
	first := func(s string) string { f, _, _ := strings.Cut(s, "/"); return f }
	return a != "" && b != "" && first(a) == first(b) && first(a) != "internal" && first(a) != "cmd"
}

func TestFloors(t *testing.T) {
	for _, p := range list(t) {
		floor, ok := rooms[p.room()]
		if !ok {
			t.Errorf("%s has no floor: give it one in rooms, where the data that it handles passes", p.ImportPath)
			continue
		}
		for _, imp := range p.Imports {
			other, ok := own(imp)
			if !ok || sameRoom(p.room(), other) || other == "internal/redact" {
				continue
			}
			if rooms[other] >= floor && standsOn[p.room()] != other {
				t.Errorf("%s (floor %d) imports %s (floor %d): data goes down to ask and up to answer, so a package knows only lower floors",
					p.ImportPath, floor, imp, rooms[other])
			}
		}
	}
}

func TestDriversDoNotKnowEachOther(t *testing.T) {
	isDriver := func(room string) bool { return strings.HasPrefix(room, "source/") && strings.HasSuffix(room, "source") }
	for _, p := range list(t) {
		for _, imp := range p.Imports {
			other, _ := own(imp)
			switch {
			case isDriver(p.room()) && isDriver(other):
				t.Errorf("%s imports %s: a driver is for one scheme and can be left out without the others", p.ImportPath, imp)
			case slices.Contains(schemeBlind, p.room()) && isDriver(other):
				t.Errorf("%s imports %s: what a URL means does not depend on its scheme", p.ImportPath, imp)
			}
		}
	}
}

func TestDriversAreNamedByTheProgram(t *testing.T) {
	for _, p := range list(t) {
		for _, imp := range p.Imports {
			other, _ := own(imp)
			if by, ok := namedBy[other]; ok && by != p.room() {
				t.Errorf("%s imports %s, which only %s may: whoever imports %s would pay for it", p.ImportPath, imp, by, p.ImportPath)
			}
		}
	}
}

func TestTestOnly(t *testing.T) {
	for _, p := range list(t) {
		for _, imp := range p.Imports {
			other, _ := own(imp)
			if by, ok := testOnly[other]; ok && by != p.room() && !sameRoomTests(p.room(), other) {
				t.Errorf("%s imports %s, which is for tests", p.ImportPath, imp)
			}
		}
	}
}

func sameRoomTests(a, b string) bool {
	_, ok := testOnly[a]
	return ok && strings.HasPrefix(b, "internal/")
}

// foreign are the modules of others that package spate brings along. BLAKE3 is in no standard library. With its one
// dependency, which asks what the processor can do, it is 64 KiB of a program and starts nothing. Handed in
// by those who want it, it would be an option of everything between a command line and a hash, and a checksum that can
// be parsed but not computed.
var foreign = []string{"github.com/zeebo/blake3", "github.com/klauspost/cpuid/v2"}

func isForeign(dep string) bool {
	first, _, _ := strings.Cut(dep, "/")
	isKnown := slices.ContainsFunc(foreign, func(m string) bool { return dep == m || strings.HasPrefix(dep, m+"/") })
	return strings.Contains(first, ".") && !strings.HasPrefix(dep, "golang.org/x/") && !isKnown
}

// Whoever imports package spate pays for http and file, and digests, alone.
func TestLibraryIsSmall(t *testing.T) {
	for _, p := range list(t) {
		if p.ImportPath != module {
			continue
		}
		for _, dep := range p.Deps {
			if isForeign(dep) || strings.HasPrefix(dep, "golang.org/x/crypto/ssh") {
				t.Errorf("package spate depends on %s: a library brings no more than it needs", dep)
			}
			if other, _ := own(dep); namedBy[other] != "" || other == "source/conn" {
				t.Errorf("package spate depends on %s: whoever imports it pays for http and file alone", dep)
			}
		}
		return
	}
	t.Fatal("package spate was not listed")
}
