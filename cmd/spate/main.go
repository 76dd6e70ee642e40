// Command spate assembles one byte stream from many parts and many places. The commands have a file each; root.go
// puts them together; docs/spec/cli.md is what users may rely on.
package main

import (
	"context"
	"io"
	"log"
	"os"
	"runtime/debug"
)

func main() { os.Exit(start()) }

func start() int {
	log.SetOutput(io.Discard) // net/http says there what surprises it; stderr is for what we say
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(200) // a tenth less CPU time for many small files, for 4 MiB; what large ones hold is bounded otherwise
	}
	ctx, stop := withSignals(context.Background())
	defer stop()
	return run(ctx, &process{args: os.Args[1:], stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, env: os.LookupEnv})
}

// A process is what the program has of its surroundings. Tests bring their own.
type process struct {
	args           []string // without the program's name
	stdin          io.Reader
	stdout, stderr io.Writer
	env            func(name string) (string, bool) // as os.LookupEnv

	started bool // the command line was understood: what fails from here on is no error of usage
}

// run is the program: it executes one command line and returns the exit code. When ctx is cancelled the command
// ends early; if the cause is a signal, the code is 128 and its number.
func run(ctx context.Context, p *process) int {
	root := newRootCmd(p)
	root.SetArgs(append([]string{}, p.args...)) // nil would mean os.Args
	root.SetIn(p.stdin)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	if !p.started {
		err = asUsage(err)
	}
	err = orSignal(ctx, err)
	code := exitCode(err)
	newReporter(p, cmd).report(err, code)
	return code
}
