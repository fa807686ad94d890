package incremental_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/patch/incremental"
	"github.com/seed-2c350065/acdc/pkg/task"
	"github.com/seed-2c350065/acdc/pkg/transformer"
	"github.com/seed-2c350065/acdc/pkg/zoo"
)

// gpt2 is a model of GPT-2 small's shape.
func gpt2(b *testing.B) *zoo.Model {
	b.Helper()
	m, err := zoo.Open(b.Context(), "random:gpt2")
	require.NoError(b, err)
	return m
}

// BenchmarkForward is a plain forward pass of GPT-2 small's shape on 20
// prompts of 15 tokens, with all logits.
func BenchmarkForward(b *testing.B) {
	m := gpt2(b)
	tokens := task.Random(1, 20, 15, m.Config.Vocab).Clean
	for _, threads := range []int{1, 2} {
		b.Run(map[int]string{1: "threads=1", 2: "threads=2"}[threads], func(b *testing.B) {
			for b.Loop() {
				_, err := m.Forward(b.Context(), tokens, transformer.Options{Threads: threads})
				require.NoError(b, err)
			}
			b.ReportMetric(float64(m.Config.FLOP(20, 15, 15)*int64(b.N))/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}

// BenchmarkTry is one cut at GPT-2 small's shape, 100 prompts of 15 tokens, by
// receiver and metric, in the full graph.
func BenchmarkTry(b *testing.B) {
	m := gpt2(b)
	for _, name := range []metric.Name{metric.LogitDiff, metric.KL} {
		e, err := patch.Bind(b.Context(), patch.Config{Model: m.Model, Data: task.Random(1, 100, 15, m.Config.Vocab), Metric: name, Ablation: ablate.Resample, Threads: 2})
		require.NoError(b, err)
		for _, r := range []circuit.Node{{Kind: circuit.Output}, {Kind: circuit.MLPIn, Layer: 11}, {Kind: circuit.QInput, Layer: 11}, {Kind: circuit.VInput, Layer: 11}, {Kind: circuit.VInput, Layer: 9}} {
			s, err := incremental.New(b.Context(), e.Whole(), e.Graph().Full())
			require.NoError(b, err)
			turn := s.Begin(r)
			lo, _ := e.Graph().Incoming(r)
			b.Run(string(name)+"/"+r.ReceiverName()+map[bool]string{true: "@9"}[r.Layer == 9], func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := turn.Try(b.Context(), []int{lo, lo + 1, lo + 2, lo + 3}); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.N*4)/b.Elapsed().Seconds(), "tests/s")
			})
			require.NoError(b, turn.End(b.Context()))
		}
	}
}
