package judge_test

import (
	"io"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/internal/misuse"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/judge"
	"github.com/seed-2c350065/acdc/pkg/patch"
)

// Nothing that is used wrongly ends in a panic that does not say so.
func TestEveryMisuse(t *testing.T) {
	e, err := patch.Bind(t.Context(), golden.Bound(t, golden.Model(t, "tracr-reverse"), "tracr-reverse", golden.Run{Metric: "l2", Ablation: "zero"}, 1))
	require.NoError(t, err)
	other, err := circuit.New(circuit.Config{Definition: circuit.EAP, Layers: 5, Heads: 7})
	require.NoError(t, err)
	few := judge.Options{Samples: 1, Permutations: 1, Level: 0.5, Quantile: 0.5, Epsilon: 0.1}
	file := func() any {
		f := &judge.File{Options: few, Judged: "data"}
		f.SetCircuit(e.Graph(), e.Graph().Full())
		m, err := judge.Measure(t.Context(), e, e.Graph().Full())
		require.NoError(t, err)
		m.Data = "data"
		f.Measurements = []judge.Measurement{*m}
		return f
	}
	misuse.Walk(t, misuse.Package{
		Types:     []any{judge.Options{}, &judge.File{}},
		Fresh:     []func() any{file, func() any { return few }},
		Funcs:     []any{judge.RunNames, judge.Measure, judge.Judge, judge.Default, judge.Tables, judge.Decode, judge.Quantile},
		Arguments: []any{e, &patch.Experiment{}, e.Graph(), other, e.Graph().Full(), e.Graph().Empty(), other.Full(), few, judge.Options{Level: math.NaN()}, judge.Metrics, judge.Table("faces"), io.Discard, []byte("{")},
	})
}
