package study

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/judge"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/stability"
	"github.com/seed-2c350065/acdc/pkg/task"
)

// What drawings share is told from what algorithms do: those that score examples
// one by one have the scores.
func TestSharesIsWhatAlgorithmsDo(t *testing.T) {
	in, err := Spec{Task: "induction", Examples: 3}.Open(t.Context(), 2)
	require.NoError(t, err)
	defer in.Close()
	e, err := patch.Bind(t.Context(), in.Config("", false))
	require.NoError(t, err)
	kinds := map[stability.Sharing]int{}
	for _, name := range append(Algorithms(), "ensemble:exact+activation") {
		m := Method{Algorithm: name}
		if of(algorithm{name: name}, learning...) {
			m.Steps = 2
		}
		a, err := m.Resolve(in.Task, e.Graph())
		require.NoError(t, err)
		r, err := a.Discover(t.Context(), discover.Request{Experiment: e, PerExample: true})
		require.NoError(t, err)
		shares := stability.Shares(a)
		if !strings.HasPrefix(name, ensemblePrefix) { // whose scores are not the mean of the examples'
			assert.Equal(t, shares == stability.Scored, r.Examples != nil, name)
		}
		assert.Equal(t, shares == stability.Runs, m.Decides(), name)
		kinds[shares]++
	}
	assert.Len(t, kinds, 3)
}

// A circuit is judged on both halves of a task's prompts, on one, or on a file's
// data; the verdict is of the last.
func TestJudgedOn(t *testing.T) {
	for _, c := range []struct {
		spec Spec
		half task.Half
		on   []string
	}{
		{Spec{Task: "tracr-reverse"}, "", []string{"validation", "test"}},
		{Spec{Task: "tracr-reverse", Half: task.Test}, task.Test, []string{"test"}},
		{Spec{Model: "random:1x2x16x64x50", Data: "random:4x6"}, "", []string{"data"}},
	} {
		in, err := c.spec.Open(t.Context(), 2)
		require.NoError(t, err)
		defer in.Close()
		e, err := patch.Bind(t.Context(), in.Config("", in.SplitsEmbed()))
		require.NoError(t, err)
		f := &circuit.File{Run: in.Run(e)}
		f.SetCircuit(e.Graph(), e.Graph().Full(), nil, false)
		o := judge.Default()
		o.Samples, o.Permutations, o.KnockOuts = 1, 1, 0
		found, err := in.Judge(t.Context(), f, c.half, in.Metrics(), o, nil)
		require.NoError(t, err)
		var on []string
		for _, m := range found.Measurements {
			if m.Metric == in.Spec.Metric {
				on = append(on, m.Data)
			}
			if f := m.Runs[1].Faithfulness; f != nil { // else the metric does not see what the ablation changes
				assert.InDelta(t, 1, *f, 1e-6)
			}
		}
		assert.Equal(t, c.on, on)
		assert.Equal(t, c.on[len(c.on)-1], found.Judged)
		assert.Zero(t, found.Completeness.Most)
	}
}

// With seeds, prompts are other ones: each seed's first circuit is that of a study
// with this seed.
func TestStabilityOverSeeds(t *testing.T) {
	in, err := Spec{Task: "induction", Examples: 8}.Open(t.Context(), 2)
	require.NoError(t, err)
	defer in.Close()
	threshold := 2.
	o := Bootstrap{Definition: circuit.ACDC, Method: Method{Threshold: &threshold}, Drawings: 1, Seeds: 3, Confidence: 0.9}
	var heard []int
	r, err := in.Stability(t.Context(), o, func(done, of int) { heard = append(heard, done); assert.Equal(t, 6, of) })
	require.NoError(t, err)
	assert.Equal(t, []int{1, 2, 3, 4, 5, 6}, heard)
	for i := range uint64(3) {
		other, err := Spec{Task: "induction", Examples: 8, Seed: &i}.Open(t.Context(), 2)
		require.NoError(t, err)
		c, a, err := other.resolved(o)
		require.NoError(t, err)
		e, err := patch.Bind(t.Context(), c)
		require.NoError(t, err)
		found, err := a.Discover(t.Context(), discover.Request{Experiment: e, Seed: i})
		require.NoError(t, err)
		assert.Equal(t, stability.Circuit{Seed: i, Whole: true, Edges: found.Mask.Count()}, r.Circuits[2*i])
		require.NoError(t, other.Close())
	}
}
