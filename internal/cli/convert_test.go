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

// What ACDC pickles is read by convert, and a dict of all edges by every command; both
// have the same edges.
func TestPicklesOfTheReference(t *testing.T) {
	folder, err := filepath.Abs(filepath.Join("..", "..", "pkg", "circuit", "torch", "testdata"))
	require.NoError(t, err)
	list, all := filepath.Join(folder, "acdc-mlps.pkl"), filepath.Join(folder, "acdc-mlps.pth")
	t.Chdir(t.TempDir())
	for _, args := range [][]string{{list, "list.json", "--shape", "2x2"}, {all, "all.json"}} {
		code, out := runMain(append([]string{"convert"}, args...)...)
		require.Zero(t, code, out)
		assert.Empty(t, out)
	}
	assert.Contains(t, acdcOut(t, "compare", "list.json", all, "--format", "csv"), ",32,0,0,1,1,1,")
	assert.Contains(t, acdcOut(t, "convert", "list.json", "-", "--to", "edges"), "input\ta0.h0<q>\t8.875\n")
	for _, c := range []struct {
		want string
		args []string
	}{
		{"acdc-mlps.pkl: expected a circuit file that declares its graph, found a list of edges that ACDC pickled", []string{"render", list}},
		{"acdc-mlps.pkl: expected --shape LxH", []string{"convert", list, "x.json"}},
		{"--definition eap: expected acdc, which ACDC's graph is", []string{"convert", list, "x.json", "--shape", "2x2", "--definition", "eap"}},
		{"acdc-mlps.pkl: expected the format edges, found a list of edges that ACDC pickled", []string{"convert", list, "x.json", "--from", "edges", "--shape", "2x2"}},
		{"expected neither --shape, --definition nor --split-embed", []string{"convert", all, "x.json", "--shape", "2x2"}},
		{"expected a sound circuit file, found 1 kind", []string{"convert", list, "--check", "--shape", "2x2"}},
	} {
		code, out := runMain(c.args...)
		assert.NotZero(t, code)
		assert.Contains(t, out, c.want)
	}
}

// A file of the MIB format with every edge of GPT-2 small is read, drawn, all that it
// keeps and the strongest, written again and equal, also on the way through the
// project's own format.
func TestWholeFileOfMIBIsWrittenAgain(t *testing.T) {
	part, err := filepath.Abs(filepath.Join("..", "..", "pkg", "circuit", "testdata", "mib-ioi.json"))
	require.NoError(t, err)
	t.Chdir(t.TempDir())
	convert := func(args ...string) {
		code, out := runMain(append([]string{"convert"}, args...)...)
		require.Zero(t, code, out)
		require.Empty(t, out)
	}
	convert(part, "whole.json", "--to", "mib", "--d-model", "768")
	convert("whole.json", "again.json", "--to", "mib")
	convert("whole.json", "own.json")
	convert("own.json", "back.json", "--to", "mib")
	convert("whole.json", "--check")
	whole, err := os.ReadFile("whole.json")
	require.NoError(t, err)
	assert.Equal(t, 32491, strings.Count(string(whole), "->"))
	for _, name := range []string{"again.json", "back.json"} {
		again, err := os.ReadFile(name)
		require.NoError(t, err)
		assert.True(t, string(whole) == string(again), name)
	}
	for _, flags := range [][]string{nil, {"--top", "50"}} {
		want := acdcOut(t, append([]string{"render", part, "--format", "edges"}, flags...)...)
		assert.Equal(t, want, acdcOut(t, append([]string{"render", "whole.json", "--format", "edges"}, flags...)...))
		assert.Equal(t, map[bool]int{true: 756, false: 50}[flags == nil], strings.Count(want, "\n"))
	}
}
