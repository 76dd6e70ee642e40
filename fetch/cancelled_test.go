package fetch

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"spate/source"
)

// Once the context has ended nothing is asked for any more, however long it takes until somebody ends the download for it; and
// nobody is told that it waits.
func TestNothingIsAskedForOnceTheContextHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var opens atomic.Int64
		silent := source.Func(func(ctx context.Context, url string, _ source.Range) (*source.Resource, error) {
			opens.Add(1)
			<-ctx.Done()
			return nil, &source.Error{Op: "open", URL: url, Kind: source.KindNetwork, Err: ctx.Err()}
		})
		ctx, cancel := context.WithCancel(t.Context())
		told := new(outcome)
		d := newDriver(ctx, silent, []Mirror{{URL: "mem:x"}}, &ObjectOptions{Events: told.note})
		d.start()
		synctest.Wait()
		cancel()
		time.Sleep(time.Hour)
		if n := opens.Load(); n != 1 {
			t.Errorf("%d requests", n)
		}
		if len(told.events) > 0 {
			t.Errorf("told: %+v", told.events)
		}
		d.finish(context.Cause(ctx))
		d.end()
	})
}
