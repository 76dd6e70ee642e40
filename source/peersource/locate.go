package peersource

import (
	"context"
	"errors"
	"fmt"
	"time"

	"spate/source"
	"spate/source/driver"
	"spate/swarm/peer"
)

// askAgain is the time between two questions for a chunk that nobody is known to have.
const askAgain = time.Second

// holders asks the tracker who has a chunk, until it tells of somebody or the time is over.
func (s *Source) holders(ctx context.Context, tracker string, chunk int) ([]giver, error) {
	ctx, w := driver.NewWatch(ctx)
	defer w.End()
	limit := time.Duration(-1)
	if s.times.Connect >= 0 && s.times.Header >= 0 {
		limit = s.times.Connect + s.times.Header
	}
	w.Wait("no answer of the tracker within", limit)
	for begun := time.Now(); ; {
		all, err := s.trackers.locate(ctx, tracker, chunk)
		isSilent := errors.Is(err, peer.ErrSilent)
		switch {
		case err == nil && len(all) > 0:
			return all, nil
		case w.Interrupted() != nil:
			return nil, w.Abandon(err)
		case err != nil && !isSilent:
			return nil, trackerFailure(err)
		}
		pause := askAgain
		if s.times.Header >= 0 {
			pause = min(pause, s.times.Header-time.Since(begun))
		}
		switch {
		case pause <= 0 && isSilent:
			return nil, driver.Classed(source.KindTimeout, err)
		case pause <= 0:
			return nil, nobody(chunk)
		case !isSilent:
			rest(ctx, pause)
		}
	}
}

// rest waits for d, or until ctx is done.
func rest(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// trackerFailure classes why the tracker cannot be asked.
func trackerFailure(err error) *source.Error {
	if e, ok := errors.AsType[*source.Error](err); ok { // of a proxy
		return driver.Classed(e.Kind, fmt.Errorf("tracker: %w", e.Err))
	}
	if driver.IsTimeout(err) {
		return driver.Classed(source.KindTimeout, err)
	}
	return driver.Classed(source.KindNetwork, driver.NotEOF(err))
}
