package ablate_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/misuse"
	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/task"
	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// Nothing that is used wrongly ends in a panic that does not say so.
func TestEveryMisuse(t *testing.T) {
	bind := func(seed uint64) (ablate.Config, *ablate.Runs, *ablate.Batch) {
		c := config(t, seed)
		c.Ablation, c.Batch = ablate.Zero, 2
		r, err := ablate.Bind(t.Context(), c)
		require.NoError(t, err)
		b, err := r.Run(t.Context(), 0, 1)
		require.NoError(t, err)
		return c, r, b
	}
	own, runs, batch := bind(3)
	foreign, _, other := bind(5)
	noModel, noGraph, noData, wrongGraph := own, own, own, own
	noModel.Model, noGraph.Graph, noData.Data, wrongGraph.Graph = nil, nil, task.Data{}, foreign.Graph
	dir := t.TempDir()
	misuse.Walk(t, misuse.Package{
		Types: []any{&ablate.Runs{}, &ablate.Batch{}, ablate.Sender{}, &ablate.Shelf{}},
		Fresh: []func() any{func() any { return runs }, func() any { return batch }, func() any { return runs.Senders()[1] }, func() any { return other.Runs.Senders()[2] },
			func() any { return ablate.NewShelf(runs, dir, 2) }},
		Funcs: []any{ablate.Ablations, ablate.Parse, ablate.Bind, ablate.Floats, ablate.GraphConfig, ablate.Means, ablate.NewShelf, ablate.Places, ablate.RunBytes},
		Arguments: []any{runs, other.Runs, &ablate.Runs{}, batch, other, &ablate.Batch{}, dir, own, noModel, noGraph, noData, wrongGraph, own.Model, foreign.Model, &transformer.Model{}, own.Data, foreign.Data,
			own.Model.Config, foreign.Model.Config, batch.Clean, other.Clean, &transformer.Activations{}, tensor.New(2, 3).Matrix(),
			tensor.New(2, own.Model.Config.DHead).Matrix(), runs.Senders()[0], other.Runs.Senders()[len(other.Runs.Senders())-1], ablate.Sender{IsHead: true, Layer: 9},
			&circuit.Constants{}, &circuit.Constants{Z: make([][]float32, 99)}},
	})
}
