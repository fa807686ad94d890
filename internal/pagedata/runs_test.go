package pagedata

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/study"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/draw/page"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// watched is a small study with the page of a circuit that has every other edge.
func watched(t *testing.T, s study.Spec) (*study.Study, *patch.Experiment, circuit.Mask, *page.Data) {
	t.Helper()
	in, err := s.Open(t.Context(), 1)
	require.NoError(t, err)
	t.Cleanup(func() { _ = in.Close() })
	e, err := patch.Bind(t.Context(), in.Config("", false))
	require.NoError(t, err)
	g := e.Graph()
	m := g.Empty()
	for i := range m {
		m[i] = i%2 == 0
	}
	d, err := page.New(g, m, nil, page.Options{})
	require.NoError(t, err)
	return in, e, m, d
}

var random = study.Spec{Model: "random:2x3x24x64x40@1", Data: "random:5x7", Examples: 5}

func TestRunsAreThoseThatAreMeasured(t *testing.T) {
	in, e, m, d := watched(t, random)
	require.NoError(t, Runs(t.Context(), d, e, m, nil))
	r := d.Runs
	require.Len(t, r.Examples, 5)
	plain, err := e.PlainMetric(t.Context(), m)
	require.NoError(t, err)
	for run, want := range []float64{e.CleanMetric(), plain, e.CorruptedMetric()} {
		sum := 0.0
		for _, x := range r.Examples {
			sum += *x.Metric[run]
		}
		assert.InDelta(t, want, sum/5, 1e-12)
	}
	// The full model's predictions and attention are those of a plain pass.
	layer1 := transformer.HookPoint{Point: transformer.HookPattern, Layer: 1}
	logits, cache, err := in.Model.Model.RunWithCache(t.Context(), in.Data.Clean, []transformer.HookPoint{layer1}, transformer.Options{})
	require.NoError(t, err)
	for i, p := range r.Prompts {
		row := logits.Row(i*7 + 6)
		assert.Equal(t, 6, p.At)
		assert.Len(t, p.Predictions[page.RunFull], top)
		for k, x := range p.Predictions[page.RunFull] {
			assert.InDelta(t, row[x.ID], x.Logit, 1e-5)
			if k > 0 {
				assert.LessOrEqual(t, x.Logit, p.Predictions[page.RunFull][k-1].Logit)
			}
		}
		assert.NotEqual(t, p.Predictions[page.RunFull], p.Predictions[page.RunCorrupted])
	}
	at := readPatterns(t, r.Patterns)
	pattern := cache[layer1]
	for head, node := range r.Patterns.Heads {
		n := d.Nodes[node]
		if n.Layer != 1 {
			continue
		}
		for row := range 7 {
			for col := range row + 1 {
				want := pattern.Data[((2*3+n.Head)*7+row)*7+col] // of the third example
				assert.InDelta(t, want, at(2, page.RunFull, head, row, col), 1e-5)
			}
		}
	}
}

// readPatterns reads patterns as the page does, of whole and causal ones.
func readPatterns(t *testing.T, p *page.Patterns) func(prompt, run, head, row, col int) float64 {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString(p.Weights)
	require.NoError(t, err)
	require.True(t, p.Causal)
	first, cells := []int{0}, []int{}
	for _, n := range p.Size {
		cells = append(cells, n*(n+1)/2)
		first = append(first, first[len(first)-1]+3*len(p.Heads)*n*(n+1)/2)
	}
	require.Len(t, data, 2*first[len(p.Size)])
	return func(prompt, run, head, row, col int) float64 {
		i := first[prompt] + (run*len(p.Heads)+head)*cells[prompt] + row*(row+1)/2 + col
		return float64(binary.LittleEndian.Uint16(data[2*i:])) / 65535
	}
}

