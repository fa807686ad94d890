package study

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/task"
)

// toy is a small experiment that every algorithm must manage.
type toy struct {
	model string
	run   golden.Run
}

var toys = []toy{
	{"or_gate", golden.Run{Metric: "l2", Ablation: "zero"}},
	{"tracr-reverse", golden.Run{Metric: "l2", Ablation: "resample"}},
	{"tracr-reverse", golden.Run{Metric: "l2", Ablation: "zero"}},
	{"gpt3l-random", golden.Run{Metric: "logit_diff", Ablation: "resample"}},
	{"gpt3l-random", golden.Run{Metric: "logit_diff", Ablation: "mean"}},
}

// bound binds a toy.
func (x toy) bound(t *testing.T, batch, threads int) *patch.Experiment {
	t.Helper()
	c := golden.Bound(t, golden.Model(t, x.model), x.model, x.run, threads)
	c.Batch = batch
	if c.Ablation == ablate.Mean {
		c.SplitEmbed = false
	}
	e, err := patch.Bind(t.Context(), c)
	require.NoError(t, err)
	return e
}

// found resolves an algorithm by its name and runs it.
func found(ctx context.Context, t *testing.T, name string, m Method, r discover.Request) (*discover.Result, error) {
	t.Helper()
	m.Algorithm = name
	if of(algorithm{name: name}, "sp", "sp-edges", "edge-pruning", "ugs") {
		m.Steps = 2 // the suite asks whether they work, not whether they learn
	}
	a, err := m.Resolve(task.Task{Threshold: 0.1}, r.Experiment.Graph())
	require.NoError(t, err)
	assert.Equal(t, name, a.Name())
	return a.Discover(ctx, r)
}

// bits are scores to compare, NaN among them.
func bits(s circuit.Scores) []uint64 {
	out := make([]uint64, len(s))
	for i, x := range s {
		out[i] = math.Float64bits(x)
	}
	return out
}

// names are all algorithms, and two together.
func names() []string { return append(Algorithms(), "ensemble:exact+activation") }

// refusals are the pairs of algorithm and ablation that do not go together.
var refusals = map[string]string{
	"clean-corrupted zero": "expected ablation resample",
	"clean-corrupted mean": "expected ablation resample",
}

// Every algorithm, on every toy: a score or a decision for every edge, the
// metric of its circuit, and the same whatever the threads and the batches.
func TestEveryAlgorithmOnEveryToy(t *testing.T) {
	for _, name := range names() {
		for _, x := range toys {
			learned := of(algorithm{name: name}, "sp", "sp-edges", "edge-pruning", "ugs")
			if learned && x.run.Ablation == "mean" {
				continue
			}
			t.Run(name+"/"+x.model+"/"+x.run.Ablation, func(t *testing.T) {
				e := x.bound(t, 0, 1)
				res, err := found(t.Context(), t, name, Method{}, discover.Request{Experiment: e, Seed: 3})
				if why, ok := refusals[name+" "+x.run.Ablation]; ok {
					require.ErrorContains(t, err, why)
					return
				}
				require.NoError(t, err)
				require.Len(t, res.Scores, e.Graph().NumEdges())
				require.Len(t, res.Mask, e.Graph().NumEdges())
				if name != "acdc" {
					for i, s := range res.Scores {
						require.False(t, math.IsNaN(s) || math.IsInf(s, 0), e.Graph().Edge(i))
					}
				}
				final, err := e.PlainMetric(t.Context(), res.Mask)
				require.NoError(t, err)
				assert.InDelta(t, final, res.MetricFinal, 1e-5*(1+math.Abs(final)))
				assert.InDelta(t, e.CleanMetric(), res.MetricInitial, 0)
				if learned && x.model != "or_gate" {
					return // batches are summed in another order, which chaos magnifies in the end
				}
				for _, other := range []*patch.Experiment{x.bound(t, 0, 2), x.bound(t, 3, 2)} {
					again, err := found(t.Context(), t, name, Method{}, discover.Request{Experiment: other, Seed: 3})
					require.NoError(t, err)
					assert.Equal(t, bits(res.Scores), bits(again.Scores))
					assert.Equal(t, res.Mask, again.Mask)
				}
			})
		}
	}
}

