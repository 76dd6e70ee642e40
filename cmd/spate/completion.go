package main

import (
	"strings"

	"github.com/spf13/cobra"
)

const completionLong = `Writes a script to stdout that completes commands and flags in a shell: bash, zsh, fish or powershell.

    bash        source <(spate completion bash)   # with the package bash-completion
    zsh         spate completion zsh > "${fpath[1]}/_spate"
    fish        spate completion fish | source
    powershell  spate completion powershell | Out-String | Invoke-Expression`

func newCompletionCmd() *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
		Use:       "completion SHELL",
		Short:     "Write a script that completes commands in a shell",
		Long:      completionLong,
		ValidArgs: shells,
		Args:      exactly(1, strings.Join(shells, "|")),
		RunE:      func(cmd *cobra.Command, args []string) error { return complete(cmd, args[0]) },
	}
}

func complete(cmd *cobra.Command, shell string) error {
	root, out := cmd.Root(), cmd.OutOrStdout()
	switch shell {
	case "bash":
		return root.GenBashCompletionV2(out, true)
	case "zsh":
		return root.GenZshCompletion(out)
	case "fish":
		return root.GenFishCompletion(out, true)
	case "powershell":
		return root.GenPowerShellCompletionWithDesc(out)
	}
	return usage("no completion for "+shown(shell), "there are bash, zsh, fish and powershell")
}
