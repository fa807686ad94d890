package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/cli"
)

// Every command has a page, with each of its flags, and its text without marks
// lost; the same pages are written twice.
func TestPages(t *testing.T) {
	dir, again := filepath.Join(t.TempDir(), "man"), t.TempDir()
	require.NoError(t, write(dir))
	require.NoError(t, write(again))
	pages := 0
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		name := strings.ReplaceAll(cmd.CommandPath(), " ", "-") + ".1"
		page, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		other, err := os.ReadFile(filepath.Join(again, name))
		require.NoError(t, err)
		assert.Equal(t, page, other)
		pages++
		text := strings.ReplaceAll(string(page), `\-`, "-")
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			assert.Equal(t, !f.Hidden, strings.Contains(text, `\fB--`+f.Name+`\fP`), "%s --%s", name, f.Name)
		})
		for _, c := range cmd.Commands() {
			if c.IsAvailableCommand() {
				walk(c)
			}
		}
	}
	walk(cli.Commands())
	assert.Greater(t, pages, 10)
	run, err := os.ReadFile(filepath.Join(dir, "acdc-run.1"))
	require.NoError(t, err)
	assert.Contains(t, strings.ReplaceAll(string(run), `\-`, "-"), "input->a1.h6<k>")
}
