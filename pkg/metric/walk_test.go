package metric_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// The batch that every metric is measured on: examples of tokens.
const walkExamples, walkTokens = 4, 6

// placesOf are the rows that a metric is to read: the masked positions, else
// the last, or for distances all but the first that is no padding.
func placesOf(name metric.Name, t metric.Targets) (rows []metric.Row) {
	for b := range walkExamples {
		first := 0
		if t.Pad != nil {
			first = t.Pad[b]
		}
		for p := first; p < walkTokens; p++ {
			switch {
			case t.Mask != nil && !t.Mask[b][p]:
			case t.Mask == nil && (name == metric.L2 || name == metric.L2First) && p == first:
			case t.Mask == nil && name != metric.L2 && name != metric.L2First && p < walkTokens-1:
			default:
				rows = append(rows, metric.Row{Example: b, Position: p})
			}
		}
	}
	return rows
}

// walkTargets draws the data, of which one example counts nowhere if masked.
func walkTargets(rng *rand.Rand, vocab int, masked, padded bool) metric.Targets {
	t := metric.Targets{Vocab: vocab}
	ids := func(n int) []int {
		out := make([]int, n)
		for i := range out {
			out[i] = rng.IntN(vocab)
		}
		return out
	}
	for b := range walkExamples {
		t.Clean, t.Labels = append(t.Clean, ids(walkTokens)), append(t.Labels, ids(walkTokens))
		t.Correct, t.Wrong = append(t.Correct, ids(1+b%3)), append(t.Wrong, ids(1+b%2))
		if padded {
			t.Pad = append(t.Pad, b%3)
		}
		if masked {
			mask := make([]bool, walkTokens)
			mask[2+b] = b != 1
			t.Mask = append(t.Mask, mask)
		}
	}
	return t
}

// Every metric reads a model's logits where the data say, with a mask and
// without, with padding and without, of models that see what follows a
// position and of those that do not.
func TestEveryMetricAtEveryKindOfPosition(t *testing.T) {
	for seed, direction := range []transformer.Direction{transformer.Causal, transformer.Bidirectional} {
		c := transformer.Config{Layers: 2, Heads: 2, DHead: 4, DModel: 8, DMLP: 12, Ctx: walkTokens, Vocab: 11, VocabOut: 11, Activation: transformer.GELU,
			Norm: transformer.LayerNorm, Eps: 1e-5, Direction: direction, Positions: transformer.Standard, AttnScale: 2}
		model := golden.RandomModel(t, c, uint64(seed))
		for k := range 4 {
			masked, padded := k&1 != 0, k&2 != 0
			tg := walkTargets(rand.New(rand.NewPCG(uint64(k), 8)), c.VocabOut, masked, padded)
			corrupt := walkTargets(rand.New(rand.NewPCG(uint64(k), 9)), c.VocabOut, false, false).Clean
			clean, patched := forward(t, model, tg.Clean, tg.Pad), forward(t, model, corrupt, tg.Pad)
			for _, name := range metric.Names() {
				what := fmt.Sprintf("%s, %s, mask %v, padding %v", name, direction, masked, padded)
				m, err := metric.New(name, tg)
				require.NoError(t, err, what)
				rows := placesOf(name, tg)
				require.Equal(t, rows, m.Rows(), what)
				var values, want []float64
				var x [][]float32
				for _, r := range rows {
					x = append(x, clean[r.Example][r.Position])
				}
				m.SetClean(cleanLogits(m, x))
				for i, r := range rows {
					y := patched[r.Example][r.Position]
					values = append(values, m.Row(i, readOf(m, i, y)))
					want = append(want, definition(name, tg, r, wide(x[i]), wide(y)))
				}
				assert.InDeltaSlice(t, want, values, 1e-5, what)
				assert.InDelta(t, average(want), m.Mean(values), 1e-5, what)
			}
		}
	}
}

// forward are a model's logits [B,T,V].
func forward(t *testing.T, m *transformer.Model, tokens [][]int, pad transformer.Padding) [][][]float32 {
	t.Helper()
	logits, err := m.Forward(t.Context(), tokens, transformer.Options{Pad: pad})
	require.NoError(t, err)
	v := m.Config.VocabOut
	out := make([][][]float32, len(tokens))
	for b := range tokens {
		for p := range tokens[b] {
			from := (b*len(tokens[b]) + p) * v
			out[b] = append(out[b], logits.Data[from:from+v])
		}
	}
	return out
}
