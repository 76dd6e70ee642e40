package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"
)

// envAnnotation names the environment form of a flag that cannot have the usual one: another command has a flag of that
// name with other values.
const envAnnotation = "spate-env"

// envName is the environment form of a flag: SPATE_MAX_BYTES for max-bytes.
func envName(f *pflag.Flag) string {
	if own := f.Annotations[envAnnotation]; len(own) > 0 {
		return own[0]
	}
	return "SPATE_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
}

// applyEnv sets the flags that are not on the command line from their environment forms. An empty variable counts as
// none. The flags do not count as Changed: that stays for the command line. What is hidden, as another name of a flag, has no such
// form. The error names the variable.
func applyEnv(flags *pflag.FlagSet, env func(string) (string, bool)) error {
	var bad error
	flags.VisitAll(func(f *pflag.Flag) {
		text, ok := env(envName(f))
		if !ok || text == "" || f.Changed || f.Hidden || bad != nil || isQuestion(f.Name) {
			return
		}
		if err := f.Value.Set(text); err != nil {
			if isPrivate(f.Value) {
				text = hidden
			}
			bad = usage(fmt.Sprintf("%s=%q: %v", envName(f), text, valueCause(f, err)), "it is the environment form of --"+f.Name)
		}
	})
	return bad
}

// isQuestion tells the flags that replace a command rather than set something.
func isQuestion(name string) bool { return name == "help" || name == "version" }

// valueCause is why a value was refused, in the words of our own types.
func valueCause(f *pflag.Flag, err error) error {
	if f.Value.Type() == "bool" {
		return errors.New("want true or false")
	}
	return err
}
