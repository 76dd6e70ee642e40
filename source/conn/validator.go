package conn

import (
	"fmt"
	"time"
)

// settled is the age from which a file is taken to have only one content for its time of modification. RFC 9110
// §8.8.2.2 asks for a second by the origin's own clock; of these origins we do not know the clock, and take the minute
// that RFC 7232 §2.2.2 allowed for the difference between two.
const settled = time.Minute

// Validator is made of a time of modification, which has a resolution of a second, and a size. It is strong, unless the
// file has been modified within the last minute, so that it may have been modified again within the same second and
// have the same size. Without a time or a size there is none.
func Validator(modified time.Time, size int64) string {
	if modified.IsZero() || modified.Unix() == 0 || size < 0 {
		return ""
	}
	tag := fmt.Sprintf("%x-%x", size, modified.UnixNano())
	if time.Since(modified) < settled {
		return "W/" + tag
	}
	return tag
}
