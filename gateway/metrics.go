package gateway

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"spate/gateway/blockcache"
	"spate/gateway/fill"
)

// metrics are the figures of a gateway.
type metrics struct {
	registry *prometheus.Registry
	open     prometheus.Gauge
	sent     prometheus.Counter
	first    prometheus.Histogram
	answers  *prometheus.CounterVec
}

// newMetrics makes those of pools, which are told apart by their names where there are several.
func newMetrics(pools map[string]*fill.Pool, cache *blockcache.Cache) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		open:     prometheus.NewGauge(prometheus.GaugeOpts{Name: "spate_gateway_requests", Help: "Requests that are being answered."}),
		sent:     prometheus.NewCounter(prometheus.CounterOpts{Name: "spate_gateway_client_bytes_total", Help: "Bytes of bodies sent to clients."}),
		first: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "spate_gateway_first_byte_seconds", Help: "From a request to the first byte of its body.",
			Buckets: prometheus.ExponentialBuckets(0.00025, 4, 9),
		}),
		answers: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "spate_gateway_answers_total", Help: "Requests that were answered, by the class of the status.",
		}, []string{"class"}),
	}
	m.registry.MustRegister(m.open, m.sent, m.first, m.answers)
	for name, pool := range pools {
		r := prometheus.Registerer(m.registry)
		if len(pools) > 1 {
			r = prometheus.WrapRegistererWith(prometheus.Labels{"pool": name}, r)
		}
		r.MustRegister(ofPool(pool)...)
	}
	if cache != nil {
		m.registry.MustRegister(ofCache(cache)...)
	}
	return m
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// counter and gauge are figures that somebody else counts.
func counter[N int | int64](name, help string, value func() N) prometheus.Collector {
	return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "spate_gateway_" + name + "_total", Help: help}, func() float64 { return float64(value()) })
}

func gauge[N int | int64](name, help string, value func() N) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "spate_gateway_" + name, Help: help}, func() float64 { return float64(value()) })
}

func ofPool(p *fill.Pool) []prometheus.Collector {
	return []prometheus.Collector{
		counter("origin_bytes", "Bytes read from origins.", func() int64 { return p.Stats().OriginBytes }),
		counter("duplicate_bytes", "Of these, what was there already: compared, skipped, or brought twice.", func() int64 { return p.Stats().DuplicateBytes }),
		counter("joins", "Waits for what another request had asked for.", func() int64 { return p.Stats().Joins }),
		counter("stalls", "Answers of origins that were silent for too long.", func() int64 { return p.Stats().Stalls }),
		counter("hedges", "Requests to origins for what another did not bring.", func() int64 { return p.Stats().Hedges }),
		counter("corrupt_fetched_blocks", "Blocks that came with another digest.", func() int64 { return p.Stats().Corrupt }),
		counter("origin_requests", "Requests to origins.", func() int64 { return p.Stats().Requests }),
		counter("origin_failures", "Of these, those without an answer, and answers that broke.", func() int64 { return p.Stats().Failures }),
		counter("mirrors_aside", "Mirrors that are not used any more.", func() int64 { return p.Stats().Aside }),
		counter("changed", "Files that their origin has replaced.", func() int64 { return p.Stats().Changed }),
		counter("not_cached_blocks", "Blocks for which the cache had no room.", func() int64 { return p.Stats().NotCached }),
		gauge("files", "Files that are known.", func() int { return p.Stats().Files }),
		gauge("readers", "Files that are being read.", func() int { return p.Stats().Readers }),
		gauge("origin_connections", "Connections to origins.", func() int { return p.Stats().Connections }),
	}
}

func ofCache(c *blockcache.Cache) []prometheus.Collector {
	return []prometheus.Collector{
		gauge("cache_bytes", "Bytes that the cache takes on disk.", func() int64 { return c.Stats().Bytes }),
		gauge("cache_max_bytes", "Bytes that it may take.", func() int64 { return c.Stats().Max }),
		gauge("cache_blocks", "Blocks that it has.", func() int { return c.Stats().Blocks }),
		counter("cache_hits", "Blocks that were found there.", func() int64 { return c.Stats().Hits }),
		counter("cache_misses", "Blocks that were not.", func() int64 { return c.Stats().Misses }),
		counter("corrupt_blocks", "Blocks that somebody, or the disk, has changed.", func() int64 { return c.Stats().Corrupt }),
		counter("evictions", "Blocks that went to make room.", func() int64 { return c.Stats().Evicted }),
		counter("expired", "Files of which nobody had asked for blocks for too long.", func() int64 { return c.Stats().Expired }),
	}
}
