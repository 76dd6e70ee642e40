package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"spate/event"
	"spate/swarm/peer"
	"spate/swarm/tracker"
)

// A metric is a figure of the page of figures.
type metric struct {
	name, help string
	isCounter  bool
	value      func() float64
}

// serveMetrics serves the page, if there is to be one, until it is stopped, and tells where.
func (f *swarmFlags) serveMetrics(ctx context.Context, tell event.Sink, metrics []metric) (stop func() error, err error) {
	if f.metrics == "" {
		return func() error { return nil }, nil
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", f.metrics)
	if err != nil {
		return nil, &hintedError{err, "it is the address of --metrics"}
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry(metrics), promhttp.HandlerOpts{}))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 16 << 10}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	tell(event.Event{Type: event.Listening, Origin: "http://" + l.Addr().String() + "/metrics"})
	return func() error {
		err := server.Close()
		if serr := <-done; !errors.Is(serr, http.ErrServerClosed) {
			err = errors.Join(err, serr)
		}
		return err
	}, nil
}

// registry is one of its own, with nothing but these figures.
func registry(metrics []metric) *prometheus.Registry {
	r := prometheus.NewRegistry()
	for _, m := range metrics {
		if m.isCounter {
			r.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: m.name, Help: m.help}, m.value))
		} else {
			r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: m.name, Help: m.help}, m.value))
		}
	}
	return r
}

// trackerMetrics are the figures of a tracker.
func trackerMetrics(t *tracker.Server) []metric {
	gauge := func(name, help string, of func(tracker.Stats) int) metric {
		return metric{"spate_tracker_" + name, help, false, func() float64 { return float64(of(t.Stats())) }}
	}
	counter := func(name, help string, of func(tracker.Stats) int64) metric {
		return metric{"spate_tracker_" + name + "_total", help, true, func() float64 { return float64(of(t.Stats())) }}
	}
	return []metric{
		gauge("connections", "Connections that are open.", func(s tracker.Stats) int { return s.Connections }),
		gauge("registrations", "Chunks of addresses that are registered.", func(s tracker.Stats) int { return s.Registrations }),
		gauge("chunks", "Chunks that someone has.", func(s tracker.Stats) int { return s.Chunks }),
		gauge("peers", "Addresses that have a chunk.", func(s tracker.Stats) int { return s.Peers }),
		counter("accepted", "Connections that were accepted.", func(s tracker.Stats) int64 { return s.Accepted }),
		counter("refused", "Connections that were one too many.", func(s tracker.Stats) int64 { return s.Refused }),
		counter("timed_out", "Connections that were silent for too long, or slow to read.", func(s tracker.Stats) int64 { return s.TimedOut }),
		counter("local_chunks", "LOCAL_CHUNKS messages.", func(s tracker.Stats) int64 { return s.LocalChunks }),
		counter("where_chunk", "WHERE_CHUNK messages.", func(s tracker.Stats) int64 { return s.WhereChunk }),
		counter("get_chunk_from", "GET_CHUNK_FROM answers.", func(s tracker.Stats) int64 { return s.GetChunkFrom }),
		counter("chunk_location_unknown", "CHUNK_LOCATION_UNKNOWN answers.", func(s tracker.Stats) int64 { return s.Unknown }),
		counter("garbage", "What was no message.", func(s tracker.Stats) int64 { return s.Garbage }),
		counter("unregistered", "Registrations for which there was no room.", func(s tracker.Stats) int64 { return s.Unregistered }),
		counter("probes", "Questions by UDP.", func(s tracker.Stats) int64 { return s.Probes }),
	}
}

// peerMetrics are the figures of a peer.
func peerMetrics(p *peer.Peer) []metric {
	gauge := func(name, help string, of func(peer.Stats) int) metric {
		return metric{"spate_peer_" + name, help, false, func() float64 { return float64(of(p.Stats())) }}
	}
	counter := func(name, help string, of func(peer.Stats) int64) metric {
		return metric{"spate_peer_" + name + "_total", help, true, func() float64 { return float64(of(p.Stats())) }}
	}
	return []metric{
		gauge("chunks", "Chunks that are here.", func(s peer.Stats) int { return s.Have }),
		gauge("chunks_wanted", "Chunks that there are.", func(s peer.Stats) int { return s.Last }),
		gauge("chunks_unverified", "Chunks that nothing has confirmed.", func(s peer.Stats) int { return s.Received.Unverified }),
		gauge("fetching", "Requests that are open.", func(s peer.Stats) int { return s.Active }),
		gauge("serving", "Chunks that are being sent.", func(s peer.Stats) int { return s.Uploads.Active }),
		gauge("waiting", "Peers that wait for their turn.", func(s peer.Stats) int { return s.Uploads.Waiting }),
		counter("received_bytes", "Bytes of chunks that have come.", func(s peer.Stats) int64 { return s.Received.Bytes }),
		counter("requests", "Requests that were begun.", func(s peer.Stats) int64 { return int64(s.Received.Requests) }),
		counter("failed", "Requests that brought nothing.", func(s peer.Stats) int64 { return int64(s.Received.Failed) }),
		counter("corrupt", "Chunks that came with another digest.", func(s peer.Stats) int64 { return int64(s.Received.Corrupt) }),
		counter("sent_bytes", "Bytes of chunks that were sent.", func(s peer.Stats) int64 { return s.Uploads.Bytes }),
		counter("served", "Chunks that were sent whole.", func(s peer.Stats) int64 { return int64(s.Uploads.Served) }),
		counter("refused", "Connections that were closed without an answer.", func(s peer.Stats) int64 { return int64(s.Uploads.Refused) }),
		counter("where_chunk", "Questions to the tracker.", func(s peer.Stats) int64 { return int64(s.Tracker.Asked) }),
		counter("local_chunks", "Announcements to the tracker.", func(s peer.Stats) int64 { return int64(s.Tracker.Announced) }),
	}
}
