package golden

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/task"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// Decoders are the golden models built of the parts of Llama.
var Decoders = []string{"hf-llama-tiny", "hf-llama3-tiny", "hf-qwen2-tiny", "hf-gemma2-tiny"}

// Patched are patched runs and edge scores of a golden model, computed with EAP-IG's
// own code or held to it.
type Patched struct {
	Edges          []string             // EAP-IG's names, in the order of Present and Scores
	Clean, Corrupt map[string]float64   // by metric
	Runs           []PatchedRun         //
	Scores         map[string][]float64 // by method
}

// PatchedRun is one run. Of a model with norms behind attention, the values to
// compare are those of EAP-IG's rule.
type PatchedRun struct {
	Present      string   // 1 for each edge that is present
	LogitDiff    float64  `json:"logit_diff"`
	KL           float64  `json:"kl_div"`
	LogitDiffEAP *float64 `json:"logit_diff_eapig"`
	KLEAP        *float64 `json:"kl_div_eapig"`
}

// Value is the golden value of one of the two metrics.
func (r PatchedRun) Value(m metric.Name) float64 {
	value, eap := r.LogitDiff, r.LogitDiffEAP
	if m == metric.KL {
		value, eap = r.KL, r.KLEAP
	}
	if eap != nil {
		return *eap
	}
	return value
}

// ReadPatched reads those of a golden model.
func ReadPatched(t testing.TB, name string) Patched {
	t.Helper()
	var p Patched
	ReadJSON(t, &p, name, "edges.json")
	return p
}

// Numbers are the edges' numbers in a graph.
func (p Patched) Numbers(t testing.TB, g *circuit.Graph) (out []int) {
	t.Helper()
	require.Equal(t, len(p.Edges), g.NumEdges())
	for _, name := range p.Edges {
		n, err := g.ParseEdge(name)
		require.NoError(t, err)
		out = append(out, n)
	}
	return out
}

// Mask is the run's edges in a graph, whose numbers Numbers gives.
func (r PatchedRun) Mask(g *circuit.Graph, numbers []int) circuit.Mask {
	m := g.Empty()
	for i, c := range r.Present {
		m[numbers[i]] = c == '1'
	}
	return m
}

// DecoderExperiment binds a golden model of Decoders to its prompts.
func DecoderExperiment(t testing.TB, m *transformer.Model, name string, by metric.Name, batch int) *patch.Experiment {
	t.Helper()
	data := Open(t, Path(name, "data.safetensors"))
	d := task.Data{Clean: Tokens(t, data, "clean"), Corrupt: Tokens(t, data, "corrupt")}
	for i := range d.Clean {
		d.Correct, d.Wrong = append(d.Correct, []int{ids(t, name, "correct")[i]}), append(d.Wrong, []int{ids(t, name, "wrong")[i]})
	}
	e, err := patch.Bind(t.Context(), patch.Config{Model: m, Definition: circuit.EAP, Data: d, Metric: by, Ablation: ablate.Resample, Threads: 2, Batch: batch})
	require.NoError(t, err)
	return e
}

// ids reads an I64 tensor of one dimension.
func ids(t testing.TB, name, tensor string) []int {
	t.Helper()
	flat, _, err := Open(t, Path(name, "data.safetensors")).Ints(t.Context(), tensor)
	require.NoError(t, err)
	out := make([]int, len(flat))
	for i, v := range flat {
		out[i] = int(v)
	}
	return out
}
