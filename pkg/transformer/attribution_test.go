package transformer_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// goldenRuns are the clean and the corrupted run of gpt3l-random, and its data.
type goldenRuns struct {
	m              *transformer.Model
	targets        metric.Targets
	tokens         [2][][]int // clean, corrupt
	clean, corrupt *transformer.Tape
	cleanLogits    *tensor.Tensor
}

func openGolden(t *testing.T) goldenRuns {
	t.Helper()
	const name = "gpt3l-random"
	data := golden.Open(t, golden.Path(name, "data.safetensors"))
	g := goldenRuns{m: golden.Model(t, name), tokens: [2][][]int{golden.Tokens(t, data, "clean"), golden.Tokens(t, data, "corrupt")}}
	ids := func(field string) [][]int {
		values, _, err := data.Ints(field)
		require.NoError(t, err)
		var out [][]int
		for _, v := range values {
			out = append(out, []int{v})
		}
		return out
	}
	g.targets = metric.Targets{Clean: g.tokens[0], Correct: ids("correct"), Wrong: ids("wrong"), Vocab: g.m.Config.VocabOut}
	var err error
	g.cleanLogits, g.clean, err = g.m.RecordTape(t.Context(), g.tokens[0], false, transformer.Options{})
	require.NoError(t, err)
	_, g.corrupt, err = g.m.RecordTape(t.Context(), g.tokens[1], true, transformer.Options{})
	require.NoError(t, err)
	return g
}

// read are the logits that a metric reads at row i of a run's.
func (g goldenRuns) read(m *metric.Metric, logits *tensor.Tensor, i int) []float32 {
	row := logits.Matrix().Row(m.Rows()[i].Example*len(g.tokens[0][0]) + m.Rows()[i].Position)
	if m.Tokens(i) == nil {
		return append([]float32(nil), row...)
	}
	var out []float32
	for _, id := range m.Tokens(i) {
		out = append(out, row[id])
	}
	return out
}

// metric binds a metric to the clean run.
func (g goldenRuns) metric(t *testing.T, name metric.Name, mask [][]bool) *metric.Metric {
	t.Helper()
	targets := g.targets
	targets.Mask = mask
	m, err := metric.New(name, targets)
	require.NoError(t, err)
	var clean []float32
	for i := range m.Rows() {
		clean = append(clean, g.read(m, g.cleanLogits, i)...)
	}
	m.SetClean(tensor.From(clean, len(m.Rows()), len(clean)/len(m.Rows())))
	return m
}

// loss is the gradient of a metric's mean at a run's logits.
func (g goldenRuns) loss(t *testing.T, m *metric.Metric, logits *tensor.Tensor) transformer.LogitGradient {
	t.Helper()
	loss := transformer.LogitGradient{}
	if m.Tokens(0) != nil {
		loss.Tokens = m.Tokens
	}
	rows := len(m.Rows())
	grad := tensor.New(rows, len(g.read(m, logits, 0)))
	for i, r := range m.Rows() {
		loss.Rows = append(loss.Rows, r.Example*len(g.tokens[0][0])+r.Position)
		require.NoError(t, m.Gradient(i, g.read(m, logits, i), grad.Row(i)))
	}
	tensor.Scale(grad.Data, 1/float32(rows))
	loss.Grad = grad.Matrix()
	return loss
}

// senders are the differences corrupt − clean of every sender [B·T,D], by name.
func (g goldenRuns) senders(t *testing.T) map[string]tensor.Matrix {
	t.Helper()
	c := g.m.Config
	minus := func(a, b *tensor.Tensor) *tensor.Tensor {
		out := a.Clone()
		tensor.Sub(out.Data, b.Data)
		return out
	}
	out := map[string]tensor.Matrix{"input": minus(g.corrupt.Layers[0].AttnIn, g.clean.Layers[0].AttnIn).Matrix()}
	for l := range c.Layers {
		out[fmt.Sprintf("m%d", l)] = minus(g.corrupt.Layers[l].MLPOut, g.clean.Layers[l].MLPOut).Matrix()
		z := minus(g.corrupt.Layers[l].Z, g.clean.Layers[l].Z)
		for h := range c.Heads {
			result := tensor.New(z.Rows(), c.DModel).Matrix()
			g.m.AddHeadOut(l, h, result, z.Matrix().Columns(h*c.DHead, (h+1)*c.DHead))
			out[fmt.Sprintf("a%d.h%d", l, h)] = result
		}
	}
	return out
}

