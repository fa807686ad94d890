package cli

import (
	"bytes"
	"context"
	"io"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/task"
)

// stdoutOf runs the program and returns what it prints.
func stdoutOf(t *testing.T, args ...string) string {
	t.Helper()
	var stdout bytes.Buffer
	require.Zero(t, Main(context.Background(), args, nil, &stdout, io.Discard), "%q", args)
	return stdout.String()
}

// A flag that several commands have stands in a group, and every flag of a
// group is some command's.
func TestSharedFlagsAreGrouped(t *testing.T) {
	commands, meanings := map[string]int{}, map[[2]string]int{}
	eachFlag(newRoot(&app{stdout: &output{}}), func(_ *cobra.Command, f *pflag.Flag) {
		if !f.Hidden {
			commands[f.Name]++
			meanings[[2]string{f.Name, f.Usage}]++
		}
	}, nil)
	for flag, n := range meanings { // predict's --top is another than discover's
		if n > 1 {
			assert.GreaterOrEqual(t, groupOf(flag[0]), 0, "--%s of %d commands", flag[0], n)
		}
	}
	for _, g := range groups {
		for _, name := range g.flags {
			assert.Positive(t, commands[name], "--%s of %s", name, g.title)
		}
	}
}

// Help shows each flag of a command once, its own before the shared ones, and
// with its default.
func TestHelpGroupsFlags(t *testing.T) {
	root := newRoot(&app{stdout: &output{}})
	for _, c := range root.Commands() {
		text := stdoutOf(t, c.Name(), "--help")
		at, own := 0, true
		for _, g := range grouping(c) {
			section := strings.Index(text, "\n"+g.title+":\n")
			require.Greater(t, section, at, "%s: %s", c.Name(), g.title)
			at = section
			require.True(t, own || g.title != "Flags")
			own = false
			g.flags.VisitAll(func(f *pflag.Flag) {
				line := regexp.MustCompile(`(?m)^  (    |-[a-z], )--` + f.Name + `\b( |\[)`)
				assert.Len(t, line.FindAllString(text, -1), 1, "%s --%s", c.Name(), f.Name)
			})
		}
		if f := c.Flags().Lookup("seed"); f != nil && c.Name() == "discover" { // the others have that of the circuit
			assert.Contains(t, text, "(default 0)")
		}
	}
}

var namedWord = regexp.MustCompile(`^ *\S+ {2,}\S+$`)

// unbreakable reports whether a line cannot be broken: it is one word, which may
// be in quotes, perhaps behind a name or a flag.
func unbreakable(line string) bool {
	line = strings.TrimSuffix(line, " \\")
	return len(arguments(strings.TrimSpace(line))) == 1 || namedWord.MatchString(line)
}

// keepWithin checks that no line is wider than it must be.
func keepWithin(t *testing.T, width int, text string, what ...any) {
	t.Helper()
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if utf8.RuneCountInString(line) > width {
			assert.True(t, unbreakable(line), "%v: %q", what, line)
		}
		assert.Equal(t, strings.TrimRight(line, " "), line, "%v", what)
	}
}

// commands are a command and all below it.
func commands(c *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{c}
	for _, sub := range c.Commands() {
		all = append(all, commands(sub)...)
	}
	return all
}

// Help, lists and everything else that is printed keep to the width that COLUMNS
// says, but for words that are wider.
func TestWidth(t *testing.T) {
	circuit := filepath.Join(t.TempDir(), "c.json")
	edges := stdoutOf(t, "discover", "--task", "ioi", "--examples", "4", "--threshold", "0.3", "--quiet", "-o", circuit, "--format", "edges")
	first := strings.Fields(edges)
	cut := first[0] + "->" + first[1]
	for _, width := range []int{80, 60, 40} {
		t.Setenv("COLUMNS", strconv.Itoa(width))
		root := newRoot(&app{stdout: &output{}})
		root.InitDefaultHelpCmd()
		all := commands(root)
		require.Greater(t, len(all), 15)
		for _, c := range all {
			if width < 60 { // where flags have no room beside their names
				break
			}
			args := append(strings.Fields(c.CommandPath())[1:], "--help")
			keepWithin(t, width, stdoutOf(t, args...), args)
		}
		for _, args := range [][]string{
			{"tasks"}, {"models"}, {"reference"}, {"info", "--model", "mini"}, {"info", "--model", "random:1x2x16x64x50257"},
			{"data", "show", "--task", "ioi"}, {"data", "show", "--task", "induction"}, {"data", "show", "--task", "greaterthan"},
			{"discover", "--task", "ioi", "--examples", "4", "--plan", "--format", "dot"},
			{"predict", "--model", "mini", "--prompt", "Then , Mary and John went to the store"},
			{"predict", "--circuit", circuit, "--prompt", "Mary and John", "--corrupt", "John and Mary", "--cut", cut},
			{"run", "--circuit", circuit, "--metric", "kl_div", "--metric", "logit_diff", "--metric", "prob_diff", "--cut", cut},
		} {
			var stdout, stderr bytes.Buffer
			require.Zero(t, Main(context.Background(), args, nil, &stdout, &stderr), "%v: %s", args, &stderr)
			keepWithin(t, width, stdout.String(), args)
		}
		var stdout, stderr bytes.Buffer
		require.Zero(t, Main(context.Background(), []string{"discover", "--task", "induction", "-v", "--verify"}, nil, &stdout, &stderr))
		keepWithin(t, width, stderr.String(), "the summary")
	}
	for width, columns := range map[int]string{96: "96", 120: "120"} {
		t.Setenv("COLUMNS", columns)
		for _, args := range [][]string{{"tasks"}, {"models"}, {"reference"}} {
			for line := range strings.Lines(stdoutOf(t, args...)) {
				assert.LessOrEqual(t, utf8.RuneCountInString(line)-1, width, line)
			}
		}
	}
	for _, nobody := range []string{"", "0", "-5", "x", "7"} { // lines stay whole for scripts
		t.Setenv("COLUMNS", nobody)
		assert.Equal(t, 1, strings.Count(stdoutOf(t, "tasks"), "\ninduction "))
		assert.Contains(t, stdoutOf(t, "tasks"), "(Wang et al. 2022)\n")
		assert.Equal(t, 1+len(task.All()), strings.Count(stdoutOf(t, "tasks"), "\n"))
	}
}

func TestTableWithin(t *testing.T) {
	rows := [][]string{{"A", "TEXT"}, {"1", "one two three four"}}
	assert.Equal(t, "A  TEXT\n1  one two\n   three four\n", table(rows, 13))
	assert.Equal(t, "A     1\nTEXT  one\n      two\n      three\n      four\n", table(rows, 12), "too narrow for a text beside others")
	numbers := [][]string{{"", "EDGES", "KL"}, {"full", "1,041", "0.25"}, {"none", "0", "17.5"}}
	assert.Equal(t, "      EDGES    KL\nfull  1,041  0.25\nnone      0  17.5\n", table(numbers, 17))
	assert.Equal(t, "full\nEDGES  1,041\nKL     0.25\n\nnone\nEDGES  0\nKL     17.5\n", table(numbers, 16))
	assert.Equal(t, table(rows, 0), table(rows, 21))
}

func TestWrap(t *testing.T) {
	assert.Equal(t, "one two\nthree\n\n  stays\n  as it\n  is", wrap("one two three\n\n  stays as it is", 8))
	assert.Equal(t, "short\nlines", wrap("short\nlines\n", 8))
}
