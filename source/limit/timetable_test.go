package limit

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
	_ "time/tzdata"
)

func mustParse(t *testing.T, text string) Timetable {
	t.Helper()
	table, err := ParseRate(text)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return table
}

func TestParseRate(t *testing.T) {
	for text, want := range map[string]string{
		"0":                        "off",
		"off":                      "off",
		" OFF ":                    "off",
		"1":                        "1",
		"500k":                     "500KiB",
		"1M":                       "1MiB",
		"1MiB":                     "1MiB",
		"1MB":                      "1000000",
		"1.5M":                     "1536KiB",
		"08:00,1M":                 "1MiB",
		"08:00,0":                  "off",
		"Mon-08:00,1M":             "1MiB",
		"08:00,1M 23:00,off":       "08:00,1MiB 23:00,off",
		"8:05,1M  23:59,0":         "08:05,1MiB 23:59,off",
		"23:00,off 08:00,1M":       "23:00,off 08:00,1MiB",
		"08:00,1M sat-08:00,off":   "08:00,1MiB Sat-08:00,off",
		"Sun-00:00,1 SAT-23:59,2k": "Sun-00:00,1 Sat-23:59,2KiB",
	} {
		table, err := ParseRate(text)
		if err != nil || table.String() != want {
			t.Errorf("%q: %v, %v, want %s", text, table, err, want)
		}
		if again, err := ParseRate(table.String()); err != nil || again.String() != want {
			t.Errorf("%q reads back as %v, %v", table, again, err)
		}
		if got := table.IsUnlimited(); got != (want == "off") {
			t.Errorf("%q: unlimited %v", text, got)
		}
	}
}

func TestParseRateRefuses(t *testing.T) {
	for _, text := range []string{"", " ", "fast", "-1", "1M/s", "1M:2M", "0.5", "0.0001K", "9223372036854775808", ",", "08:00,", "08:00, 1M", ",1M",
		"08:00", "24:00,1M", "08:60,1M", "08:5,1M", "-08:00,1M", "0800,1M", "8,1M", "08:00:00,1M", "08:00,1M,2M", "08:00,-1", "08:00,1M 23:00",
		"08:00,1M;23:00,off", "Foo-08:00,1M", "Monday-08:00,1M", "Mon-Fri-08:00,1M", "08:00,1M 08:00,2M", "08:00,1M 8:00,2M", "Mon-08:00,1M Mon-08:00,off"} {
		if got, err := ParseRate(text); err == nil || !got.IsUnlimited() {
			t.Errorf("%q is read as %v, %v", text, got, err)
		}
	}
}

func TestTimetableAt(t *testing.T) {
	const sunday = "2026-03-01 "
	for _, tt := range []struct {
		table, at string
		want      int64
	}{
		{"off", sunday + "12:00:00", 0},
		{"7", sunday + "12:00:00", 7},
		{"08:00,1 23:00,off", sunday + "00:00:00", 0},
		{"08:00,1 23:00,off", sunday + "07:59:59", 0},
		{"08:00,1 23:00,off", sunday + "08:00:00", 1},
		{"08:00,1 23:00,off", sunday + "22:59:59", 1},
		{"08:00,1 23:00,off", sunday + "23:00:00", 0},
		{"08:00,1 23:00,2", sunday + "03:00:00", 2}, // since yesterday
		{"23:00,2 08:00,1", sunday + "09:00:00", 1}, // in any order
		{"00:00,1 12:00,2", sunday + "00:00:00", 1},
		{"08:00,1 Sun-10:00,2", sunday + "09:59:59", 1},
		{"08:00,1 Sun-10:00,2", sunday + "10:00:00", 2},
		{"08:00,1 Sun-10:00,2", "2026-03-02 07:59:59", 2}, // Monday
		{"08:00,1 Sun-10:00,2", "2026-03-02 08:00:00", 1},
		{"08:00,1 Sun-08:00,2", sunday + "09:00:00", 2}, // that of the day wins
		{"Sun-08:00,2 08:00,1", sunday + "09:00:00", 2},
		{"Sun-08:00,2 08:00,1", "2026-03-02 09:00:00", 1},
		{"Mon-08:00,1 Fri-18:00,2", sunday + "12:00:00", 2},
		{"Mon-08:00,1 Fri-18:00,2", "2026-03-02 07:59:00", 2},
		{"Mon-08:00,1 Fri-18:00,2", "2026-03-05 12:00:00", 1},
	} {
		at, err := time.Parse(time.DateTime, tt.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := mustParse(t, tt.table).At(at); got != tt.want {
			t.Errorf("%s at %s: %d, want %d", tt.table, tt.at, got, tt.want)
		}
	}
}

// The nights on which clocks are put ahead and back.
func TestTimetableByTheClockOnTheWall(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	table := mustParse(t, "01:00,1 02:15,2 02:45,3 05:00,4")
	for _, tt := range []struct {
		utc  string // of 1:59:59, 2:59:59, …
		want []int64
	}{
		{"2026-03-29 00:59:59", []int64{1, 3, 3, 4}},       // then it is 03:00; 03:59:59, 04:59:59, 05:59:59 follow
		{"2026-10-24 23:59:59", []int64{1, 3, 3, 3, 3, 4}}, // 02:59:59 comes twice
		{"2026-06-01 23:59:59", []int64{1, 3, 3, 3, 4}},
	} {
		at, err := time.Parse(time.DateTime, tt.utc)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range tt.want {
			now := at.Add(time.Duration(i) * time.Hour).In(berlin)
			if got := table.At(now); got != want {
				t.Errorf("at %v: %d, want %d", now, got, want)
			}
		}
	}
	first := time.Date(2026, 10, 25, 0, 0, 0, 0, time.UTC).In(berlin) // 02:00 for the first time
	for _, tt := range []struct {
		after time.Duration
		want  int64
	}{{0, 1}, {15 * time.Minute, 2}, {45 * time.Minute, 3}, {time.Hour, 1}, {75 * time.Minute, 2}, {2 * time.Hour, 3}} {
		if now := first.Add(tt.after); table.At(now) != tt.want {
			t.Errorf("at %v: %d, want %d", now, table.At(now), tt.want)
		}
	}
}

// TestTimetableAgainstWalking holds At against a clock that walks through two weeks, minute by minute.
func TestTimetableAgainstWalking(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	for range 20 {
		text := ""
		for i := range 1 + rnd.IntN(6) {
			day := []string{"", "", "", "Sun-", "Mon-", "Wed-", "Sat-"}[rnd.IntN(7)]
			text += fmt.Sprintf("%s%02d:%02d,%d ", day, rnd.IntN(24), 15*rnd.IntN(4), i)
		}
		table, err := ParseRate(text)
		if err != nil {
			continue // one is there twice
		}
		now := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
		current := int64(-1)
		for minute := range 2 * minutesOfWeek {
			for _, everyDays := range []bool{true, false} { // the latter win
				for _, e := range table.entries {
					isNow := e.from == 60*now.Hour()+now.Minute() && (e.day == everyDay || e.day == int(now.Weekday()))
					if isNow && everyDays == (e.day == everyDay) {
						current = e.limit
					}
				}
			}
			if got := table.At(now); minute >= minutesOfWeek && got != current {
				t.Fatalf("%s at %v: %d, want %d", text, now, got, current)
			}
			now = now.Add(time.Minute)
		}
	}
}
