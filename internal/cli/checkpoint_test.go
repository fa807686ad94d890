package cli

import (
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A checkpoint of another run is refused in words: what differs by its flag's
// name, what is expected and found, no digest and no JSON.
func TestCheckpointsOfOtherRunsAreRefusedInWords(t *testing.T) {
	digest := regexp.MustCompile(`[0-9a-f]{20}|[{}\[\]]`)
	for _, c := range []struct {
		first, other []string
		want         string
	}{
		{nil, []string{"--model", "random:2x2x16x0x600"}, "model: expected the weights of random:2x2x16x0x600, found another"},
		{nil, []string{"--seed", "3"}, "data: expected the prompts of task induction, found another"},
		{nil, []string{"--examples", "6"}, "data: expected the prompts of task induction, found another"},
		{[]string{"--data", "random:6x6"}, []string{"--data", "random:6x7"}, "data: expected the prompts of random:6x7, found another"},
		{nil, []string{"--definition", "eap"}, `definition: expected "eap", found "acdc"`},
		{nil, []string{"--metric", "nll"}, `metric: expected "nll", found "kl_div"`},
		{nil, []string{"--ablation", "zero"}, `ablation: expected "zero", found "resample"`},
		{nil, []string{"--threshold", "0.3"}, `threshold: expected "0.3", found "0.5"`},
		{nil, []string{"--abs"}, `abs: expected "true", found "false"`},
		{nil, []string{"--order", "reverse"}, `order: expected "reverse", found "normal"`},
		{nil, []string{"--algorithm", "ugs", "--steps", "3"}, `algorithm: expected "ugs", found "acdc"`},
		{[]string{"--algorithm", "ugs", "--steps", "3"}, []string{"--algorithm", "ugs", "--steps", "3", "--rate", "0.5"}, `rate: expected "0.5", found "0.05"`},
		{[]string{"--algorithm", "ugs", "--steps", "3"}, []string{"--algorithm", "ugs", "--steps", "2"}, `steps: expected "2", found "3"`},
	} {
		path := filepath.Join(t.TempDir(), "run.ckpt")
		args := func(more []string) []string {
			return append([]string{"discover", "--task", "induction", "--examples", "5", "--quiet", "--checkpoint", path}, more...)
		}
		code, stderr := runMain(args(c.first)...)
		assert.Zero(t, code, stderr)
		code, stderr = runMain(args(c.other)...)
		assert.Equal(t, 1, code, c.want)
		require.Contains(t, stderr, path+": checkpoint of another run: "+c.want)
		assert.NotRegexp(t, digest, stderr[len("acdc: ")+len(path):])
	}
}
