package cli

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"
)

// The groups of flags that several commands share. Help lists them below a
// command's own.
var groups = []struct {
	title string
	flags []string
}{
	{"Model", []string{"model", "no-processing", "fold-ln", "center-writing-weights", "center-unembed", "fold-value-biases", "reset-weights"}},
	{"Data", []string{"task", "data", "metric", "ablation", "seed", "examples", "half", "variant", "bos", "no-bos"}},
	{"Output", []string{"output", "format", "color", "direct", "heads", "drop-idle", "json"}},
	{"Circuit", []string{"circuit", "cut", "add"}},
	{"General", []string{"definition", "threads", "checkpoint", "quiet", "verbose", "version", "help"}},
}

// Widths in columns where neither COLUMNS nor a terminal says how wide lines
// may be: text is written for the one, flags are laid out for the other.
const (
	textWidth = 80
	flagWidth = 100
)

// columns is how wide lines may be, 0 where nobody says. A width that no word
// would fit in is nobody's.
func columns(w io.Writer) int {
	const least = 20
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n >= least {
		return n
	}
	if o, ok := w.(*output); ok {
		w = o.raw
	}
	if f, ok := w.(*os.File); ok {
		if n, _, err := term.GetSize(int(f.Fd())); err == nil && n >= least {
			return n
		}
	}
	return 0
}

// help prints what a command is for and how it is used.
func help(cmd *cobra.Command, _ []string) {
	w := cmd.OutOrStdout()
	text := cmd.Long
	if text == "" {
		text = cmd.Short
	}
	width := columns(w)
	if width == 0 || width > textWidth {
		width = textWidth
	}
	fmt.Fprintf(w, "%s\n\n", wrap(text, width)) // an error is kept by the output
	_ = usage(cmd)
}

// usage prints how a command is used.
func usage(cmd *cobra.Command) error {
	w := cmd.OutOrStdout()
	var b strings.Builder
	b.WriteString("Usage:\n")
	if cmd.Runnable() {
		fmt.Fprintf(&b, "  %s\n", cmd.UseLine())
	}
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "  %s [command]\n", cmd.CommandPath())
	}
	if cmd.HasExample() {
		fmt.Fprintf(&b, "\nExamples:\n%s\n", cmd.Example)
	}
	if cmd.HasAvailableSubCommands() {
		b.WriteString("\nCommands:\n")
		for _, c := range cmd.Commands() {
			if c.IsAvailableCommand() || c.Name() == "help" {
				fmt.Fprintf(&b, "  %-*s %s\n", c.NamePadding(), c.Name(), c.Short)
			}
		}
	}
	width := columns(w)
	if width == 0 {
		width = flagWidth
	}
	for _, g := range grouping(cmd) {
		fmt.Fprintf(&b, "\n%s:\n%s", g.title, g.flags.FlagUsagesWrapped(width))
	}
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "\n%q says more about a command.\n", cmd.CommandPath()+" [command] --help")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// titled is some flags of a command under a title.
type titled struct {
	title string
	flags *pflag.FlagSet
}

// grouping lists a command's flags: its own, then those that it shares.
func grouping(cmd *cobra.Command) []titled {
	own := titled{"Flags", pflag.NewFlagSet("", pflag.ContinueOnError)}
	shared := make([]titled, len(groups))
	for i, g := range groups {
		shared[i] = titled{g.title + " flags", pflag.NewFlagSet("", pflag.ContinueOnError)}
	}
	all := []titled{own}
	cmd.LocalFlags().SortFlags = cmd.Flags().SortFlags
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		into := own
		if i := groupOf(f.Name); i >= 0 {
			into = shared[i]
		}
		into.flags.SortFlags = false
		into.flags.AddFlag(f)
	})
	all = append(all, shared...)
	return slices.DeleteFunc(all, func(g titled) bool { return !g.flags.HasAvailableFlags() })
}

// groupOf is the index of a shared flag's group, -1 for a command's own flag.
func groupOf(flag string) int {
	for i, g := range groups {
		if slices.Contains(g.flags, flag) {
			return i
		}
	}
	return -1
}

// wrap breaks the paragraphs of a text that are wider than a line. Those with
// indented lines stay as they are.
func wrap(text string, width int) string {
	paragraphs := strings.Split(strings.TrimSpace(text), "\n\n")
	for i, p := range paragraphs {
		lines := strings.Split(p, "\n")
		indented := func(line string) bool { return strings.HasPrefix(line, " ") }
		tooWide := func(line string) bool { return utf8.RuneCountInString(line) > width }
		if !slices.ContainsFunc(lines, indented) && slices.ContainsFunc(lines, tooWide) {
			paragraphs[i] = strings.Join(folded(p, width), "\n")
		}
	}
	return strings.Join(paragraphs, "\n\n")
}

// folded breaks a text into lines of at most so many characters where its words
// allow it.
func folded(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= width:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	return append(lines, line)
}
