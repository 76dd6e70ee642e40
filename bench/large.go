package main

import (
	"context"
	"fmt"
	"io"
)

// measureLarge compares a manifest of a few large parts with the same bytes as one file, from the same origin.
func measureLarge(ctx context.Context, l *lab) (*report, error) {
	const n = 16
	size := int64(l.sized(64 << 20))
	c := l.content()
	defer c.remove("large", "large.parts", "whole")
	err := c.whole("whole", func(w io.Writer) error {
		_, err := c.parts("large", n, size, w)
		return err
	})
	if err != nil {
		return nil, err
	}
	o, err := l.serve(ctx, 1, 0)
	if err != nil {
		return nil, err
	}
	defer o.close()
	spate := l.cat(o.url(0, "large.parts"))
	if err := c.verify(ctx, spate); err != nil {
		return nil, err
	}
	curl := client{args: []string{l.curl, "-s", "-o", "/dev/null", o.url(0, "whole")}}
	r := &report{title: fmt.Sprintf("%d parts of %d MiB from one origin to /dev/null; curl: the same bytes as one file", n, size>>20)}
	err = l.compete(ctx, r, []entrant{
		{"curl", transfer(curl, n*size, 1)},
		{"spate", transfer(spate, n*size, 1)},
	})
	r.atLeast("spate / curl", "", ratios(r.values("spate", "MB/s"), r.values("curl", "MB/s")), 0.9)
	return r, err
}
