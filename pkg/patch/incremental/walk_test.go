package incremental_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/internal/misuse"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/patch/incremental"
	"github.com/seed-2c350065/acdc/pkg/task"
)

// Nothing that is used wrongly ends in a panic that does not say so.
func TestEveryMisuse(t *testing.T) {
	for _, f := range []func(){func() { (&incremental.Turn{}).Accept(0) }, func() { (&incremental.Turn{}).Replay(nil) }, func() { (&incremental.Turn{}).Most(1) }} {
		assert.PanicsWithValue(t, "incremental: a turn that Begin did not make", f)
	}
	for _, name := range []metric.Name{metric.KL, metric.LogitDiff} {
		config := golden.Bound(t, golden.Model(t, "gpt3l-random"), "gpt3l-random", golden.Run{Metric: string(name), Ablation: "resample"}, 2)
		e, err := patch.Bind(t.Context(), config)
		require.NoError(t, err)
		other, err := circuit.New(circuit.Config{Definition: circuit.EAP, Layers: 5, Heads: 7})
		require.NoError(t, err)
		fresh := func() *incremental.State {
			s, err := incremental.New(t.Context(), e.Whole(), e.Graph().Full())
			require.NoError(t, err)
			return s
		}
		budget, err := incremental.Take(config)
		require.NoError(t, err)
		output := circuit.Node{Kind: circuit.Output}
		lo, _ := e.Graph().Incoming(output)
		noModel, noData := config, config
		noModel.Model, noData.Data = nil, task.Data{}
		misuse.Walk(t, misuse.Package{
			Types: []any{&incremental.State{}, &incremental.Turn{}, incremental.Budget{}},
			Fresh: []func() any{func() any { return fresh() }, func() any { return fresh().Begin(output) },
				func() any { return fresh().Begin(circuit.Node{Kind: circuit.Q}) },
				func() any { s := fresh(); s.Begin(output); return s }, func() any { return budget },
				func() any {
					turn := fresh().Begin(output)
					require.NoError(t, turn.End(t.Context()))
					return turn
				}},
			Funcs: []any{incremental.Bytes, incremental.Fit, incremental.FitMost, incremental.FitOnce, incremental.Metric, incremental.New, incremental.Rows, incremental.Take},
			Arguments: []any{noModel, noData, &noModel, &noData, &patch.Config{}, e, &patch.Experiment{}, e.Whole(), &patch.Bound{}, e.Graph().Full(), other.Full(), output,
				circuit.Node{Kind: circuit.MLPIn, Layer: 9}, circuit.Node{Kind: circuit.Kind(99)}, circuit.Node{Kind: circuit.Head}, []int{lo}, []int{-1}, []int{lo, lo}, []int{1 << 40}},
		})
	}
}
