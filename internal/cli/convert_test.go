package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What EAP-IG saves by PyTorch is read by every command that reads a circuit, and
// is the circuit of its JSON.
func TestSavedCircuitsAreRead(t *testing.T) {
	folder, err := filepath.Abs(filepath.Join("..", "..", "pkg", "circuit", "testdata"))
	require.NoError(t, err)
	saved, text := filepath.Join(folder, "mib-full.pt"), filepath.Join(folder, "mib-full.json")
	t.Chdir(t.TempDir())
	assert.Empty(t, acdcOut(t, "convert", saved, "--check"))
	arrows := func(path string) (names []string) {
		for line := range strings.Lines(acdcOut(t, "render", path, "--top", "5", "--format", "edges")) {
			names = append(names, line[:strings.LastIndex(line, "\t")]) // scores are single there
		}
		return names
	}
	assert.Equal(t, arrows(text), arrows(saved))
	pairs := acdcOut(t, "compare", text, saved, "--format", "csv")
	assert.Contains(t, pairs, ",5,0,0,1,1,1,5,0,0,1,1,1,5,1,1,", pairs)
	code, out := runMain("convert", saved, "again.json", "--to", "mib")
	require.Zero(t, code, out)
	again, err := os.ReadFile("again.json")
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(string(again), `{"cfg": {"n_layers": 2, "n_heads": 3, "parallel_attn_mlp": false, "d_model": 24}, "nodes": {"input": {"in_graph": true, "score": `))
}

// The published circuit of the MIB format that the project has a part of: its
// edges are drawn, all and the strongest.
func TestPublishedCircuitIsDrawn(t *testing.T) {
	path := filepath.Join("..", "..", "pkg", "circuit", "testdata", "mib-ioi.json")
	assert.Equal(t, 756, strings.Count(acdcOut(t, "render", path, "--format", "edges"), "\n"))
	assert.Equal(t, 50, strings.Count(acdcOut(t, "render", path, "--top", "50", "--format", "edges"), "\n"))
	assert.Contains(t, acdcOut(t, "render", path, "--top", "50"), "50 of 32491 edges")
	assert.Contains(t, acdcOut(t, "render", path, "--top", "1", "--format", "edges"), "a9.h9\tlogits\t-0.2815")
	assert.Contains(t, acdcOut(t, "render", path), "756 of 32491 edges")
}
