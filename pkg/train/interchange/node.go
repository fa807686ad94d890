package interchange

import (
	"context"
	"fmt"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// node is the output of a head or of an MLP, which can be interchanged.
type node struct{ layer, head int } // head anMLP for the layer's MLP

const anMLP = -1

func (n node) String() string {
	if n.head == anMLP {
		return fmt.Sprintf("m%d", n.layer)
	}
	return fmt.Sprintf("a%d.h%d", n.layer, n.head)
}

// at is where a pass comes to the node: a head's z, which its W_O makes the
// output of, and an MLP's output.
func (n node) at() transformer.HookPoint {
	if n.head == anMLP {
		return transformer.HookPoint{Point: transformer.HookMLPOut, Layer: n.layer}
	}
	return transformer.HookPoint{Point: transformer.HookZ, Layer: n.layer}
}

// of are the node's columns of what a pass has at its place.
func (n node) of(x tensor.Matrix, c transformer.Config) tensor.Matrix {
	if n.head == anMLP {
		return x
	}
	return x.Columns(n.head*c.DHead, (n.head+1)*c.DHead)
}

// in is what a run has at the node's place.
func (n node) in(a *transformer.Activations) tensor.Matrix {
	if n.head == anMLP {
		return a.Layers[n.layer].MLPOut.Matrix()
	}
	return a.Layers[n.layer].Z.Matrix()
}

// matched is a node of the circuit in the compiled program and in the model.
type matched struct{ high, low node }

// match finds the nodes of the circuit, those that send along one of its edges,
// and those outside.
func (p *Pair) match(ctx context.Context) error {
	h, c := p.high.Transformer.Config, p.config
	g, err := circuit.New(circuit.Config{Definition: circuit.ACDC, Layers: h.Layers, Heads: h.Heads})
	if err != nil {
		return err
	}
	mask, err := p.high.Circuit(ctx, g)
	if err != nil {
		return err
	}
	inside := map[node]bool{}
	add := func(n circuit.Node, high, low node) {
		if g.HasOutgoing(mask, n) {
			p.nodes = append(p.nodes, matched{high, low})
			inside[low] = true
		}
	}
	for l := range h.Layers {
		for i := range h.Heads {
			add(circuit.Node{Kind: circuit.Head, Layer: l, Head: i}, node{l, i}, node{l, p.spec.Heads[l][i]})
		}
		add(circuit.Node{Kind: circuit.MLP, Layer: l}, node{l, anMLP}, node{l, anMLP})
	}
	for l := range c.Layers {
		for head := anMLP; head < c.Heads; head++ {
			if n := (node{l, head}); !inside[n] {
				p.outside = append(p.outside, n)
			}
		}
	}
	if len(p.nodes) == 0 {
		return fmt.Errorf("program: expected a circuit with a head or an MLP, found only embeddings")
	}
	return nil
}

// interchange makes hooks by which nodes have what they have in a source's run.
func interchange(nodes []node, source *transformer.Activations, c transformer.Config) []transformer.Hook {
	var hooks []transformer.Hook
	for _, n := range nodes {
		from := n.of(n.in(source), c)
		hooks = append(hooks, transformer.Hook{At: n.at(), Do: func(x *tensor.Tensor) {
			into := n.of(x.Reshape(from.Rows, x.Len()/from.Rows).Matrix(), c)
			for i := range from.Rows {
				copy(into.Row(i), from.Row(i))
			}
		}})
	}
	return hooks
}
