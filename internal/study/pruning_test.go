package study

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/discover/pruning"
	"github.com/seed-2c350065/acdc/pkg/task"
)

// Edge pruning aims at the published sparsity, or at what leaves twenty edges; who
// asks for another gets it, and as many edges are chosen as are aimed at.
func TestEdgePruningLeavesEdgesOnSmallGraphs(t *testing.T) {
	for _, x := range []struct {
		config circuit.Config
		given  *float64
		edges  int
	}{
		{circuit.Config{Layers: 2, Heads: 2, AttnOnly: true}, nil, 20},
		{circuit.Config{Layers: 1, Heads: 1, AttnOnly: true}, nil, 8}, // all that there are
		{circuit.Config{Layers: 12, Heads: 12}, nil, 1646},
		{circuit.Config{Layers: 2, Heads: 2, AttnOnly: true}, new(0.9), 4},
	} {
		x.config.Definition = circuit.ACDC
		g, err := circuit.New(x.config)
		require.NoError(t, err)
		a, err := Method{Algorithm: "edge-pruning", Sparsity: x.given}.Resolve(task.Task{}, g)
		require.NoError(t, err)
		s := a.(discover.Selected)
		assert.Equal(t, x.edges, s.Selection.Edges, "%d edges", g.NumEdges())
		assert.InDelta(t, float64(x.edges)/float64(g.NumEdges()), 1-s.Scorer.(pruning.Scorer).Target, 0.5/float64(g.NumEdges()))
	}
}
