package cli

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
)

// Every command that opens a model says on standard error what its
// configuration has that nobody knows, once, and goes on.
func TestWarningsOfAModel(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"config.json", "model.safetensors"} {
		data, err := os.ReadFile(golden.Path("gpt3l-random", name))
		require.NoError(t, err)
		if name == "config.json" {
			data = bytes.Replace(data, []byte("{"), []byte(`{"logit_scale": 2,`), 1)
		}
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), data, 0o600))
	}
	data, circuit := filepath.Join(dir, "d.json"), filepath.Join(dir, "c.json")
	require.NoError(t, os.WriteFile(data, []byte(`{"prompts":[{"clean":[1,2,3],"corrupt":[1,4,3],"answers":[5],"wrong_answers":[6]}]}`), 0o600))
	want := "acdc: warning: " + filepath.Join(dir, "config.json") + ": field \"logit_scale\" is not known of TransformerLens configurations, and is ignored: found 2\n"
	for _, args := range [][]string{
		{"info", "--model", dir},
		{"discover", "--model", dir, "--data", data, "--threshold", "1", "--metric", "kl_div", "--quiet", "-o", circuit, "--threads", "1"},
		{"run", "--circuit", circuit, "--threads", "1"},
	} {
		var stdout, stderr bytes.Buffer
		assert.Zero(t, Main(context.Background(), args, strings.NewReader(""), &stdout, &stderr), "%s: %s", args[0], &stderr)
		assert.Equal(t, want, stderr.String(), args[0])
	}
}
