package main

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func noEnv(string) (string, bool) { return "", false }

// commands are all there are.
func commands() []*cobra.Command {
	root := newRootCmd(&process{env: noEnv})
	all := []*cobra.Command{root}
	for i := 0; i < len(all); i++ {
		all = append(all, all[i].Commands()...)
	}
	return all
}

// TestEnvForms sets every flag of every command through the environment.
func TestEnvForms(t *testing.T) {
	samples := map[string]string{"bool": "true", "string": "x", "stringArray": "x", "stringSlice": "x", "SIZE": "3KiB",
		"TIME": "7s", "N": "9"}
	for _, cmd := range commands() {
		cmd.InitDefaultHelpFlag()
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if isQuestion(f.Name) {
				return
			}
			sample, ok := samples[f.Value.Type()]
			if !ok {
				sample, _, _ = strings.Cut(f.Value.Type(), "|") // a choice
			}
			name := envName(f)
			err := applyEnv(cmd.Flags(), func(n string) (string, bool) { return sample, n == name })
			if err != nil || strings.Trim(f.Value.String(), "[]") != sample {
				t.Errorf("%s: %s=%s: %v, value %s", cmd.CommandPath(), name, sample, err, f.Value)
			}
			if f.Changed {
				t.Errorf("%s: --%s counts as given", cmd.CommandPath(), f.Name)
			}
		})
	}
}

// TestDocumented holds the page against the commands and their flags.
func TestDocumented(t *testing.T) {
	data, err := os.ReadFile("../../docs/spec/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(data)
	for _, cmd := range commands() {
		if cmd.Parent() == nil || cmd.Name() == "help" {
			continue
		}
		if !strings.Contains(page, "`"+cmd.CommandPath()) {
			t.Errorf("no word of %s", cmd.CommandPath())
		}
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if !strings.Contains(page, "--"+f.Name) {
				t.Errorf("no word of --%s of %s", f.Name, cmd.CommandPath())
			}
		})
	}
}

// TestForeignFlags checks that no answer is given for a flag that every command has itself, nor for one that does not
// parse as the flag it is listed under.
func TestForeignFlags(t *testing.T) {
	for name, hint := range foreign {
		if hint == "" {
			t.Errorf("no answer for %q", name)
		}
		dashed := "--" + name
		if len(name) <= 2 {
			dashed = "-" + name
		}
		var stderr bytes.Buffer
		p := &process{args: []string{"version", dashed}, stdout: &bytes.Buffer{}, stderr: &stderr, env: noEnv}
		if code := run(context.Background(), p); code != exitUsage {
			t.Errorf("version %s: exit code %d", dashed, code)
		}
		if !strings.HasPrefix(stderr.String(), "spate: unknown flag "+dashed+"\nhint: ") {
			t.Errorf("version %s: %s", dashed, &stderr)
		}
	}
}