// The scores of the examples have the scores as their mean, and are as many as
// there are examples; asking for them changes nothing.
func TestScoresOfExamples(t *testing.T) {
	for _, name := range names()[1:] {
		e := toys[3].bound(t, 0, 2)
		res, err := found(t.Context(), t, name, Method{}, discover.Request{Experiment: e, Seed: 3, PerExample: true})
		require.NoError(t, err)
		plain, err := found(t.Context(), t, name, Method{}, discover.Request{Experiment: e, Seed: 3})
		require.NoError(t, err)
		assert.Equal(t, plain.Scores, res.Scores, name)
		assert.Nil(t, plain.Examples)
		if strings.HasPrefix(name, ensemblePrefix) { // ranks have no mean
			continue
		}
		if res.Examples == nil { // not a mean over examples
			assert.NotContains(t, []string{"eap", "exact", "ifr", "eap-ig", "relp"}, name)
			continue
		}
		require.Len(t, res.Examples, e.Runs().Examples(), name)
		mean := discover.MeanOf(res.Examples)
		for i := range mean {
			assert.InDelta(t, res.Scores[i], mean[i], 1e-9*(1+math.Abs(mean[i])), name)
		}
	}
}

// No edge, and every edge, are the corrupted and the clean run.
func TestNoEdgeAndEveryEdge(t *testing.T) {
	for _, name := range names()[1:] {
		e := toys[3].bound(t, 0, 2)
		if name == "edge-pruning" {
			continue // whose --sparsity is what it learns
		}
		all, none := 0., 1.
		res, err := found(t.Context(), t, name, Method{Sparsity: &none}, discover.Request{Experiment: e})
		require.NoError(t, err)
		assert.Zero(t, res.Mask.Count(), name)
		assert.InDelta(t, e.CorruptedMetric(), res.MetricFinal, 1e-6, name)
		res, err = found(t.Context(), t, name, Method{Sparsity: &all, Rule: circuit.Top}, discover.Request{Experiment: e})
		require.NoError(t, err)
		assert.Equal(t, e.Graph().Full(), res.Mask, name)
		assert.InDelta(t, e.CleanMetric(), res.MetricFinal, 1e-6, name)
	}
}

// An algorithm ends with its context, whenever that ends.
func TestEveryAlgorithmEndsWithItsContext(t *testing.T) {
	why := errors.New("enough")
	for _, name := range names() {
		e := toys[3].bound(t, 0, 2)
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(why)
		_, err := found(ctx, t, name, Method{}, discover.Request{Experiment: e})
		assert.ErrorIs(t, err, context.Canceled, name)
	}
}

// Edges whose score changes its sign with the examples are not chosen.
func TestBootstrap(t *testing.T) {
	e := toys[3].bound(t, 0, 2)
	half := 0.5
	res, err := found(t.Context(), t, "exact", Method{Sparsity: &half, Bootstrap: 200, Absolute: true}, discover.Request{Experiment: e, Seed: 1})
	require.NoError(t, err)
	plain, err := found(t.Context(), t, "exact", Method{Sparsity: &half, Absolute: true}, discover.Request{Experiment: e, Seed: 1})
	require.NoError(t, err)
	assert.Equal(t, plain.Scores, res.Scores)
	assert.Less(t, res.Chosen, plain.Chosen)
	assert.Positive(t, res.Chosen)
	for i, kept := range res.Mask {
		if kept && !e.Graph().Edge(i).IsDirect() {
			up := 0
			for _, one := range res.Examples {
				if one[i]*res.Scores[i] > 0 {
					up++
				}
			}
			assert.Greater(t, up, 0, e.Graph().Edge(i))
		}
	}
}

// What does not go together is a usage error that names the flags.
func TestMethodsThatCannotBeMeant(t *testing.T) {
	x := 0.5
	for want, m := range map[string]Method{
		"--top: of algorithms that score edges":             {Top: 3},
		"--order, --verify: of acdc":                        {Algorithm: "exact", Order: "normal", VerifyEvery: 1},
		"--threshold, --top: expected one of them":          {Algorithm: "exact", Top: 3, Threshold: &x},
		"--share: expected --select ratio":                  {Algorithm: "exact", Share: &x},
		"--threshold with --select greedy":                  {Algorithm: "exact", Threshold: &x, Rule: circuit.Greedy},
		"--select threshold with --top":                     {Algorithm: "exact", Top: 3, Rule: circuit.Threshold},
		"--norm: of an ensemble":                            {Algorithm: "exact", Norm: "rank"},
		"unknown algorithm \"acdc\": expected one of eap, ": {Algorithm: "ensemble:acdc"},
		"unknown algorithm \"x\": expected one of acdc":     {Algorithm: "x"},
	} {
		err := m.Check()
		var usage *UsageError
		require.ErrorAs(t, err, &usage, want)
		assert.ErrorContains(t, err, want)
	}
}
