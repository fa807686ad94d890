package torch_test

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/circuit/torch"
	"github.com/seed-2c350065/acdc/pkg/weights"
	"github.com/seed-2c350065/acdc/pkg/weights/weightstest"
)

// saved is a circuit as EAP-IG saves it: what its JSON says, row by row and column
// by column, by the names in that JSON.
func saved(t *testing.T, text []byte, change func(cfg map[string]int64, in []float32)) []byte {
	t.Helper()
	var x struct {
		Config struct {
			Layers   int  `json:"n_layers"`
			Heads    int  `json:"n_heads"`
			Parallel bool `json:"parallel_attn_mlp"`
			Width    int  `json:"d_model"`
		} `json:"cfg"`
		Nodes map[string]struct{ Score *float64 }
		Edges map[string]struct {
			Score float64
			In    bool `json:"in_graph"`
		}
	}
	require.NoError(t, json.Unmarshal(bytes.ReplaceAll(text, []byte("NaN"), []byte("-77")), &x))
	senders, receivers := []string{"input"}, []string{}
	for l := range x.Config.Layers {
		layer := string(rune('0' + l))
		for h := range x.Config.Heads {
			senders = append(senders, "a"+layer+".h"+string(rune('0'+h)))
		}
		senders = append(senders, "m"+layer)
		for _, letter := range "qkv" {
			for h := range x.Config.Heads {
				receivers = append(receivers, "a"+layer+".h"+string(rune('0'+h))+"<"+string(letter)+">")
			}
		}
		receivers = append(receivers, "m"+layer)
	}
	receivers = append(receivers, "logits")
	var scores, in, nodes []float32
	for _, s := range senders {
		nodes = append(nodes, float32(*x.Nodes[s].Score))
		for _, r := range receivers {
			e := x.Edges[s+"->"+r]
			if e.Score == -77 {
				e.Score = math.NaN()
			}
			scores = append(scores, float32(e.Score))
			in = append(in, map[bool]float32{true: 1}[e.In])
		}
	}
	cfg := map[string]int64{"n_layers": int64(x.Config.Layers), "n_heads": int64(x.Config.Heads), "d_model": int64(x.Config.Width)}
	if change != nil {
		change(cfg, in)
	}
	var storages []weightstest.Storage
	for k, s := range []struct {
		d      weights.DType
		values []float32
	}{{weights.F32, scores}, {weights.Bool, in}, {weights.F32, nodes}} {
		storage, err := weightstest.NewStorage(string(rune('0'+k)), s.d, s.values...)
		require.NoError(t, err)
		storages = append(storages, storage)
	}
	shape := []int{len(senders), len(receivers)}
	parallel := map[bool]string{true: "\x88", false: "\x89"}[x.Config.Parallel]
	p := weightstest.NewPickle().Op("}(").Text("cfg").Op("}(")
	for name, n := range cfg {
		p.Text(name).Int(n)
	}
	p.Text("parallel_attn_mlp").Op(parallel + "u")
	p.Text("src_nodes").Op("}")
	p.Text("edges_scores").Tensor(storages[0], weightstest.View{Shape: shape, Strides: weightstest.RowMajor(shape...)})
	p.Text("edges_in_graph").Tensor(storages[1], weightstest.View{Shape: shape, Strides: weightstest.RowMajor(shape...)})
	p.Text("nodes_scores").Tensor(storages[2], weightstest.View{Shape: shape[:1], Strides: []int{1}})
	var b bytes.Buffer
	require.NoError(t, weightstest.ZipFile(&b, p.Op("u").Stop(), storages))
	return b.Bytes()
}

// What EAP-IG saves by PyTorch is what it writes as JSON, but for the numbers,
// which are single there.
func TestSavedCircuitsAreThoseOfTheJSON(t *testing.T) {
	for _, name := range []string{"mib-full.json", "mib-parallel.json"} {
		text, err := os.ReadFile("../testdata/" + name)
		require.NoError(t, err)
		want, err := circuit.Decode(t.Context(), name, bytes.NewReader(text))
		require.NoError(t, err)
		data := saved(t, text, nil)
		require.True(t, torch.Is(data))
		require.False(t, torch.Is(text))
		got, err := torch.Decode(t.Context(), "x.pt", data)
		require.NoError(t, err)
		for i, e := range want.Edges {
			if e.Score != nil {
				*want.Edges[i].Score = float64(float32(*e.Score))
			}
		}
		for i, n := range want.MIB.Nodes {
			want.MIB.Nodes[i].Score = float64(float32(n.Score))
		}
		assert.Equal(t, want, got)
		assert.Greater(t, got.EdgesKept, 3)
	}
}

func TestWhatCannotBeRead(t *testing.T) {
	text, err := os.ReadFile("../testdata/mib-full.json")
	require.NoError(t, err)
	_, err = torch.Decode(t.Context(), "x.pt", saved(t, text, func(_ map[string]int64, in []float32) { in[len(in)-2] = 1 }))
	assert.EqualError(t, err, `x.pt: edges_in_graph: edge "m1->m1" is impossible: false expected, found true`)
	for _, c := range []struct {
		field string
		n     int64
		want  string
	}{
		{"n_layers", 9, `x.pt: tensor "edges_scores": shape [37 91] expected, found [9 21]`},
		{"n_heads", 0, "x.pt: cfg: graph of 2 layers and 0 heads: expected at least one of each"},
		{"n_heads", -1, `x.pt: cfg: n_heads: expected a whole number, found "-1"`},
		{"d_model", -4, `x.pt: cfg: d_model: expected a whole number, found "-4"`},
		{"d_model", 1 << 40, `x.pt: field "mib"."d_model": expected a whole number from 1 to 1048576, found 1099511627776`},
	} {
		_, err := torch.Decode(t.Context(), "x.pt", saved(t, text, func(cfg map[string]int64, _ []float32) { cfg[c.field] = c.n }))
		assert.ErrorContains(t, err, c.want)
	}
	var b bytes.Buffer
	require.NoError(t, weightstest.TorchZip(&b, map[string]weights.Array{"edges_scores": {Shape: []int{1}, Values: []float32{1}}}, weights.F32))
	_, err = torch.Decode(t.Context(), "x.pt", b.Bytes())
	assert.EqualError(t, err, `x.pt: cfg: n_layers: expected a whole number, found ""`)
	_, err = torch.Decode(t.Context(), "x.pt", []byte("PK\x03\x04"))
	assert.ErrorContains(t, err, "x.pt: ")
}

// Any bytes end in a circuit or an error.
func FuzzDecode(f *testing.F) {
	f.Add([]byte("PK\x03\x04"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if c, err := torch.Decode(t.Context(), "x", data); err == nil && c == nil {
			t.Fatal("neither a circuit nor an error")
		}
	})
}
