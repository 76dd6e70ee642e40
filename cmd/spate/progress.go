package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"spate/event"
)

// progress follows the events of a command, which is one download, or a batch of them. It is safe for concurrent use.
type progress struct {
	mu    sync.Mutex
	jobs  []*job // that run, in the order in which they began
	batch bool
	total total // of those that are over
	meter meter // of all
}

// A job is a download that runs; 0 is the one of a command that is no batch.
type job struct {
	id int64
	status
	meter meter
}

// total is how far a batch has come.
type total struct {
	done, failed, of int64 // entries; of is 0 where that is not known
	running          int64
	bytes            int64
	fetched          int64 // of bytes: those that have come now
	rate             float64
}

// observe is an [event.Sink].
func (p *progress) observe(e event.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.batch = p.batch || e.Job > 0
	p.total.of = max(p.total.of, e.Jobs)
	if isOver := e.Type == event.Done || e.Type == event.Ended; isOver && e.Job > 0 {
		p.end(e)
		return
	}
	p.job(e.Job).observe(e)
}

// job is that of the number, which begins with its first event.
func (p *progress) job(id int64) *job {
	i := p.find(id)
	if i < 0 {
		i = len(p.jobs)
		p.jobs = append(p.jobs, &job{id: id, status: status{size: -1}})
	}
	return p.jobs[i]
}

func (p *progress) find(id int64) int {
	return slices.IndexFunc(p.jobs, func(j *job) bool { return j.id == id })
}

// end counts an entry that is over.
func (p *progress) end(e event.Event) {
	switch {
	case e.Type == event.Done:
		p.total.done++
	case e.Error != "":
		p.total.failed++
	}
	if i := p.find(e.Job); i >= 0 {
		if e.Type == event.Done {
			p.jobs[i].bytes = e.Bytes
		}
		p.total.add(p.jobs[i].status)
		p.jobs = slices.Delete(p.jobs, i, i+1)
	}
}

func (t *total) add(s status) {
	t.bytes += s.bytes
	t.fetched += s.bytes - s.from
}

// view returns how far each download is that runs, and all together.
func (p *progress) view(now time.Time) ([]status, total) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var running []status
	all := p.total
	for _, j := range p.jobs {
		if j.id == 0 && p.batch {
			continue // what is told of the batch as such
		}
		j.rate = j.meter.sample(now, j.bytes-j.from)
		running = append(running, j.status)
		all.running++
		all.add(j.status)
	}
	all.rate = p.meter.sample(now, all.fetched)
	return running, all
}

// single is the one download of a command that is no batch.
func single(running []status) status {
	if len(running) == 0 {
		return status{size: -1}
	}
	return running[0]
}

// isBatch tells whether more than one download can be running.
func (p *progress) isBatch() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.batch
}

// String is the total on one line, without the rate: "3 of 10 done, 2 running, 1 failed, 1.5 GiB".
func (t total) String() string {
	words := []string{fmt.Sprintf("%d done", t.done)}
	if t.of > 0 {
		words[0] = fmt.Sprintf("%d of %d done", t.done, t.of)
	}
	if t.running > 0 {
		words = append(words, fmt.Sprintf("%d running", t.running))
	}
	if t.failed > 0 {
		words = append(words, fmt.Sprintf("%d failed", t.failed))
	}
	return strings.Join(append(words, formatBytes(t.bytes)), ", ")
}

// lasting is what is told of e on a line that stays; "" for nothing.
func lasting(e event.Event) string {
	switch {
	case e.Type == event.Aside:
		return "spate: mirror set aside: " + clean(e.URL) + ": " + clean(oneLine(e.Error)) + "\n"
	case e.Type == event.Begin && e.Bytes > 0:
		return "spate: " + clean(filepath.Base(e.Path)) + ": resumed at " + formatBytes(e.Bytes) + "\n"
	}
	return ""
}
