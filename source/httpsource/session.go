package httpsource

import (
	"context"

	"spate/source"
	"spate/source/driver"
)

// Dial makes a session for rawURL, with a connection of its own that is made by the first Open. A session opens
// other URLs as well, on a new connection if their host is another. It carries one resource at a time: a second Open
// waits until the body of the first is closed. Close ends what is open.
func (s *Source) Dial(_ context.Context, rawURL string) (source.Session, error) {
	if _, err := parse(rawURL); err != nil {
		return nil, driver.Failed("dial", rawURL, driver.Classed(source.KindMalformed, err))
	}
	src := &Source{opts: s.opts}
	src.newTransports(true)
	return driver.NewSession(src), nil
}
