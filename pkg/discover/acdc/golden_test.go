package acdc_test

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/discover/acdc"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/patch/incremental"
	"github.com/seed-2c350065/acdc/pkg/transformer"
	"github.com/seed-2c350065/acdc/pkg/zoo"
)

// reproduce runs every golden run of a model and compares it test by test.
func reproduce(t *testing.T, m *transformer.Model, name string, threads int, tolerance func(want float64) float64) {
	worstAll, plainAll := 0.0, 0.0
	runs := golden.Runs(t, name)
	if testing.Short() {
		runs = golden.Some(runs, 1)
	}
	for _, run := range runs {
		e, err := patch.Bind(t.Context(), golden.Bound(t, m, name, run, threads))
		require.NoError(t, err)
		g := e.Graph()
		require.Equal(t, run.Total, g.NumEdges())
		k, worst := 0, 0.0
		res, err := acdc.Algorithm{Threshold: run.Threshold, Order: acdc.Order(run.Order)}.Discover(context.Background(), discover.Request{
			Experiment: e,
			Observe: func(ev discover.Event) {
				require.Less(t, k, len(run.Tests), "%v: more tests than the reference", run)
				want, edge := run.Tests[k], g.Edge(ev.Edge)
				require.Equal(t, want.Receiver, g.HookName(edge.Receiver), "%v: test %d", run, k)
				require.Equal(t, want.Sender, g.HookName(edge.Sender), "%v: test %d", run, k)
				require.Equal(t, want.Kept, ev.Kept, "%v: test %d, %v: effect %v, reference %v", run, k, edge, ev.Effect, want.Effect)
				d := math.Abs(ev.Metric - want.Metric)
				require.LessOrEqual(t, d, tolerance(want.Metric), "%v: test %d, %v", run, k, edge)
				worst = math.Max(worst, d)
				k++
			},
		})
		require.NoError(t, err)
		assert.Equal(t, len(run.Tests), k, "%v: tests", run)
		assert.Equal(t, run.Kept, res.Mask.Count(), "%v: edges kept", run)
		assert.InDelta(t, run.Initial, res.MetricInitial, tolerance(run.Initial))
		assert.InDelta(t, run.Final, res.MetricFinal, tolerance(run.Final))
		plain, err := e.PlainMetric(t.Context(), res.Mask)
		require.NoError(t, err)
		plainAll = math.Max(plainAll, math.Abs(plain-res.MetricFinal))
		worstAll = math.Max(worstAll, worst)
	}
	t.Logf("%s: largest difference from the reference %.2e, from the plain pass %.2e", name, worstAll, plainAll)
	assert.Less(t, plainAll, 1e-5)
}

// asRequired is 1e-4 absolute, 1e-3 relative above 1.
func asRequired(want float64) float64 {
	if math.Abs(want) > 1 {
		return 1e-3 * math.Abs(want)
	}
	return 1e-4
}

func TestGoldenRuns(t *testing.T) {
	for _, name := range []string{"induction-attn2l", "gpt3l-random", "hf-gpt2-tiny"} {
		t.Run(name, func(t *testing.T) { reproduce(t, golden.Model(t, name), name, 2, asRequired) })
	}
	for _, name := range []string{"or_gate", "tracr-reverse", "tracr-proportion"} {
		t.Run(name, func(t *testing.T) {
			reproduce(t, golden.Model(t, name), name, 1, ofIntegers)
			if name != "or_gate" {
				reproduce(t, golden.Model(t, name), name+golden.OtherSeed, 1, ofIntegers)
			}
		})
	}
	for _, program := range []string{"tracr-reverse", "tracr-proportion"} {
		t.Run(program+" compiled", func(t *testing.T) {
			m, err := zoo.Open(t.Context(), program)
			require.NoError(t, err)
			reproduce(t, m.Model, program, 1, ofIntegers)
			reproduce(t, m.Model, program+golden.OtherSeed, 1, ofIntegers)
		})
	}
}

// ofIntegers is the tolerance of models whose weights are small integers: values
// below 1e-9 are noise, the rest agrees to 1e-5.
func ofIntegers(want float64) float64 { return 1e-9 + 1e-5*math.Abs(want) }

func TestEveryIncrementalMetricIsThePlainOne(t *testing.T) {
	for _, name := range []string{"induction-attn2l", "gpt3l-random", "or_gate", "tracr-reverse"} {
		m := golden.Model(t, name)
		for _, run := range golden.Some(golden.Runs(t, name), 3) {
			e, err := patch.Bind(t.Context(), golden.Bound(t, m, name, run, 2))
			require.NoError(t, err)
			res, err := acdc.Algorithm{Threshold: run.Threshold, Order: acdc.Order(run.Order), VerifyEvery: 7}.Discover(context.Background(), discover.Request{Experiment: e})
			require.NoError(t, err, run.String())
			require.Equal(t, (res.Cost.Tests+6)/7, res.Verified)
		}
	}
}

func TestGoldenEndPoints(t *testing.T) {
	for _, name := range []string{"induction-attn2l", "gpt3l-random"} {
		m := golden.Model(t, name)
		run := golden.Run{Metric: string(metric.KL), Ablation: "resample"}
		e, err := patch.Bind(t.Context(), golden.Bound(t, m, name, run, 2))
		require.NoError(t, err)
		full, err := e.PlainMetric(t.Context(), e.Graph().Full())
		require.NoError(t, err)
		assert.Less(t, math.Abs(full), 1e-9)
		assert.Zero(t, e.CleanMetric())
		s, err := incremental.New(t.Context(), e.Whole(), e.Graph().Full())
		require.NoError(t, err)
		assert.Zero(t, s.Metric())
		for _, mask := range []circuit.Mask{e.Graph().Empty()} {
			logits, err := patch.Pass(t.Context(), e.Whole().Batch, mask.Gates(), transformer.Options{})
			require.NoError(t, err)
			data := golden.Open(t, golden.Path(name, "data.safetensors"))
			want, _, err := data.Float32(t.Context(), "corrupt_logits")
			require.NoError(t, err)
			for i := range want {
				require.InDelta(t, want[i], logits.Data[i], 1e-4)
			}
			s, err := incremental.New(t.Context(), e.Whole(), mask)
			require.NoError(t, err)
			assert.InDelta(t, e.CorruptedMetric(), s.Metric(), 1e-7)
		}
	}
}
