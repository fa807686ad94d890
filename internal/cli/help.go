package cli

import (
	"fmt"
	"io"
	"os"
	"regexp"
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
	{"Data", []string{"task", "program", "data", "test-data", "metric", "ablation", "seed", "examples", "half", "variant", "bos", "no-bos"}},
	{"Method", []string{"algorithm", "threshold", "thresholds", "sizes", "abs", "top", "sparsity", "select", "by", "fractions", "share", "bootstrap", "norm", "steps", "rate", "lambda", "init", "fixed-pattern", "prenorm", "order", "screen", "verify"}},
	{"Output", []string{"output", "format", "color", "direct", "heads", "collapse", "max-edges", "drop-idle", "json", "track", "track"}},
	{"Circuit", []string{"circuit", "cut", "add"}},
	{"Many machines", []string{"manifest", "dir", "per-task"}},
	{"General", []string{"definition", "split-embed", "threads", "checkpoint", "quiet", "verbose", "version", "help"}},
}

// Widths in columns where neither COLUMNS nor a terminal says how wide lines
// may be: text is written for the one, flags are laid out for the other.
const (
	textWidth = 80
	flagWidth = 100
)

// flagSlop is how much wider than asked the lines of flags may become.
const flagSlop = 4

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
	limit := columns(w)
	var b strings.Builder
	b.WriteString("Usage:\n")
	if cmd.Runnable() {
		lead := "  " + cmd.CommandPath() + " "
		b.WriteString(hanging(lead, strings.TrimPrefix("  "+cmd.UseLine(), lead), limit))
	}
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "  %s [command]\n", cmd.CommandPath())
	}
	if cmd.HasExample() {
		b.WriteString("\nExamples:\n")
		for _, line := range strings.Split(cmd.Example, "\n") {
			b.WriteString(foldedCommand(line, limit) + "\n")
		}
	}
	if cmd.HasAvailableSubCommands() {
		b.WriteString("\nCommands:\n")
		for _, c := range cmd.Commands() {
			if c.IsAvailableCommand() || c.Name() == "help" {
				b.WriteString(hanging(fmt.Sprintf("  %-*s ", c.NamePadding(), c.Name()), c.Short, limit))
			}
		}
	}
	width := flagWidth
	if limit > 0 {
		width = limit - flagSlop
	}
	for _, g := range grouping(cmd) {
		fmt.Fprintf(&b, "\n%s:\n", g.title)
		for line := range strings.Lines(g.flags.FlagUsagesWrapped(width)) {
			b.WriteString(strings.TrimRight(line, " \n") + "\n")
		}
	}
	if cmd.HasAvailableSubCommands() {
		b.WriteString("\n" + hanging("", fmt.Sprintf("%q says more about a command.", cmd.CommandPath()+" [command] --help"), limit))
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

// columnEnd finds where the last column of a line begins.
var columnEnd = regexp.MustCompile(`^.*\S {2,}|^ *`)

// wrap breaks the paragraphs of a text that are wider than a line. Of those with
// indented lines each line is broken for itself, in its last column.
func wrap(text string, width int) string {
	paragraphs := strings.Split(strings.TrimSpace(text), "\n\n")
	for i, p := range paragraphs {
		lines := strings.Split(p, "\n")
		indented := func(line string) bool { return strings.HasPrefix(line, " ") }
		tooWide := func(line string) bool { return utf8.RuneCountInString(line) > width }
		switch {
		case !slices.ContainsFunc(lines, tooWide):
		case slices.ContainsFunc(lines, indented):
			for k, line := range lines {
				lead := columnEnd.FindString(line)
				lines[k] = strings.TrimSuffix(hanging(lead, line[len(lead):], width), "\n")
			}
			paragraphs[i] = strings.Join(lines, "\n")
		default:
			paragraphs[i] = strings.Join(folded(p, width), "\n")
		}
	}
	return strings.Join(paragraphs, "\n\n")
}

// folded breaks a text into lines of at most so many characters where its words
// allow it.
func folded(text string, width int) []string { return foldedWords(strings.Fields(text), width) }

// foldedWords joins words by spaces into lines of at most so many characters.
func foldedWords(words []string, width int) []string {
	var lines []string
	line := ""
	for i, word := range words {
		switch {
		case i == 0:
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

// hanging writes a text behind a lead, in lines of at most so many characters, 0
// being no limit, of which all but the first are indented as far.
func hanging(lead, text string, limit int) string {
	indent := utf8.RuneCountInString(lead)
	if limit == 0 || indent+utf8.RuneCountInString(text) <= limit {
		return lead + text + "\n"
	}
	return lead + strings.Join(folded(text, limit-indent), "\n"+strings.Repeat(" ", indent)) + "\n"
}

// foldedCommand breaks a line of an example that is wider than so many
// characters, 0 being no limit, as a shell lets one: between words that are not
// quoted, behind a \.
func foldedCommand(line string, limit int) string {
	const indent, more = "  ", " \\\n    "
	if limit == 0 || utf8.RuneCountInString(line) <= limit {
		return line
	}
	return indent + strings.Join(foldedWords(arguments(line), limit-len(indent)-len(" \\")-2), more)
}

// arguments are the words of a command, each flag with the value behind it.
func arguments(line string) (out []string) {
	for i, word := range shellWords(line) {
		isFlag := func(s string) bool { return strings.HasPrefix(s, "-") }
		if i > 0 && isFlag(out[len(out)-1]) && !strings.Contains(out[len(out)-1], " ") && !isFlag(word) {
			out[len(out)-1] += " " + word
			continue
		}
		out = append(out, word)
	}
	return out
}

// shellWords parts a command at its spaces, but for those within quotes.
func shellWords(line string) []string {
	quote := rune(0)
	return strings.FieldsFunc(line, func(r rune) bool {
		switch {
		case quote == 0 && (r == '\'' || r == '"'):
			quote = r
		case r == quote:
			quote = 0
		}
		return r == ' ' && quote == 0
	})
}
