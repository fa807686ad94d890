package incremental

import (
	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// subject is what a state patches: a batch, and the rows of it that are
// computed.
type subject struct {
	bound   *patch.Bound
	model   *transformer.Model
	graph   *circuit.Graph
	senders []ablate.Sender
	clean   *transformer.Activations
	co      *transformer.Activations
	pad     transformer.Padding
	t       int // positions
	threads int
	rows    layout
}

func newSubject(b *patch.Bound) *subject {
	if b == nil || b.Batch == nil {
		panic("incremental: New of a batch that no Experiment made")
	}
	r := b.Runs
	return &subject{bound: b, model: r.Model(), graph: r.Graph(), senders: r.Senders(), clean: b.Clean, co: b.Corrupted,
		pad: b.Pad, t: r.Positions(), threads: r.Threads(),
		rows: newLayout(b.Examples(), r.Positions(), r.FirstDifference(), b.MetricRows(), b.Pad)}
}

// side is one head's queries, keys or values in a run [B·T,K].
func (e *subject) side(a *transformer.Activations, layer, side, head int) tensor.Matrix {
	return a.SideOf(e.model.Config, layer, side, head)
}
