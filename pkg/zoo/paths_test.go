package zoo

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
)

// A model lists every file that it is read from, and no other of its folder.
func TestFiles(t *testing.T) {
	for _, name := range []string{"induction", "or_gate", "random:1x1x8x8x10"} {
		m, err := Open(t.Context(), name)
		require.NoError(t, err)
		assert.Empty(t, m.Files(), name)
		require.NoError(t, m.Close())
	}
	dir := t.TempDir()
	for _, name := range []string{"config.json", "model.safetensors"} {
		text, err := os.ReadFile(golden.Path("hf-gpt2-tiny", name))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), text, 0o644))
	}
	for _, name := range []string{"vocab.json", "tokenizer_config.json", "README.md"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("{}"), 0o644))
	}
	for _, name := range []string{dir, filepath.Join(dir, "model.safetensors")} {
		m, err := Open(t.Context(), name)
		require.NoError(t, err)
		var found []string
		for _, path := range m.Files() {
			assert.Equal(t, dir, filepath.Dir(path))
			found = append(found, filepath.Base(path))
		}
		assert.ElementsMatch(t, []string{"config.json", "model.safetensors", "vocab.json", "tokenizer_config.json"}, found)
		require.NoError(t, m.Close())
	}
}
