package conn

import (
	"errors"
	"time"

	"spate/source"
	"spate/source/driver"
)

// ErrStale is why an exchange on a connection that had been idle has failed before anything came of it.
var ErrStale = errors.New("the idle connection was closed")

// Open opens rawURL by try, which takes an idle connection where there is one, and is called again as long as that proves
// to be stale: there are not many.
func Open(rawURL string, try func() (*source.Resource, error)) (*source.Resource, error) {
	start := time.Now()
	for {
		res, err := try()
		if errors.Is(err, ErrStale) {
			continue
		}
		if err != nil {
			return nil, driver.Failed("open", rawURL, err)
		}
		res.Conn.Setup = time.Since(start)
		return res, nil
	}
}
