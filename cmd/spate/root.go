package main

import (
	"github.com/spf13/cobra"
)

const rootLong = `spate opens a URL, a manifest of parts or a local file and hands back the assembled bytes: to a pipe or
to a file. Parts come from many places; where one fails, the next is tried. What is not certainly right is an error.

Every command takes http and https, ftp and ftps, sftp, peer and file URLs, and paths of existing files.

Sizes: 10M and 10MiB are 10·1024·1024 bytes, 10MB is 10·1000·1000. Times: 20 and 20s are seconds, 2m are minutes.
Every flag has a form in the environment: SPATE_ and its name in capitals, with _ for -, as SPATE_MAX_BYTES=10M. A flag
on the command line wins.

Data goes to stdout, talk to stderr. Exit codes:

`

// newRootCmd puts the commands together.
func newRootCmd(p *process) *cobra.Command {
	root := &cobra.Command{
		Use:           "spate",
		Short:         "One byte stream from many parts and many places",
		Long:          rootLong + exitTable(),
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noCommand,
		RunE:          func(*cobra.Command, []string) error { return errNoCommand },
	}
	root.SuggestionsMinimumDistance = 2
	root.SetVersionTemplate("spate {{.Version}}\n")
	root.SetFlagErrorFunc(explainFlag)
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		if err := applyEnv(cmd.Flags(), p.env); err != nil {
			return err
		}
		p.started = true
		return nil
	}
	root.AddCommand(newCatCmd(p), newGetCmd(p), newInspectCmd(p), newPackCmd(p), newJoinCmd(p), newTrackerCmd(p), newPeerCmd(p), newGatewayCmd(p), newViewCmd(p), newDemoCmd(p),
		newVersionCmd(), newCompletionCmd(), newManCmd())
	root.SetGlobalNormalizationFunc(alias)
	root.CompletionOptions.DisableDefaultCmd = true
	root.InitDefaultHelpCmd()
	for _, c := range root.Commands() {
		if c.Name() == "help" {
			c.Args = someCommand
		}
	}
	return root
}

// someCommand wants arguments that name a command.
func someCommand(cmd *cobra.Command, args []string) error {
	if c, _, err := cmd.Root().Find(args); err != nil || c == cmd.Root() && len(args) > 0 {
		return noCommand(cmd.Root(), args)
	}
	return nil
}

var errNoCommand = usage("a command is missing", "spate --help lists them; spate get URL fetches a file")

// noCommand explains arguments that name no command.
func noCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := "spate --help lists the commands"
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		hint = "did you mean spate " + near[0] + "?"
	} else if _, err := argument(args[0]); err == nil {
		hint = "to fetch it: spate get URL; to stdout: spate cat URL"
	}
	return usage("unknown command "+shown(args[0]), hint)
}

// exactly returns a check for n arguments, named in words.
func exactly(n int, words string) cobra.PositionalArgs { return between(n, n, words) }

// between returns a check for lo to hi arguments, named in words; hi below 0 is no bound.
func between(lo, hi int, words string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) >= lo && (hi < 0 || len(args) <= hi) {
			return nil
		}
		problem := "too many arguments"
		if len(args) < lo {
			problem = "an argument is missing"
		}
		return usage(problem, "usage: "+cmd.CommandPath()+" "+words)
	}
}
