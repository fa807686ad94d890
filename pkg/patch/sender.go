package patch

import (
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// sender is a node that writes to the residual stream, and where its values
// lie.
type sender struct {
	isHead      bool
	layer, head int
	embed       int // which embedding it is, -1 for heads and MLPs
	k           int // K, the width of a head's values
}

// describe says where the values of a node that sends lie.
func (e *Experiment) describe(n circuit.Node) sender {
	s := sender{layer: n.Layer, head: n.Head, embed: -1, k: e.model.Config.DHead}
	switch n.Kind {
	case circuit.Head:
		s.isHead = true
	case circuit.Input, circuit.Embed:
		s.embed = 0
	case circuit.PosEmbed:
		s.embed = 1
	}
	return s
}

// value is a sender's output in a complete run: z [B·T,K] of a head, else
// [B·T,D].
func (r *run) value(s sender) tensor.Matrix {
	switch {
	case s.isHead:
		return r.z[s.layer].Matrix().Columns(s.head*s.k, (s.head+1)*s.k)
	case s.embed >= 0:
		return r.embeds[s.embed].Matrix()
	}
	return r.mlp[s.layer].Matrix()
}

// cut is what cutting a sender's edge adds to a residual stream, in the
// sender's own space, as long as the sender sends its clean values: co − clean.
// It is kept for heads only.
func (e *Experiment) cut(s sender) stored {
	return stored{e.cuts[s.layer].Matrix().Columns(s.head*s.k, (s.head+1)*s.k), everyRow}
}

// side is one head's queries, keys or values in a complete run [B·T,K].
func (r *run) side(layer, side, head, k int) tensor.Matrix {
	return r.qkv[layer][side].Matrix().Columns(head*k, (head+1)*k)
}
