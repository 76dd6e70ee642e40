package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
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
	samples := map[string]string{"bool": "true", "string": "x", "stringArray": "x", "stringSlice": "x", "SIZE": "8KiB", "ALG=HEX": "auto",
		"TIME": "7s", "N": "9", "HEADER": "X-A: s3cret", "USER:PASSWORD": "s3cret:s3cret", "TOKEN": "s3cret",
		"COOKIE": "a=s3cret", "PROXY": "http://u:s3cret@h", "TEXT": "x", "URL": "x", "HOST:PORT:ADDR": "h:80:::1", "FMT": "x",
		"CIDR":           "192.0.2.0/24",
		"SHA256:HASH":    "SHA256:" + strings.Repeat("A", 43),
		"RATE|TIMETABLE": "08:00,1MiB 23:00,off"}
	shown := map[string]string{"HEADER": "X-A: xxxxx", "USER:PASSWORD": "xxxxx", "TOKEN": "xxxxx", "COOKIE": "xxxxx",
		"PROXY": "xxxxx"}
	for _, cmd := range commands() {
		cmd.InitDefaultHelpFlag()
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if isQuestion(f.Name) || f.Hidden {
				return
			}
			sample, ok := samples[f.Value.Type()]
			if !ok {
				sample, _, _ = strings.Cut(f.Value.Type(), "|") // a choice
			}
			name := envName(f)
			err := applyEnv(cmd.Flags(), func(n string) (string, bool) { return sample, n == name })
			if err != nil || strings.Trim(f.Value.String(), "[]") != cmp.Or(shown[f.Value.Type()], sample) {
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

// TestForeignFlags checks that each flag is listed once and with an answer, and that it parses as the flag that it is
// listed under.
func TestForeignFlags(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range foreign {
		for _, name := range strings.Fields(f.names) {
			if seen[name] || f.hint == "" {
				t.Errorf("%q: listed twice, or without an answer", name)
			}
			seen[name] = true
			dashed := "--" + name
			if len(name) <= 2 {
				dashed = "-" + name
			}
			if got, want := refusal("version", dashed), "spate: unknown flag "+dashed+"\nhint: "+f.hint+"\n"; got != want {
				t.Errorf("%s: %s", dashed, got)
			}
		}
	}
}

// TestForeignFlagsOfHelp goes through all that these programs list: each is a flag of get, or refused with a reason.
func TestForeignFlagsOfHelp(t *testing.T) {
	page, err := os.ReadFile("testdata/foreign.txt")
	if err != nil {
		t.Fatal(err)
	}
	get := newGetCmd(&process{env: noEnv})
	get.Flags().SetNormalizeFunc(alias)
	seen := 0
	for line := range strings.Lines(string(page)) {
		if strings.HasPrefix(line, "# ") {
			continue
		}
		for _, flag := range strings.Fields(line) {
			seen++
			name := strings.TrimLeft(flag, "-")
			if hasFlag(get.Flags(), name) || name == "h" || name == "help" {
				continue
			}
			if got := refusal("get", flag); !strings.HasPrefix(got, "spate: unknown flag "+flag+"\nhint: ") || strings.Contains(got, "lists the flags") {
				t.Errorf("%s: %s", flag, got)
			}
		}
	}
	if seen < 500 {
		t.Errorf("only %d flags", seen)
	}
}

// TestForeignFlagsOfHabit has what people type who know the other programs.
func TestForeignFlagsOfHabit(t *testing.T) {
	for _, group := range []string{
		// curl
		"-a -b -c -d -e -f -g -i -j -k -l -m -n -o -p -r -s -t -u -v -w -x -y -z -0 -1 -2 -3 -4 -6 -# " +
			"-A -C -D -E -F -G -H -I -J -K -L -M -N -O -P -Q -R -S -T -U -V -X -Y -Z --show-error --fail --fail-with-body --cert --key " +
			"--cacert --capath --request --data --form --get --head --include --location --output --remote-name --retry --cookie --cookie-jar " +
			"--proxy --proxy-user --http1.1 --http2 --tlsv1.2 --resolve --interface --silent --verbose --trace --stderr --url --config --range",
		// wget
		"-np -nd -nH -nc -nv -B --background --debug --output-file --append-output --input-file --tries --no-clobber --continue --spider " +
			"--timeout --limit-rate --wait --quota --trust-server-names --load-cookies --save-cookies --method --post-data --ca-directory " +
			"--ca-certificate --recursive --no-parent --page-requisites --mirror --level --accept --reject --convert-links --span-hosts",
		// aria2, axel, lftp, rclone
		"--split --min-split-size --max-connection-per-server --max-concurrent-downloads --file-allocation --check-integrity --checksum " +
			"--allow-overwrite --auto-file-renaming --all-proxy --daemon --dir --out --num-connections --transfers --bwlimit --retries",
	} {
		for _, flag := range strings.Fields(group) {
			if got := refusal("version", flag); !strings.HasPrefix(got, "spate: unknown flag "+flag+"\n") || strings.Contains(got, "lists the flags") {
				t.Errorf("%s: %s", flag, got)
			}
		}
	}
}

// refusal is what is told of a command line that is exit 2; if it is not, the exit code.
func refusal(args ...string) string {
	var stderr bytes.Buffer
	p := &process{args: args, stdout: &bytes.Buffer{}, stderr: &stderr, env: noEnv}
	if code := run(context.Background(), p); code != exitUsage {
		return fmt.Sprintf("exit code %d", code)
	}
	return stderr.String()
}
