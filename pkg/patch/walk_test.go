package patch_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/internal/misuse"
	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/task"
	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// Nothing that is used wrongly ends in a panic that does not say so.
func TestEveryMisuse(t *testing.T) {
	for _, name := range []metric.Name{metric.KL, metric.LogitDiff, metric.L2} {
		config := func() patch.Config {
			return golden.Bound(t, golden.Model(t, "gpt3l-random"), "gpt3l-random", golden.Run{Metric: string(name), Ablation: "resample"}, 2)
		}
		c := config()
		own, err := patch.Bind(t.Context(), c)
		require.NoError(t, err)
		batched := c
		batched.Batch = 2
		inBatches, err := patch.Bind(t.Context(), batched)
		require.NoError(t, err)
		whole, other := own.Whole(), randomBound(t)
		model, d := own.Runs().Model(), own.Runs().Model().Config.DModel
		noModel, noData := c, c
		noModel.Model, noData.Data = nil, task.Data{}
		misuse.Walk(t, misuse.Package{
			Types: []any{&patch.Experiment{}, &patch.Bound{}, patch.Config{}, &patch.Gated{}, &patch.Readout{}, patch.Room{}},
			Fresh: []func() any{func() any { e := *own; return &e }, func() any { return inBatches }, func() any { return whole }, func() any { return c },
				func() any { return patch.NewGated(whole) }, func() any { return patch.NewReadout(whole) },
				func() any { return patch.Room{Bytes: 1 << 20, Runs: 1 << 10, Pass: 1 << 10, State: 1 << 10, Share: 2} }},
			Funcs: []any{patch.Allows, patch.Bind, patch.GatedFloats, patch.NewGated, patch.NewReadout, patch.Pass, patch.ReadoutFloats},
			Arguments: []any{noModel, noData, c, own.Graph(), other.Runs.Graph(), &circuit.Graph{}, model.Config, whole, other, &patch.Bound{},
				whole.Batch, other.Batch, &ablate.Batch{}, own.Graph().Full(), other.Runs.Graph().Full(), own.Graph().Full().Gates(),
				other.Runs.Graph().Full().Gates(), whole.Clean, other.Clean, &transformer.Activations{}, whole.Clean.Out.Matrix(), tensor.New(2, d).Matrix(),
				tensor.New(2, 3).Matrix(), tensor.Matrix{Rows: 2, Cols: d, Stride: d}, []int{0, 1}, []int{-1, 99}, make([]float64, 2), make([]float64, 3),
				name, own.Runs().Data(), other.Runs.Data(), transformer.Options{Hooks: []transformer.Hook{{}}},
				transformer.BackwardOptions{Hooks: []transformer.GradientHook{{}}}},
		})
	}
}

// randomBound is a batch of another model.
func randomBound(t *testing.T) *patch.Bound {
	t.Helper()
	e, _ := randomExperiment(t, 4, 1)
	return e.Whole()
}