// Contributions are those of the formula, computed in another way: each head's
// output through the final norm at the scale of the whole stream.
func TestContributionsAreDirect(t *testing.T) {
	in, e, m, d := watched(t, random)
	require.NoError(t, Runs(t.Context(), d, e, m, nil))
	model, t0 := in.Model.Model, 7
	var z [2]*tensor.Tensor
	out := tensor.New(5, model.Config.DModel)
	hooks := []transformer.Hook{{At: transformer.HookPoint{Point: transformer.HookResidPost, Layer: 1}, Do: func(x *tensor.Tensor) {
		for i := range 5 {
			copy(out.Row(i), x.Reshape(5*t0, model.Config.DModel).Row(i*t0+t0-1))
		}
	}}}
	for l := range z {
		hooks = append(hooks, transformer.Hook{At: transformer.HookPoint{Point: transformer.HookZ, Layer: l}, Do: func(x *tensor.Tensor) { z[l] = x.Clone() }})
	}
	_, err := model.Forward(t.Context(), in.Data.Clean, transformer.Options{Hooks: hooks, NoLogits: true})
	require.NoError(t, err)
	logit := func(x []float32, sigma float64, id int) float64 { // the norm's scale held
		sum, mean := 0.0, 0.0
		for _, v := range x {
			mean += float64(v) / float64(len(x))
		}
		for k, v := range x {
			w := float64(1)
			if model.Config.Norm == transformer.LayerNorm {
				w = float64(model.Params.LNFW[k])
			}
			sum += (float64(v) - mean) / sigma * w * float64(model.Params.Unembed.Data[k*model.Config.VocabOut+id])
		}
		return sum
	}
	for i, p := range d.Runs.Prompts {
		mean, square := 0.0, 0.0
		for _, v := range out.Row(i) {
			mean += float64(v) / float64(out.Cols())
		}
		for _, v := range out.Row(i) {
			square += (float64(v) - mean) * (float64(v) - mean) / float64(out.Cols())
		}
		right, wrong := in.Data.Correct[i], in.Data.Wrong[i]
		require.True(t, len(right) == 1 && len(wrong) == 1)
		for row, node := range d.Runs.Heads {
			n, k := d.Nodes[node], model.Config.DHead
			head := tensor.New(1, model.Config.DModel)
			model.AddHeadOut(n.Layer, n.Head, head.Matrix(), z[n.Layer].Reshape(5*t0, 3*k).Matrix().Slice(i*t0+t0-1, i*t0+t0).Columns(n.Head*k, (n.Head+1)*k))
			sigma := math.Sqrt(square + model.Config.Eps)
			want := logit(head.Row(0), sigma, right[0]) - logit(head.Row(0), sigma, wrong[0])
			assert.InDelta(t, want, p.Direct[page.RunFull][row], 1e-4+1e-4*math.Abs(want))
		}
	}
}

// What does not fit is left out, and the page says so.
func TestPagesStaySmall(t *testing.T) {
	_, e, m, d := watched(t, study.Spec{Model: "random:2x3x24x64x40@1", Data: "random:2x60"})
	require.NoError(t, Runs(t.Context(), d, e, m, nil))
	assert.Equal(t, []int{mostWindow, mostWindow}, d.Runs.Patterns.Size)
	assert.Equal(t, 60-mostWindow, d.Runs.Patterns.From[0])
	d.Citation = string(make([]byte, MostBytes/6)) // six bytes each, as JSON
	d.Runs, d.Lacks = nil, nil
	require.NoError(t, Runs(t.Context(), d, e, m, nil))
	assert.Nil(t, d.Runs.Patterns)
	require.Len(t, d.Lacks, 1)
	assert.Contains(t, d.Lacks[0], "Attention patterns")
}

func TestTraceSaysWhatTheSearchDid(t *testing.T) {
	g, err := circuit.New(circuit.Config{Definition: circuit.ACDC, Layers: 1, Heads: 2, AttnOnly: true})
	require.NoError(t, err)
	trace := NewTrace(g)
	m := g.Empty()
	names := []string{"a0.h1->logits", "a0.h1<k>", "input->a0.h1<k>"}
	for i, name := range names {
		k, err := g.ParseEdge(name)
		require.NoError(t, err)
		m[k] = i != 1
		trace.Add(discover.Event{Test: discover.Test{Edge: k, Metric: float64(i), Effect: 0.5, Kept: i != 1}, Tests: i + 1, Decided: i + 2, Total: g.NumEdges()})
	}
	d, err := page.New(g, m, nil, page.Options{})
	require.NoError(t, err)
	trace.Fill(d, 7)
	whole := func(text string) (out []int32) {
		data, err := base64.StdEncoding.DecodeString(text)
		require.NoError(t, err)
		for i := 0; i < len(data); i += 4 {
			out = append(out, int32(binary.LittleEndian.Uint32(data[i:])))
		}
		return out
	}
	n := int32(g.NumEdges())
	assert.Equal(t, []int32{2, 2, 0}, whole(d.Trace.From))
	assert.Equal(t, []int32{8 * 3, 8*2 + 4 + 2, 8*2 + 2}, whole(d.Trace.To))
	assert.Equal(t, []int32{2*(n-1) + 1, 2 * (n - 2), 2*2 + 1}, whole(d.Trace.Left), "at the end as many as the circuit has")
	assert.Equal(t, 7.0, d.Trace.Start)
}

func TestCommandLinesAreQuoted(t *testing.T) {
	assert.Equal(t, `acdc run --cut 'a0.h0->a1.h1<k>' -o 'it'\''s.html' ''`, Shell([]string{"acdc", "run", "--cut", "a0.h0->a1.h1<k>", "-o", "it's.html", ""}))
}
