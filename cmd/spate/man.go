package main

import (
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

func newManCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "man DIR",
		Short: "Write the manual pages into a directory",
		Long: "Writes a manual page for each command, spate.1, spate-cat.1 and so on, into DIR, which is made if it is not " +
			"there.\nPages of that name are replaced. SOURCE_DATE_EPOCH sets their date.",
		Example: "  spate man /tmp/man && man /tmp/man/spate.1",
		Args:    exactly(1, "DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o777); err != nil {
				return err
			}
			root := cmd.Root()
			root.DisableAutoGenTag = true
			return doc.GenManTree(root, &doc.GenManHeader{Title: "SPATE", Section: "1", Source: "spate", Manual: "spate"}, args[0])
		},
	}
}
