package fill

import (
	"sync"
	"testing"

	"spate/internal/farm"
)

const blk = 256 << 10

// 50 readers of the same cold range: the origin sends it once.
func TestColdRangeIsSentOnce(t *testing.T) {
	o := origin(t)
	body := content(8 << 20)
	o.Serve("/f", farm.Resource{Body: body, ETag: `"1"`})
	p := pool(t, Options{})
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			f, err := p.Open(within(t), What{Mirrors: []string{o.URL("/f")}, At: 1000})
			if err != nil {
				t.Error(err)
				return
			}
			defer f.Close()
			got, err := get(within(t), f, 1000, 3<<20)
			if err != nil || string(got) != string(body[1000:1000+3<<20]) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
		})
	}
	wg.Wait()
	s := p.Stats()
	if s.OriginBytes > 4<<20 || s.DuplicateBytes > 0 || o.Requests("/f") > 3 {
		t.Errorf("%d requests: %+v", o.Requests("/f"), s)
	}
	if s.ClientBytes != 50*3<<20 {
		t.Errorf("%d bytes handed out", s.ClientBytes)
	}
}

func TestWhole(t *testing.T) {
	o := origin(t)
	body := content(20<<20 + 12345)
	o.Serve("/f", farm.Resource{Body: body, ETag: `"1"`})
	p := pool(t, Options{})
	f := open(t, p, 0, o.URL("/f"))
	wants(t, f, 0, -1, body)
	if got := sent(o); got != int64(len(body)) {
		t.Errorf("the origin sent %d of %d bytes", got, len(body))
	}
}
