package limit

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"spate/format/bytesize"
)

// A Timetable says how many bytes a second are allowed when. Its zero value allows any number at any time.
//
// It goes by what a clock on the wall shows: an entry holds from its time of day on, until that of the next one, over
// midnight too. Where the clock jumps ahead over an entry, that one holds at once; where it is put back before one, the entry
// before holds once more.
type Timetable struct{ entries []entry }

// entry is a limit that holds from a time of day on.
type entry struct {
	day   int   // of the week, as [time.Weekday]; or everyDay
	from  int   // minute of the day
	limit int64 // bytes per second; 0 is none
}

const (
	everyDay      = -1
	minutesOfDay  = 24 * 60
	minutesOfWeek = 7 * minutesOfDay
)

// Always is a limit that holds at any time; 0 is none.
func Always(bytesPerSecond int64) Timetable {
	if bytesPerSecond <= 0 {
		return Timetable{}
	}
	return Timetable{[]entry{{day: everyDay, limit: bytesPerSecond}}}
}

var errRate = errors.New(`want a rate as 500K or 1.5M (bytes a second), off, or a timetable as "08:00,1M 23:00,off"`)

// ParseRate reads a limit, a size as in package bytesize, of bytes per second; 0 and "off" are none. Or it reads a timetable:
// entries of the form HH:MM,LIMIT or Mon-HH:MM,LIMIT with blanks between them. One of a day of the week wins over one of
// every day at the same time.
func ParseRate(text string) (Timetable, error) {
	if !strings.Contains(text, ",") {
		limit, err := parseLimit(text)
		return Always(limit), err
	}
	var t Timetable
	for _, word := range strings.Fields(text) {
		e, err := parseEntry(word)
		if err != nil {
			return Timetable{}, err
		}
		for _, other := range t.entries {
			if other.day == e.day && other.from == e.from {
				return Timetable{}, fmt.Errorf("%s is there twice", e.when())
			}
		}
		t.entries = append(t.entries, e)
	}
	return t, nil
}

func parseLimit(text string) (int64, error) {
	if strings.EqualFold(strings.TrimSpace(text), "off") {
		return 0, nil
	}
	n, err := bytesize.Parse(text)
	switch {
	case errors.Is(err, bytesize.ErrSyntax):
		return 0, errRate
	case err != nil:
		return 0, err
	case n == 0 && strings.ContainsAny(text, "123456789"):
		return 0, errors.New("want at least 1 byte a second")
	}
	return n, nil
}

func parseEntry(word string) (e entry, err error) {
	when, limit, _ := strings.Cut(word, ",")
	e.day = everyDay
	if day, rest, ok := strings.Cut(when, "-"); ok {
		if e.day, ok = parseDay(day); !ok {
			return e, errRate
		}
		when = rest
	}
	clock, err := time.Parse("15:04", when)
	if err != nil {
		return e, errRate
	}
	e.from = 60*clock.Hour() + clock.Minute()
	e.limit, err = parseLimit(limit)
	return e, err
}

func parseDay(name string) (int, bool) {
	for d := time.Sunday; d <= time.Saturday; d++ {
		if strings.EqualFold(name, d.String()[:3]) {
			return int(d), true
		}
	}
	return 0, false
}

// IsUnlimited tells that any number of bytes is allowed at any time.
func (t Timetable) IsUnlimited() bool {
	return !slices.ContainsFunc(t.entries, func(e entry) bool { return e.limit > 0 })
}

// At is how many bytes a second are allowed at now, in now's location; 0 is any number.
func (t Timetable) At(now time.Time) (bytesPerSecond int64) {
	least, byDay := math.MaxInt, false
	for _, e := range t.entries {
		ago := e.ago(now)
		if ago < least || ago == least && e.day != everyDay && !byDay {
			least, byDay, bytesPerSecond = ago, e.day != everyDay, e.limit
		}
	}
	return bytesPerSecond
}

// ago is how many minutes ago, by the clock, e has begun to hold last.
func (e entry) ago(now time.Time) int {
	minute := 60*now.Hour() + now.Minute() - e.from
	if e.day == everyDay {
		return (minute + minutesOfDay) % minutesOfDay
	}
	return (minute + minutesOfDay*(int(now.Weekday())-e.day) + minutesOfWeek) % minutesOfWeek
}

// String is t in a form that ParseRate reads back.
func (t Timetable) String() string {
	switch len(t.entries) {
	case 0:
		return "off"
	case 1:
		return limitString(t.entries[0].limit)
	}
	words := make([]string, len(t.entries))
	for i, e := range t.entries {
		words[i] = e.when() + "," + limitString(e.limit)
	}
	return strings.Join(words, " ")
}

func (e entry) when() string {
	clock := fmt.Sprintf("%02d:%02d", e.from/60, e.from%60)
	if e.day == everyDay {
		return clock
	}
	return time.Weekday(e.day).String()[:3] + "-" + clock
}

func limitString(n int64) string {
	if n == 0 {
		return "off"
	}
	return bytesize.Format(n)
}
