package torch_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/circuit/torch"
	"github.com/seed-2c350065/acdc/pkg/weights/weightstest"
)

// The files of testdata were written by Python's pickle in the form of the reference:
// acdc-NAME.pkl as save_edges, the effects of mlps being tensors of PyTorch and those of
// attention floats, acdc-NAME.pth as save_subgraph; acdc-NAME.json lists the kept edges
// with their effects.
func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	return data
}

// shapes are those of the files.
var shapes = map[string]circuit.Config{
	"acdc-mlps":      {Definition: circuit.ACDC, Layers: 2, Heads: 2},
	"acdc-attention": {Definition: circuit.ACDC, Layers: 1, Heads: 2, AttnOnly: true},
}

// What ACDC saves has its edges and effects, in the graph that a dict of all edges
// shows, or in that which one says of a list.
func TestEdgesOfTheReference(t *testing.T) {
	for name, shape := range shapes {
		var kept [][2]any
		require.NoError(t, json.Unmarshal(read(t, name+".json"), &kept))
		g, err := circuit.New(shape)
		require.NoError(t, err)
		mask, effects := g.Empty(), map[int]any{}
		for _, x := range kept {
			i, err := g.ParseEdge(x[0].(string))
			require.NoError(t, err)
			mask[i], effects[i] = true, x[1]
		}
		require.Greater(t, mask.Count(), 5)
		require.Less(t, mask.Count(), len(mask))

		list := read(t, name+".pkl")
		require.True(t, torch.IsEdges(list))
		f, err := torch.DecodeEdges(t.Context(), "e.pkl", list, circuit.Config{Layers: shape.Layers, Heads: shape.Heads, AttnOnly: shape.AttnOnly})
		require.NoError(t, err)
		found, got, scores, err := f.Circuit()
		require.NoError(t, err)
		assert.Equal(t, shape, found.Config())
		assert.Equal(t, mask, got)
		for i, want := range effects {
			if want == nil {
				assert.True(t, math.IsNaN(scores[i]))
			} else {
				assert.Equal(t, want, scores[i])
			}
		}

		saved := read(t, name+".pth")
		require.True(t, torch.Is(saved))
		require.False(t, torch.IsEdges(saved))
		f, err = torch.Decode(t.Context(), "s.pth", saved)
		require.NoError(t, err)
		found, got, _, err = f.Circuit()
		require.NoError(t, err)
		assert.Equal(t, shape, found.Config())
		assert.Equal(t, mask, got)
	}
}

// edge begins a pickled list of one edge, between hooks, with a tuple as an index.
func edge(child, parent string) *weightstest.Pickle {
	return weightstest.NewPickle().Op("](((").Text(child).Op("(NNK\x00t").Text(parent).Op("(NNK\x00tt")
}

// What is none of ACDC's files is refused, and a class that is not its own by name.
func TestWhatTheReferenceDoesNotWrite(t *testing.T) {
	shape := circuit.Config{Layers: 1, Heads: 2}
	for want, data := range map[string][]byte{
		`x.pkl: expected a list of edges with their effects, as ACDC's save_edges writes, found another object`:                              weightstest.NewPickle().Op("}").Stop(),
		`x.pkl: pickle asks for os.system: only tensors are read, nothing in a pickle is executed`:                                           weightstest.NewPickle().Global("os", "system").Op("(").Text("true").Op("tR").Stop(),
		`x.pkl: pickle asks for acdc.TLACDCEdge.Edge: only tensors are read, nothing in a pickle is executed`:                                weightstest.NewPickle().Global("acdc.TLACDCEdge", "Edge").Op(")\x81").Stop(),
		`x.pkl: pickle: byte 32: NEWOBJ: acdc.TLACDCEdge.TorchIndex: no arguments expected, found some`:                                      weightstest.NewPickle().Global("acdc.TLACDCEdge", "TorchIndex").Op("N\x85\x81").Stop(),
		`x.pkl: edge 1: expected the edge and its effect, found another object`:                                                              weightstest.NewPickle().Op("]Na").Stop(),
		`x.pkl: edge 1: expected a number or None as its effect, found another object`:                                                       edge("blocks.0.hook_q_input", "blocks.0.hook_resid_pre").Text("x").Op("te").Stop(),
		`x.pkl: edge 1: expected "blocks.0.attn.hook_q[:, :, 0]" from "blocks.0.hook_q_input[:, :, 0]", found it from "blocks.0.x[:, :, 0]"`: edge("blocks.0.attn.hook_q", "blocks.0.x").Op("Nte").Stop(),
	} {
		_, err := torch.DecodeEdges(t.Context(), "x.pkl", data, shape)
		assert.EqualError(t, err, want)
	}
	_, err := torch.DecodeEdges(t.Context(), "x.pkl", read(t, "acdc-mlps.pkl"), shape)
	assert.ErrorContains(t, err, "x.pkl: edge 1: edge ")
	_, err = torch.DecodeEdges(t.Context(), "x.pkl", read(t, "acdc-mlps.pkl")[:200], circuit.Config{Layers: 2, Heads: 2})
	assert.ErrorContains(t, err, "x.pkl: ")
	saved := strings.ReplaceAll(string(read(t, "acdc-mlps.pth")), "blocks.1.hook_mlp_in", "blocks.0.hook_mlp_in")
	_, err = torch.Decode(t.Context(), "x.pth", []byte(saved))
	assert.ErrorContains(t, err, "x.pth: edge ")
}

// A small pickle of tuples in tuples does not become a large object.
func TestDeepAndWidePickles(t *testing.T) {
	wide := weightstest.NewPickle().Op("N\x85")
	for range 30 {
		wide.Op("2\x86")
	}
	_, err := torch.DecodeEdges(t.Context(), "x.pkl", wide.Stop(), circuit.Config{Layers: 1, Heads: 1})
	assert.ErrorContains(t, err, "objects expected, found more")
	deep := weightstest.NewPickle().Op("N")
	for range 100 {
		deep.Op("\x85")
	}
	_, err = torch.DecodeEdges(t.Context(), "x.pkl", deep.Stop(), circuit.Config{Layers: 1, Heads: 1})
	assert.ErrorContains(t, err, "32 deep in each other expected, found more")
}

// Any bytes end in a circuit or an error.
func FuzzDecodeEdges(f *testing.F) {
	for name := range shapes {
		data, err := os.ReadFile(filepath.Join("testdata", name+".pkl"))
		require.NoError(f, err)
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if c, err := torch.DecodeEdges(t.Context(), "x", data, circuit.Config{Layers: 2, Heads: 2}); err == nil && c == nil {
			t.Fatal("neither a circuit nor an error")
		}
	})
}
