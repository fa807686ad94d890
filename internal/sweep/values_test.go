package sweep

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func number(s string) (float64, error) { return strconv.ParseFloat(s, 64) }

func TestValues(t *testing.T) {
	for text, want := range map[string][]float64{"0.03, 0.01,0.03": {0.01, 0.03}, "log:1e-3:1:4": {0.001, 0.01, 0.1, 1}, "5": {5}} {
		got, err := ParseValues(text, number)
		require.NoError(t, err)
		require.Len(t, got, len(want), text)
		for i := range want {
			assert.InEpsilon(t, want[i], got[i], 1e-12, text)
		}
	}
	ends, err := ParseValues("log:0.003:0.7:20", number)
	require.NoError(t, err)
	assert.Equal(t, []float64{0.003, 0.7}, []float64{ends[0], ends[19]}, "exactly")
	for _, bad := range []string{"", "x", "1,,2", "log:1:2", "log:0:1:5", "log:2:1:5", "log:1:2:1", "log:1:2:x", "log:1:2:99999999"} {
		_, err := ParseValues(bad, number)
		assert.Error(t, err, bad)
	}
}

func TestSizes(t *testing.T) {
	assert.Equal(t, []int{1, 10, 100}, Sizes(3, 100))
	assert.Equal(t, []int{1, 2, 3, 4}, Sizes(20, 4), "each once")
	assert.Equal(t, []int{9}, Sizes(1, 9))
	assert.Equal(t, []int{1}, Sizes(5, 1))
}

func TestArrays(t *testing.T) {
	for want, indices := range map[string][]int{"": nil, "0": {0}, "0-1": {0, 1}, "0,2-4,9": {0, 2, 3, 4, 9}} {
		assert.Equal(t, want, Array(indices))
	}
	plan := make([]Planned, 7)
	for perTask, want := range map[int][]int{1: {1, 1, 1, 1, 1, 1, 1}, 3: {3, 3, 1}, 100: {7}} {
		assert.Equal(t, len(want), Shares(7, perTask))
		for i, n := range want {
			assert.Len(t, Share(plan, i, perTask), n)
		}
		assert.Empty(t, Share(plan, len(want), perTask))
		assert.Empty(t, Share(plan, 1<<31-1, perTask))
	}
	assert.Equal(t, []int{0, 1, 2}, Missing(Folder(t.TempDir()), plan, 3))
}

// Names of files are one word each to the shell, and strings to YAML.
func TestJobs(t *testing.T) {
	j := Job{Manifest: "my runs.jsonl", Dir: "it's", Runs: 2500, CPUs: 2, Image: "acdc:1", Claim: "data"}
	text, err := j.Script(Slurm)
	require.NoError(t, err)
	for _, want := range []string{"#SBATCH --array=0-833\n", "#SBATCH --cpus-per-task=2\n", "#SBATCH --signal=B:TERM@120\n",
		"\nexec acdc sweep run --manifest 'my runs.jsonl' --dir 'it'\\''s' --per-task 3\n"} {
		assert.Contains(t, text, want)
	}
	text, err = j.Script(Kubernetes)
	require.NoError(t, err)
	for _, want := range []string{"completions: 834\n", "values: [2]", "'it''s'", "image: 'acdc:1'", "claimName: 'data'"} {
		assert.Contains(t, text, want)
	}
	j.PerTask = 100
	text, err = j.Script(Slurm)
	require.NoError(t, err)
	assert.Contains(t, text, "--array=0-24\n")
	j.Dir = "/runs"
	_, err = j.Script(Kubernetes)
	assert.ErrorContains(t, err, "by a path from its top")
	_, err = j.Script("pbs")
	assert.ErrorContains(t, err, "slurm, kubernetes")
	assert.True(t, strings.HasPrefix(slurmScript, "#!"))
}