// receivers adds a share of the gradient at every receiver's input to those
// that there are, by name.
func (g goldenRuns) receivers(t *testing.T, tape *transformer.Tape, loss transformer.LogitGradient, share float32, into map[string]tensor.Matrix) {
	t.Helper()
	add := func(name string, x tensor.Matrix) {
		if _, ok := into[name]; !ok {
			into[name] = tensor.New(x.Rows, x.Cols).Matrix()
		}
		for i := range x.Rows {
			tensor.Axpy(into[name].Row(i), share, x.Row(i))
		}
	}
	c := g.m.Config
	var hooks []transformer.GradientHook
	at := func(p transformer.Point, l int, name func(head int) string) {
		hooks = append(hooks, transformer.GradientHook{At: transformer.HookPoint{Point: p, Layer: l}, Do: func(head int, x tensor.Matrix) { add(name(head), x) }})
	}
	at(transformer.HookResidPost, c.Layers-1, func(int) string { return "logits" })
	for l := range c.Layers {
		at(transformer.HookMLPIn, l, func(int) string { return fmt.Sprintf("m%d", l) })
		for side, letter := range "qkv" {
			at(transformer.HookQInput+transformer.Point(side), l, func(head int) string { return fmt.Sprintf("a%d.h%d<%c>", l, head, letter) })
		}
	}
	require.NoError(t, g.m.Backward(t.Context(), tape, loss, transformer.BackwardOptions{Hooks: hooks, Threads: 2}))
}

// Edge attribution patching is Σ (corrupt − clean) of a sender · gradient at a
// receiver's input; EAP-IG takes the gradients' mean over runs between the
// corrupted embedding and the clean one. The reference's scores come out.
func TestGoldenAttribution(t *testing.T) {
	var want map[string]map[string]float64
	raw := map[string]any{}
	golden.ReadJSON(t, &raw, "gpt3l-random", "attribution.json")
	want = map[string]map[string]float64{}
	for key, scores := range raw {
		if all, ok := scores.(map[string]any); ok {
			want[key] = map[string]float64{}
			for edge, v := range all {
				want[key][edge] = v.(float64)
			}
		}
	}
	require.Len(t, want, 3)
	g := openGolden(t)
	senders := g.senders(t)
	for key, scores := range want {
		t.Run(key, func(t *testing.T) {
			name, method, _ := strings.Cut(key, "_eap")
			receivers := map[string]tensor.Matrix{}
			if method == "" {
				g.receivers(t, g.clean, g.loss(t, g.metric(t, metric.Name(name), nil), g.cleanLogits), 1, receivers)
			} else {
				const steps = 5
				for k := range steps {
					at := transformer.Hook{At: transformer.HookPoint{Point: transformer.HookResidPre}, Do: func(x *tensor.Tensor) {
						copy(x.Data, g.corrupt.Layers[0].AttnIn.Data)
						tensor.Axpy(x.Data, -float32(k)/steps, senders["input"].Data)
					}}
					logits, tape, err := g.m.RecordTape(t.Context(), g.tokens[0], false, transformer.Options{Hooks: []transformer.Hook{at}})
					require.NoError(t, err)
					g.receivers(t, tape, g.loss(t, g.metric(t, metric.Name(name), nil), logits), 1./steps, receivers)
				}
			}
			largest, worst := 0.0, 0.0
			for edge, score := range scores {
				from, to, _ := strings.Cut(edge, "->")
				sum := 0.0
				require.Contains(t, senders, from)
				require.Contains(t, receivers, to)
				for i := range senders[from].Rows {
					sum += float64(tensor.Dot(senders[from].Row(i), receivers[to].Row(i)))
				}
				largest, worst = max(largest, math.Abs(score)), max(worst, math.Abs(score-sum))
			}
			t.Logf("%d edges, largest error %.2e of %.2e", len(scores), worst, largest)
			assert.Less(t, worst, 1e-4*largest)
		})
	}
}

