package incremental

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// Whatever shares memory with whom, every input that somebody reads has the bits
// of a sum from scratch over its own senders.
func TestSharedInputsAreSumsFromScratch(t *testing.T) {
	compared, shared := 0, 0
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 3))
		c := golden.RandomConfig(rng)
		data := golden.RandomData(rng, c)
		data.Mask = golden.MaskFor(metric.KL, data.Mask)
		e, err := patch.Bind(t.Context(), patch.Config{Model: golden.RandomModel(t, c, seed), Data: data, Metric: metric.KL,
			Ablation: ablate.Ablations()[rng.IntN(3)], Definition: circuit.Definitions()[rng.IntN(2)], Threads: 1 + rng.IntN(2)})
		require.NoError(t, err)
		mask := e.Graph().Full()
		for i := range mask {
			mask[i] = rng.IntN(3) > 0
		}
		s, err := New(t.Context(), e.Whole(), mask)
		require.NoError(t, err)
		compareInputs(t, s, &compared, &shared)
		receivers := e.Graph().Receivers()
		for i := len(receivers) - 1; i >= 0; i-- {
			if cutSome(t, s, receivers[i], rng) {
				compareInputs(t, s, &compared, &shared)
			}
		}
	}
	assert.Greater(t, compared, 1000)
	assert.Greater(t, shared, compared/10)
}

// cutSome takes a receiver's turn and cuts some of its edges. It reports whether
// there were any.
func cutSome(t *testing.T, s *State, r circuit.Node, rng *rand.Rand) bool {
	if !s.e.graph.HasOutgoing(s.mask, r) {
		s.Drop(r)
		return false
	}
	var edges []int
	lo, hi := s.e.graph.Incoming(r)
	for e := lo; e < hi; e++ {
		if s.mask[e] && rng.IntN(2) == 0 {
			edges = append(edges, e)
		}
	}
	turn := s.Begin(r)
	_, err := turn.Try(t.Context(), edges)
	require.NoError(t, err)
	turn.Accept(rng.IntN(len(edges) + 1))
	require.NoError(t, turn.End(t.Context()))
	return true
}

// compareInputs compares the inputs of all sides that are read and not the clean
// run's.
func compareInputs(t *testing.T, s *State, compared, shared *int) {
	g, needs, clean := s.e.graph, s.needs(), s.cleanNodes()
	p := s.newPlanner()
	p.plan.scratch, p.want = true, func(circuit.Node) bool { return true }
	for _, r := range g.Receivers() {
		side, ok := r.Letter()
		if !ok || r.Kind > circuit.VInput || clean[r] {
			continue
		}
		i := s.sideIndex(r.Layer, side, r.Head)
		at := needs.inputs[i]
		senders, needed := p.heard(r, at)
		if !needed {
			continue
		}
		if *compared++; s.inputs[i].own.slots > 1 {
			*shared++
		}
		for k := range s.chunks {
			w, c := s.workers[0], &s.chunks[k]
			want := tensor.New(c.count(at), s.e.model.Config.DModel).Matrix()
			w.fromScratch(s, p.plan, c, want, stored{s.e.co.Layers[r.Layer].AttnIn.Matrix(), everyRow}, senders, at)
			got := c.pick(s.inputs[i].stored, at)
			for row := range want.Rows {
				require.Equal(t, want.Row(row), got.row(row), "input of %v", r)
			}
		}
	}
}
