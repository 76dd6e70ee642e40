package main

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/pflag"

	"spate/event"
)

// logFlags are about a log of what happens.
type logFlags struct{ file, level string }

func (f *logFlags) register(fs *pflag.FlagSet) {
	f.level = "info"
	fs.StringVar(&f.file, "log-file", "", "append what happens to `FILE`, as JSON lines")
	fs.Var(choice{&f.level, []string{"debug", "info", "warn", "error"}}, "log-level", "the least of what the log has")
}

// A logbook is a log that is open. Its nil has nothing in it.
type logbook struct {
	logger *slog.Logger
	file   *os.File
	out    *firstError
	tell   *reporter // how errors are put into words
}

// open opens the log, if there is to be one.
func (f *logFlags) open(p *process) (*logbook, error) {
	if f.file == "" {
		return nil, nil
	}
	if f.file == "-" {
		return nil, usage("--log-file: - is no file", "--json writes what happens to stderr")
	}
	file, err := os.OpenFile(f.file, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o666)
	if err != nil {
		return nil, &hintedError{err, "it is the file of --log-file"}
	}
	var least slog.Level
	if err := least.UnmarshalText([]byte(f.level)); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	out := &firstError{w: file}
	logger := slog.New(slog.NewJSONHandler(jsonWriter{out}, &slog.HandlerOptions{Level: least}))
	return &logbook{logger, file, out, &reporter{w: p.stderr, args: p.args}}, nil
}

// sink is told of events; nil where there is no log.
func (l *logbook) sink() event.Sink {
	if l == nil {
		return nil
	}
	return func(e event.Event) {
		if level, ok := levelOf(e); ok {
			l.write(e.Time, level, string(e.Type), l.attributes(e))
		}
	}
}

// levelOf is how much e matters; false if it is not logged.
func levelOf(e event.Event) (slog.Level, bool) {
	switch e.Type {
	case event.Progress:
		return 0, false
	case event.Ahead, event.Manifest, event.Part:
		return slog.LevelDebug, true
	case event.Failed, event.Aside, event.Waiting:
		return slog.LevelWarn, true
	case event.Ended:
		if e.Error != "" {
			return slog.LevelWarn, true
		}
	}
	return slog.LevelInfo, true
}

// attributes are the fields of e that say something, under the names that they have in JSON.
func (l *logbook) attributes(e event.Event) []slog.Attr {
	all := []slog.Attr{
		slog.Int64("job", e.Job), slog.Int64("jobs", e.Jobs), slog.Int64("part", e.Part), slog.String("url", l.tell.safe(e.URL)),
		slog.String("origin", l.tell.safe(e.Origin)), slog.String("manifest", l.tell.safe(e.Manifest)), slog.Int("line", e.Line),
		slog.Int("chunk", e.Chunk),
		slog.Int64("off", e.Off), slog.Int64("bytes", e.Bytes), slog.Int64("size", e.Size), slog.Bool("cached", e.Cached),
		slog.String("path", l.tell.safe(e.Path)), slog.String("sha256", e.SHA256), slog.String("error", l.tell.safe(oneLine(e.Error))),
		slog.String("kind", e.Kind),
	}
	if !e.Until.IsZero() {
		all = append(all, slog.Time("until", e.Until))
	}
	var some []slog.Attr
	for _, a := range all {
		if !a.Value.Equal(zeros[a.Value.Kind()]) {
			some = append(some, a)
		}
	}
	return some
}

// zeros say nothing.
var zeros = map[slog.Kind]slog.Value{
	slog.KindInt64: slog.Int64Value(0), slog.KindString: slog.StringValue(""), slog.KindBool: slog.BoolValue(false),
}

func (l *logbook) write(at time.Time, level slog.Level, msg string, attrs []slog.Attr) {
	if !l.logger.Enabled(context.Background(), level) {
		return
	}
	r := slog.NewRecord(at, level, msg, 0)
	r.AddAttrs(attrs...)
	l.logger.Handler().Handle(context.Background(), r) // what fails is in l.out
}

// close ends the log with the error of the command, nil for none. A log that could not be written is told of, and no
// reason to fail: what the command was for is done, or not, whatever its log has.
func (l *logbook) close(ctx context.Context, err error) {
	if l == nil {
		return
	}
	if err != nil {
		l.failed(orSignal(ctx, err))
	}
	if err := cmp.Or(l.out.err, l.file.Close()); err != nil {
		io.WriteString(l.tell.w, "spate: the log is not complete: "+l.tell.safe(err.Error())+"\n")
	}
}

// failed is the last record of a command that has.
func (l *logbook) failed(err error) {
	line, causes := l.tell.explain(err)
	attrs := []slog.Attr{slog.Int("exit", exitCode(err)), slog.String("error", line)}
	if causes != nil {
		attrs = append(attrs, slog.Any("causes", causes))
	}
	l.write(time.Now(), slog.LevelError, "error", attrs)
}

// firstError remembers the first error of a writer.
type firstError struct {
	w   io.Writer
	err error
}

func (f *firstError) Write(p []byte) (int, error) {
	n, err := f.w.Write(p)
	f.err = cmp.Or(f.err, err)
	return n, err
}

// tee is a sink for all of sinks that are not nil.
func tee(sinks ...event.Sink) event.Sink {
	var all []event.Sink
	for _, s := range sinks {
		if s != nil {
			all = append(all, s)
		}
	}
	if all == nil {
		return nil
	}
	return func(e event.Event) {
		for _, s := range all {
			s(e)
		}
	}
}
