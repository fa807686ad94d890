// Command man writes the manual pages of acdc and its commands into a folder:
// the texts of help, as roff. Their date is that of SOURCE_DATE_EPOCH, or today.
package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
	"github.com/spf13/pflag"

	"github.com/seed-2c350065/acdc/internal/cli"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "man: expected a folder to write to")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "man:", err)
		os.Exit(1)
	}
}

// write writes a page a command.
func write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	root := cli.Commands()
	prepare(root)
	header := doc.GenManHeader{Section: "1", Source: root.Name(), Manual: root.Name() + " manual"}
	return doc.GenManTree(root, &header, dir)
}

// prepare makes a command's texts Markdown, as the generator expects them. A
// flag is shown with what help calls its value, its default stands in the text.
func prepare(cmd *cobra.Command) {
	cmd.DisableAutoGenTag = true
	cmd.InitDefaultHelpFlag()
	cmd.InitDefaultVersionFlag()
	cmd.Short, cmd.Long = escape(cmd.Short), paragraphs(cmd.Long)
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		kind, usage := pflag.UnquoteUsage(f)
		f.Usage = escape(usage)
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "0" && f.DefValue != "[]" {
			f.Usage += fmt.Sprintf(" (default %s)", escape(f.DefValue))
		}
		if f.Value.Type() == "bool" {
			kind = "true|false"
		}
		f.DefValue = kind
	})
	for _, c := range cmd.Commands() {
		prepare(c)
	}
}

// paragraphs escapes a text; what is indented becomes a block that stays as it is.
func paragraphs(text string) string {
	parts := strings.Split(text, "\n\n")
	for i, p := range parts {
		if strings.HasPrefix(p, " ") {
			parts[i] = "```\n" + p + "\n```"
			continue
		}
		parts[i] = escape(p)
	}
	return strings.Join(parts, "\n\n")
}

// escape makes letters of what Markdown takes for marks.
func escape(text string) string {
	var b strings.Builder
	for _, c := range text {
		if slices.Contains([]rune("\\`*_<>[]#"), c) {
			b.WriteByte('\\')
		}
		b.WriteRune(c)
	}
	return b.String()
}