// HISP is Σ over examples |Σ gradient · (clean − corrupt)| at queries, keys,
// values and MLP outputs, in units of a layer's norm.
func TestGoldenHISP(t *testing.T) {
	raw := map[string]any{}
	golden.ReadJSON(t, &raw, "gpt3l-random", "hisp.json")
	g := openGolden(t)
	for _, ablation := range []string{"resample", "zero"} {
		t.Run(ablation, func(t *testing.T) {
			scores := map[string]float64{}
			sizes := make([]float64, g.m.Config.Layers)
			examples := len(g.tokens[0])
			see := func(l int, name string, own, other *tensor.Tensor, k int) transformer.GradientHook {
				at, err := transformer.ParseHookPoint(fmt.Sprintf("blocks.%d.%s", l, name))
				require.NoError(t, err)
				return transformer.GradientHook{At: at, Do: func(_ int, grad tensor.Matrix) {
					for h := range grad.Cols / k {
						node := at.String()
						if k < grad.Cols {
							node += fmt.Sprintf("[:, :, %d]", h)
						}
						for b := range examples {
							sum := 0.0
							for i := b * grad.Rows / examples; i < (b+1)*grad.Rows/examples; i++ {
								for j := h * k; j < (h+1)*k; j++ {
									change := float64(own.Row(i)[j])
									if ablation == "resample" {
										change -= float64(other.Row(i)[j])
									}
									sum += float64(grad.Row(i)[j]) * change * float64(examples)
								}
							}
							scores[node] += math.Abs(sum)
						}
						sizes[l] += scores[node] * scores[node]
					}
				}}
			}
			var hooks []transformer.GradientHook
			for l := range g.m.Config.Layers {
				own, other := &g.clean.Layers[l], &g.corrupt.Layers[l]
				for side, name := range []string{"attn.hook_q", "attn.hook_k", "attn.hook_v"} {
					hooks = append(hooks, see(l, name, own.QKV[side], other.QKV[side], g.m.Config.DHead))
				}
				hooks = append(hooks, see(l, "hook_mlp_out", own.MLPOut, other.MLPOut, g.m.Config.DModel))
			}
			loss := g.loss(t, g.metric(t, metric.LogitDiff, nil), g.cleanLogits)
			require.NoError(t, g.m.Backward(t.Context(), g.clean, loss, transformer.BackwardOptions{Hooks: hooks}))
			want := raw["logit_diff_"+ablation].(map[string]any)
			require.Len(t, scores, len(want))
			for node, v := range want {
				at, err := transformer.ParseHookPoint(strings.Split(node, "[")[0])
				require.NoError(t, err)
				require.InDelta(t, v.(float64), scores[node]/math.Sqrt(sizes[at.Layer]), 1e-4, node)
			}
		})
	}
}

// The gradient of every metric, masked and not, through the whole model is the
// difference along a random direction from the corrupted run.
func TestEveryMetricThroughTheModel(t *testing.T) {
	g, rng := openGolden(t), rand.New(rand.NewPCG(1, 14))
	start := g.corrupt.Layers[0].AttnIn
	direction := tensor.New(start.Shape()...)
	for i := range direction.Data {
		direction.Data[i] = float32(rng.NormFloat64())
	}
	run := func(by float32) (*tensor.Tensor, *transformer.Tape) {
		at := transformer.Hook{At: transformer.HookPoint{Point: transformer.HookResidPre}, Do: func(x *tensor.Tensor) { tensor.Axpy(x.Data, by, direction.Data) }}
		logits, tape, err := g.m.RecordTape(t.Context(), g.tokens[1], true, transformer.Options{Hooks: []transformer.Hook{at}, Threads: 2})
		require.NoError(t, err)
		return logits, tape
	}
	logits, tape := run(0)
	for _, name := range metric.Names() {
		if name == metric.FracCorrect {
			continue // it moves in steps
		}
		var mask [][]bool
		for _, row := range g.tokens[0] {
			mask = append(mask, make([]bool, len(row)))
			for i := range row {
				mask[len(mask)-1][i] = rng.IntN(3) > 0
			}
			mask[len(mask)-1][len(row)-1] = true
		}
		for _, mask := range [][][]bool{nil, golden.MaskFor(name, mask)} {
			m := g.metric(t, name, mask)
			value := func(by float32) float64 {
				logits, _ := run(by)
				values := make([]float64, len(m.Rows()))
				for i := range values {
					values[i] = m.Row(i, g.read(m, logits, i))
				}
				return m.Mean(values)
			}
			const h = 1. / 512
			want := (8*(value(h)-value(-h)) - (value(2*h) - value(-2*h))) / (12 * h)
			got := 0.0
			see := transformer.GradientHook{At: transformer.HookPoint{Point: transformer.HookResidPre}, Do: func(_ int, grad tensor.Matrix) {
				for i := range grad.Rows {
					got += float64(tensor.Dot(grad.Row(i), direction.Row(i)))
				}
			}}
			require.NoError(t, g.m.Backward(t.Context(), tape, g.loss(t, m, logits), transformer.BackwardOptions{Hooks: []transformer.GradientHook{see}}))
			t.Logf("%s: %.6f, by differences %.6f", name, got, want)
			assert.InEpsilon(t, want, got, 2e-3, name)
		}
	}
}
