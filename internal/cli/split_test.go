package cli

import (
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// splitting are the commands that have --split-embed, with what makes them answer.
// convert takes it for what a list of names is of; view serves what it finds.
var splitting = map[string][]string{
	"discover":  {"discover", "--format", "edges", "--quiet"},
	"roc":       {"roc", "--algorithm", "acdc", "--thresholds", "0.5", "--truth", "c.json", "--format", "json", "--quiet"},
	"stability": {"stability", "--samples", "1", "--format", "csv", "--quiet"},
	"sweep":     {"sweep", "--thresholds", "0.5", "--quiet"},
	"plan":      {"sweep", "plan", "--thresholds", "0.5"},
	"convert":   nil,
	"view":      nil, // which serves: view_test.go
}

// What a task has split is one sender where somebody says so, and two where
// somebody says nothing, or the same.
func TestSplitEmbeddingsAreWhatIsSaid(t *testing.T) {
	found := map[string]bool{}
	eachFlag(newRoot(&app{stdout: &output{}}), func(cmd *cobra.Command, f *pflag.Flag) {
		if f.Name == "split-embed" {
			found[cmd.Name()] = true
		}
	}, nil)
	for name := range found {
		_, known := splitting[name]
		assert.True(t, known, "%s: say in this test what makes it answer", name)
	}
	require.Len(t, found, len(splitting))
	t.Chdir(t.TempDir())
	for name, args := range splitting {
		if args == nil {
			continue
		}
		answer := func(flag string) string {
			acdcOut(t, append([]string{"discover", "--task", "tracr-reverse", "--quiet", "-o", "c.json"}, flag)...)
			return acdcOut(t, append(args[:len(args):len(args)], "--task", "tracr-reverse", flag)...)
		}
		split, own, one := answer("--split-embed"), answer("--seed=0"), answer("--split-embed=false")
		assert.Equal(t, split, own, name)
		assert.NotEqual(t, split, one, name)
	}
}
