package cli

import (
	"bytes"
	"context"
	"io"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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

// Help and lists keep to the width that COLUMNS says, but for lines that are to
// be typed.
func TestWidth(t *testing.T) {
	t.Setenv("COLUMNS", "60")
	root := newRoot(&app{stdout: &output{}})
	for _, c := range root.Commands() {
		typed := strings.Split(c.Example+"\n  "+c.UseLine(), "\n")
		for line := range strings.Lines(stdoutOf(t, c.Name(), "--help")) {
			line = strings.TrimRight(line, "\n")
			// What stands in columns of its own is as wide as its longest word.
			if utf8.RuneCountInString(line) > 60 && !strings.HasPrefix(line, "  ") {
				assert.Contains(t, typed, line, c.Name())
			}
		}
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
		assert.Equal(t, 6, strings.Count(stdoutOf(t, "tasks"), "\n"))
	}
}

func TestTableWithin(t *testing.T) {
	rows := [][]string{{"A", "TEXT"}, {"1", "one two three four"}}
	assert.Equal(t, "A  TEXT\n1  one two\n   three four\n", tableWithin(rows, 13))
	assert.Equal(t, "A  TEXT\n1  one two three four\n", tableWithin(rows, 12), "too narrow for a text")
	assert.Equal(t, table(rows), tableWithin(rows, 21))
}

func TestWrap(t *testing.T) {
	assert.Equal(t, "one two\nthree\n\n  stays as it is", wrap("one two three\n\n  stays as it is", 8))
	assert.Equal(t, "short\nlines", wrap("short\nlines\n", 8))
}
